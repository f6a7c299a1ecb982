"""What a browser's phone says to the server: one JSON object with a ``type`` for each thing done."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter


class CallAccepted(BaseModel):
    """The ringing phone was picked up."""

    type: Literal["accept"]


class CallDeclined(BaseModel):
    """The ringing phone was turned away."""

    type: Literal["decline"]


class PromptSaid(BaseModel):
    """The browser has finished saying utterance ``id``."""

    type: Literal["said"]
    id: int


class KeysPressed(BaseModel):
    """The caller pressed one key of the keypad."""

    type: Literal["keys"]
    keys: Annotated[str, Field(pattern=r"^[0-9*#]$")]


class TypingBegun(BaseModel):
    """Words are being typed into the say box, as somebody who has begun to speak."""

    type: Literal["typing"]


class WordsSaid(BaseModel):
    """The caller said this, as a recogniser would have heard it."""

    type: Literal["say"]
    text: Annotated[str, Field(min_length=1, max_length=2000)]


class HungUpByCaller(BaseModel):
    """The caller put the phone down."""

    type: Literal["hangup"]


Message = Annotated[
    CallAccepted | CallDeclined | PromptSaid | KeysPressed | TypingBegun | WordsSaid | HungUpByCaller,
    Field(discriminator="type"),
]
_MESSAGE: TypeAdapter[Message] = TypeAdapter(Message)


def read_message(raw: str) -> Message:
    """The message in a JSON text; raises `pydantic.ValidationError` for anything else."""
    return _MESSAGE.validate_json(raw)
