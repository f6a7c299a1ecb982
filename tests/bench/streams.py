"""Callers heard in media streams: the product in a process of its own, its real recogniser, and frames in real time.

Each caller is at the score, hears its prompt, says a number, and hangs up once the next prompt begins. What is measured
is the time from the last frame with a voice in it, by the product's own detector, to the first sound of that prompt.
"""

import asyncio
import json
import os
import random
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import websockets
from websockets.asyncio.client import ClientConnection

from app.asr.listening import HANGOVER_SECONDS
from app.asr.speech import detector
from app.asr.thresholds import WHOLE_ANSWER_SECONDS
from app.audio import TELEPHONE_RATE, Sound, telephone, write_wav
from app.carrier import sign
from app.config import load_flows
from app.prompts.inventory import needed_by
from tests.asr import korean
from tests.bench.figures import Figure, percentile
from tests.bench.ground import ROOT, TOKEN, Ground, Running, serving
from tests.bench.prepared import BRAND, Prepared, prepare
from tests.bench.watched import PATH

COMMAND = ("-m", "tests.bench.watched")
FRAME_SECONDS = telephone.FRAME_MILLISECONDS / 1000
PROMPT_SECONDS = 6.0
# Each call begins so long after the one before it, like people do.
THINKS_SECONDS, LEAVES_SECONDS = (0.5, 2.0), 0.5
PATIENCE_FRAMES = 500
TARGET_MILLISECONDS, STALL_MILLISECONDS = 300, 50
SILENT = b64encode(telephone.SILENCE).decode()


@dataclass(frozen=True)
class Said:
    """Speech as frames in base64, up to the last one that the detector takes for a voice."""

    frames: tuple[str, ...]

    @classmethod
    def of(cls, pcm: bytes) -> "Said":
        """What goes down the line for this sound."""
        frames, voiced = telephone.frames(telephone.encode(pcm)) + [telephone.SILENCE] * 10, detector()
        heard = [voiced(telephone.decode(each)) for each in frames]
        last = max(place for place, each in enumerate(heard) if each)
        return cls(tuple(b64encode(each).decode() for each in frames[: last + 1]))


@dataclass
class _Caller:
    """One caller's end of the line: frames go out in real time, and what is played is counted."""

    socket: ClientConnection
    sounds: list[float] = field(default_factory=list)
    _more: asyncio.Event = field(default_factory=asyncio.Event)
    _due: float = field(default_factory=time.perf_counter)

    async def listen(self) -> None:
        """Note when something begins to be played, until the stream ends."""
        async for text in self.socket:
            if str(text).startswith('{"event": "media"'):
                self.sounds.append(time.perf_counter())
                self._more.set()

    async def say(self, frames: Iterable[str], until_sounds: int | None = None) -> float:
        """Send the frames, until so much has been played; gives the time at which the last one was sent."""
        sent = 0.0
        for frame in frames:
            await self.socket.send(f'{{"event":"media","media":{{"track":"inbound","payload":"{frame}"}}}}')
            sent = time.perf_counter()
            self._due += FRAME_SECONDS
            await self._wait()
            if until_sounds is not None and len(self.sounds) >= until_sounds:
                break
        return sent

    async def played(self, mark: str) -> None:
        """Tell that a prompt has been played."""
        await self.socket.send(f'{{"event":"mark","mark":{{"name":"{mark}"}}}}')

    async def _wait(self) -> None:
        """Until the next frame is due, or something begins to be played."""
        self._more.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._more.wait(), max(0.0, self._due - time.perf_counter()))
            await asyncio.sleep(max(0.0, self._due - time.perf_counter()))


async def measure(
    ground: Ground,
    directory: Path,
    answers: Sequence[bytes],
    comments: Sequence[bytes],
    *,
    streams: int = 30,
    rounds: int = 4,
    commenting: int = 0,
) -> list[Figure]:
    """``answers`` are numbers as PCM; every stream asks ``rounds`` callers, one after another.

    On as many of them as are ``commenting`` the callers go on to say one of the ``comments``.
    """
    said, more = [Said.of(each) for each in answers], [Said.of(each) for each in comments]
    with ground.database() as database, _serving(ground, directory, database) as server:
        flows = directory / "flows"
        (first,) = prepare(database, 1, greeted=True, flows=flows, language="ko")
        await _call(server, first, said[0], None)
        calls = prepare(database, streams * rounds, greeted=True, flows=flows, language="ko")
        callers = [
            (call, said[place % len(said)], more[place % len(more)] if place % streams < commenting else None)
            for place, call in enumerate(calls)
        ]
        await _late(server)
        spent, started = _spent(server), time.perf_counter()
        lanes = [_lane(server, callers[lane::streams], lane / streams) for lane in range(streams)]
        late = [each for lane in await asyncio.gather(*lanes) for each in lane]
        cores = (_spent(server) - spent) / (time.perf_counter() - started)
        stalls = await _late(server)
    who = f", {commenting} of whom go on to comment" if commenting else ""
    return _figures(f"{streams} callers at once{who}", late, stalls, cores)


def _spent(server: Running) -> float:
    times = psutil.Process(server.pid).cpu_times()
    return float(times.user + times.system)


def _figures(room: str, late: list[float], stalls: list[float], cores: float) -> list[Figure]:
    milliseconds = sorted(1000 * each for each in late)
    short = sum(each < HANGOVER_SECONDS["score"] for each in late)
    n, looks = f"n = {len(late)}", f"{len(stalls):,} looks at the server's event loop"
    return [
        Figure(room, "end of speech to the next prompt, median", percentile(milliseconds, 0.5), "ms",
               TARGET_MILLISECONDS, note=n),
        Figure(room, "the same, 95th percentile", percentile(milliseconds, 0.95), "ms", note=n),
        Figure(room, f"of them, ended by a pause of {1000 * WHOLE_ANSWER_SECONDS:.0f} ms", 100 * short / len(late), "%",
               note=f"those within {1000 * HANGOVER_SECONDS['score']:.0f} ms; the others were unsure, or late"),
        Figure(room, "the server's processor time", cores, "cores", note=f"load {os.getloadavg()[0]:.1f} in the end"),
        Figure(room, "event loop late, 99th percentile", 1000 * percentile(stalls, 0.99), "ms", note=looks),
        Figure(room, "event loop late, at most", 1000 * max(stalls), "ms", STALL_MILLISECONDS, note=looks),
    ]  # fmt: skip


@contextmanager
def _serving(ground: Ground, directory: Path, database: str) -> Iterator[Running]:
    """The product with a flow in Korean, all its prompts recorded, and the Korean model."""
    flows = korean.flows(directory / "flows", ROOT / "flows")
    prompts = directory / "prompts" / "ko"
    prompts.mkdir(parents=True)
    for name in needed_by(load_flows(flows).values(), "ko", [BRAND]):
        (prompts / f"{name}.wav").write_bytes(write_wav(Sound(_murmur(PROMPT_SECONDS))))
    settings = {
        "database_url": database,
        "recognition": "local",
        "flows_dir": str(flows),
        "prompts_dir": str(prompts.parent),
        "vosk_models": str(korean.models(directory / "models")),
        "brand": BRAND,
    }
    with serving(ground, settings, COMMAND) as server:
        yield server


def _murmur(seconds: float) -> bytes:
    """Quiet noise: nothing that a compression could make small."""
    chance = random.Random(7)  # noqa: S311 - a noise, no secret
    return b"".join(
        chance.randint(-60, 60).to_bytes(2, "little", signed=True)
        for _ in range(int(seconds * TELEPHONE_RATE))
    )


async def _late(server: Running) -> list[float]:
    async with httpx.AsyncClient(base_url=server.url) as http:
        return list((await http.get(PATH)).raise_for_status().json())


async def _lane(
    server: Running, callers: Sequence[tuple[Prepared, Said, Said | None]], offset: float
) -> list[float]:
    """One caller after another; gives how late each next prompt was."""
    await asyncio.sleep(offset)
    late = []
    for call, answer, comment in callers:
        late.append(await _call(server, call, answer, comment))
        await asyncio.sleep(LEAVES_SECONDS)
    return late


async def _call(server: Running, call: Prepared, answer: Said, comment: Said | None) -> float:
    """One caller, from the stream's beginning to their hanging up; gives how late the second prompt was."""
    address = f"ws{server.url.removeprefix('http')}/twilio/stream/{call.survey_id}/1"
    headers = {"X-Twilio-Signature": sign(address, {}, TOKEN)}
    async with websockets.connect(
        address, additional_headers=headers, proxy=None, compression=None
    ) as socket:
        caller = _Caller(socket)
        listening = asyncio.create_task(caller.listen())
        await socket.send(json.dumps(_start(call.call_sid)))
        await caller.say(_thinking(call))
        await caller.played("1.1")
        spoke = await caller.say(answer.frames)
        await caller.say([SILENT] * PATIENCE_FRAMES, until_sounds=2)
        late = caller.sounds[1] - spoke
        if comment is None:
            await socket.send(json.dumps({"event": "stop", "stop": {"callSid": call.call_sid}}))
        else:
            with suppress(websockets.ConnectionClosed):  # it closes once it has heard the comment
                await caller.say(_thinking(call))
                await caller.played("2.1")
                await caller.say([*comment.frames, *[SILENT] * PATIENCE_FRAMES])
        listening.cancel()
    return late


def _thinking(call: Prepared) -> list[str]:
    seconds = random.Random(call.call_sid).uniform(*THINKS_SECONDS)  # noqa: S311 - a caller, no secret
    return [SILENT] * round(seconds / FRAME_SECONDS)


def _start(call_sid: str) -> dict[str, Any]:
    form = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
    start = {
        "streamSid": f"MZ{call_sid[2:]}",
        "callSid": call_sid,
        "tracks": ["inbound"],
        "mediaFormat": form,
    }
    return {"event": "start", "streamSid": start["streamSid"], "start": start}
