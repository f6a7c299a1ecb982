"""Text that PostgreSQL can keep: without NUL, and without halves of characters (surrogates that stand alone).

What a system sends is refused, so that it can be sent again as it was meant: `Text`. What a person says or writes is
kept without them: `MendedText`, `mended`.
"""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator


def storable(text: str) -> str:
    """The text as it is; raises ValueError where PostgreSQL would refuse it."""
    if "\0" in text:
        raise ValueError("must not contain the character NUL")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("must be Unicode text, without half a surrogate pair") from None
    return text


def mended(text: str) -> str:
    """The text without NUL, and with ``?`` in the place of each half of a character."""
    return text.replace("\0", "").encode(errors="replace").decode()


def _mended_if_text(given: object) -> object:
    return mended(given) if isinstance(given, str) else given


Text = Annotated[str, AfterValidator(storable)]
MendedText = Annotated[str, BeforeValidator(_mended_if_text)]
