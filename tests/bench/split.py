"""Where a voice turn's time goes: processor time of the server, part by part, and of the database beside it."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

import psutil
from pydantic import SecretStr

from app.carrier.signature import SignatureChecker
from app.conversation import Conversations
from app.ivr import twiml
from app.ivr.routes import heard_in
from app.settings import Settings
from app.survey import dialogue
from app.survey.flow import Flow
from app.survey.heard import Heard
from app.survey.turn import State, Turn
from app.wiring import running
from tests.bench.figures import Figure
from tests.bench.ground import ROOT, TOKEN, Ground, serving
from tests.bench.load import HEAD_END, Shot
from tests.bench.prepared import Prepared, prepare
from tests.bench.turns import CONNECTIONS, PRODUCT, drive_calls, drive_nothing

ROOM = "Where a turn's time goes"
URL = "http://127.0.0.1:8000"
CONTEXT = {"brand": "Northwind", "record": "yes"}
SAMPLES = 64
REPEATS = 20


@dataclass(frozen=True)
class Sample:
    """One turn of a call: the request, the state that it finds, and what comes of it."""

    shot: Shot
    heard: Heard
    state: State
    turn: Turn
    turn_no: int


async def measure(ground: Ground, *, surveys: int = 2000) -> list[Figure]:
    """The whole from a server that is driven over HTTP; its parts from the same functions, called in this process."""
    nothing, whole, database = await _over_http(ground, surveys)
    with ground.database() as address:
        settings = Settings(
            _env_file=None,
            database_url=SecretStr(address),
            data_dir=ground.directory,
            flows_dir=ROOT / "flows",
        )
        async with running(settings) as services:
            flow = services.flows["nps"]
            samples = [each for number in range(SAMPLES) for each in _call(flow, number)]
            saved = await _saving(services.conversations, samples[0], prepare(address, surveys, greeted=True))
    checker = SignatureChecker([TOKEN], URL)
    parts = {
        "HTTP, middleware, routing (the no-op)": nothing,
        "form and signature": _timed(lambda each: _read(checker, each), samples),
        "hearing and the next step": _timed(
            lambda each: dialogue.step(flow, each.state, each.heard), samples
        ),
        "saving, our side of it": saved,
        "TwiML": _timed(lambda each: _show(flow, each), samples),
    }
    parts["the rest: tasks, time limit, metrics"] = whole - sum(parts.values())
    return _figures(parts, whole, database)


def _figures(parts: Mapping[str, float], whole: float, database: float) -> list[Figure]:
    made = [
        Figure(ROOM, name, 1e6 * seconds, "us", note=f"{100 * seconds / whole:.0f} %")
        for name, seconds in parts.items()
    ]
    made.append(Figure(ROOM, "a whole turn in the server", 1e6 * whole, "us", note="processor time"))
    made.append(
        Figure(ROOM, "a whole turn in PostgreSQL", 1e6 * database, "us", note="on the other core, beside it")
    )
    return made


async def _over_http(ground: Ground, surveys: int) -> tuple[float, float, float]:
    """Processor seconds of a no-op and of a turn in the server, and of a turn in the database."""
    with ground.database() as database, serving(ground, {"database_url": database}, PRODUCT) as server:
        host, url = server.url.removeprefix("http://"), server.url
        process = [psutil.Process(server.pid)]
        before = _spent(process)
        await drive_nothing(host, url, 2 * surveys)
        nothing = (_spent(process) - before) / (2 * surveys)
        calls = prepare(database, surveys, greeted=False)
        await drive_calls(host, [[each.greeting(url)] for each in calls])
        backends = [each for each in psutil.process_iter(["name"]) if each.info["name"] == "postgres"]
        before, before_there = _spent(process), _spent(backends)
        driven = await drive_calls(host, [each.turns(url) for each in calls])
        turns = len(driven.latencies)
        return nothing, (_spent(process) - before) / turns, (_spent(backends) - before_there) / turns


def _spent(processes: list[psutil.Process]) -> float:
    times = [each.cpu_times() for each in processes if each.is_running()]
    return float(sum(each.user + each.system for each in times))


def _call(flow: Flow, number: int) -> list[Sample]:
    prepared = Prepared.any(number)
    state = dialogue.begin(flow, prepared.language, CONTEXT).state
    samples: list[Sample] = []
    for turn_no, shot in enumerate(prepared.turns(URL), start=1):
        heard = heard_in(dict(parse_qsl(_body(shot), keep_blank_values=True)))
        turn = dialogue.step(flow, state, heard)
        samples.append(Sample(shot, heard, state, turn, turn_no))
        state = turn.state
    return samples


def _body(shot: Shot) -> str:
    return shot.request.partition(HEAD_END)[2].decode()


def _read(checker: SignatureChecker, sample: Sample) -> None:
    pairs = parse_qsl(_body(sample.shot), keep_blank_values=True)
    dict(pairs)
    checker.check("/twilio/voice", pairs, "a signature")


def _show(flow: Flow, sample: Sample) -> None:
    twiml.render(sample.turn, flow.wording(sample.turn.state.language), sample.turn_no + 1)


async def _saving(conversations: Conversations, score: Sample, surveys: list[Prepared]) -> float:
    """Our processor seconds a turn, with as many turns under way as over HTTP."""
    waiting = iter(surveys)

    async def save_some() -> None:
        for survey in waiting:
            spoken = conversations._spoken(survey.survey_id, score.turn_no, score.turn, score.heard)
            if not await conversations.saving.save(spoken):
                raise AssertionError("a turn was not saved")

    started = time.process_time()
    await asyncio.gather(*(save_some() for _ in range(CONNECTIONS)))
    return (time.process_time() - started) / len(surveys)


def _timed(part: Callable[[Sample], object], samples: list[Sample]) -> float:
    """Processor seconds of a part, a turn, in the best of a few repeats."""
    best = float("inf")
    for _ in range(REPEATS):
        started = time.process_time()
        for each in samples:
            part(each)
        best = min(best, time.process_time() - started)
    return best / len(samples)
