"""One open socket: the carrier's messages and the recogniser's results come by one queue, so one thing happens at a
time.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from starlette.websockets import WebSocket, WebSocketDisconnect

from app.asr import media
from app.asr.recognition import RecognitionEvent
from app.asr.speech import Voiced, in_frames
from app.audio import telephone
from app.errors import RecogniserError

# Frames come 50 times a second; a line without any for so long is dead.
STALLED_SECONDS = 5.0
STARTED_SECONDS = 10.0
# A key that comes again so soon is one that was pressed twice.
PRESSED_TWICE_SECONDS = 1.0

Event = media.Message | RecognitionEvent


@dataclass(frozen=True)
class PressedKey:
    """A key, and the frame of the line in which it was pressed."""

    digit: str
    frame: int


class Socket:
    """One media stream's WebSocket: plays sound to the carrier, and gives what comes from it as events.

    `read` must run in a task of its own for as long as the stream is used. ``voiced`` tells whether a frame holds a
    voice; ``last_key`` is the key that was pressed last, None before the first.
    """

    def __init__(self, socket: WebSocket, voiced: Voiced) -> None:
        self._socket, self._voiced = socket, voiced
        self._events: asyncio.Queue[Event | Exception] = asyncio.Queue()
        self._sid = ""
        self._rest = b""
        self._frame = 0
        self.last_key: PressedKey | None = None

    async def read(self) -> None:
        """Queue what the carrier sends, until the end."""
        try:
            while True:
                message = media.read(await self._socket.receive_text())
                if message is not None:
                    self._events.put_nowait(message)
        except (WebSocketDisconnect, RuntimeError):
            self._events.put_nowait(media.Ended())
        except KeyError:  # a binary frame has no text
            self._events.put_nowait(media.NotAStream("a binary frame"))
        except media.NotAStream as problem:
            self._events.put_nowait(problem)

    async def started(self) -> media.Started | None:
        """The stream's beginning; None where it ends instead."""
        async with asyncio.timeout(STARTED_SECONDS):
            while True:
                event = await self._events.get()
                match event:
                    case media.Started(sid):
                        self._sid = sid
                        return event
                    case media.Ended():
                        return None
                    case Exception():
                        raise event
                    case _:
                        pass

    async def event(self) -> Event:
        """The next thing that happens; raises what broke."""
        async with asyncio.timeout(STALLED_SECONDS):
            event = await self._events.get()
        if isinstance(event, Exception) and not isinstance(event, RecogniserError):
            raise event
        if isinstance(event, media.KeyPressed):
            self.last_key = PressedKey(event.digit, self._frame)
        return event

    def belongs_to(self, earlier: PressedKey | None, digit: str) -> bool:
        """Whether this key, pressed just now, is the ``earlier`` one pressed twice, or the # that finishes it."""
        soon = earlier is not None and self._frame - earlier.frame < in_frames(PRESSED_TWICE_SECONDS)
        return earlier is not None and soon and digit in {earlier.digit, "#"}

    def tell(self, result: RecognitionEvent) -> None:
        """Queue what the recogniser found behind the events that wait."""
        self._events.put_nowait(result)

    def frames(self, ulaw: bytes) -> list[tuple[bytes, bool]]:
        """Whole frames as PCM, each with whether there is a voice in it."""
        waiting = self._rest + ulaw
        whole = len(waiting) // telephone.FRAME * telephone.FRAME
        self._rest = waiting[whole:]
        self._frame += whole // telephone.FRAME
        cut = (
            telephone.decode(waiting[start : start + telephone.FRAME])
            for start in range(0, whole, telephone.FRAME)
        )
        return [(pcm, self._voiced(pcm)) for pcm in cut]

    async def play(self, ulaw: bytes, name: str) -> None:
        """Have this played, and be told of it by a mark of this name."""
        await self._socket.send_text(media.sound(self._sid, ulaw))
        await self._socket.send_text(media.mark(self._sid, name))

    async def clear(self) -> None:
        """Have no more of it played."""
        await self._socket.send_text(media.clear(self._sid))

    async def close(self) -> None:
        """Send the call on; one that has gone already is left as it is."""
        with suppress(RuntimeError, WebSocketDisconnect):
            await self._socket.close()
