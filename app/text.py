"""Text that PostgreSQL can keep: without NUL, and without halves of characters (surrogates that stand alone).

What a system sends is refused, so that it can be sent again as it was meant: `Text`. What a person says or writes is
kept without them: `MendedText`, `mended`. A name that is said aloud is a `Line`, without control characters; whatever
else is said goes through `speakable`.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")
NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def storable(text: str) -> str:
    """The text as it is; raises ValueError where PostgreSQL would refuse it."""
    if "\0" in text:
        raise ValueError("must not contain the character NUL")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("must be Unicode text, without half a surrogate pair") from None
    return text


def one_line(text: str) -> str:
    """The text as it is; raises ValueError where it has control characters: no voice says them, no XML holds them."""
    if CONTROL.search(text):
        raise ValueError("must not contain control characters, such as line breaks")
    return text


def speakable(text: str) -> str:
    """The text without the characters that an XML document cannot hold."""
    return NOT_IN_XML.sub("", text)


def mended(text: str) -> str:
    """The text without NUL, and with ``?`` in the place of each half of a character."""
    return text.replace("\0", "").encode(errors="replace").decode()


def _mended_if_text(given: object) -> object:
    return mended(given) if isinstance(given, str) else given


Text = Annotated[str, AfterValidator(storable)]
Line = Annotated[Text, AfterValidator(one_line)]
MendedText = Annotated[str, BeforeValidator(_mended_if_text)]
