"""Text that PostgreSQL can keep."""

from typing import Annotated

from pydantic import AfterValidator


def storable(text: str) -> str:
    """The text as it is; raises ValueError where PostgreSQL would refuse it."""
    if "\0" in text:
        raise ValueError("must not contain the character NUL")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("must be Unicode text, without half a surrogate pair") from None
    return text


Text = Annotated[str, AfterValidator(storable)]
