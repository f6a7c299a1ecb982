"""One call of the demo that is answered aloud, over a media stream, and heard on this machine."""

import asyncio
from contextlib import suppress
from uuid import UUID, uuid4

from rich.console import Console

from app import metrics
from app.config import Settings
from app.demo.queues import interaction
from app.errors import StartError
from app.intake import Customer
from app.rehearsal.clock import PacedClock
from app.rehearsal.people import Answers, Phone, Speaker, SpeakingCaller, whisper_model
from app.rehearsal.transcript import with_understood
from app.rehearsal.twilio import RehearsedCarrier
from app.reports import SurveyStory, read_story
from app.services import Services
from app.store import queues

QUEUE = "Heard here"
PACE = 0.1
LONGEST_SECONDS = 60.0


def with_whisper(settings: Settings) -> Settings:
    """With the model of the tests, where it is installed and no other is chosen."""
    if settings.whisper_model is not None:
        return settings
    with suppress(StartError):
        model = whisper_model.put_together(settings.data_dir / "whisper-base")
        return settings.model_copy(update={"whisper_model": model})
    return settings


def answers_of(speaker: Speaker, services: Services, console: Console) -> Answers | None:
    """What is said aloud; None where nobody could say it, or nothing here would hear it, which is printed."""
    reason = services.recognisers.unable(speaker.language, "score")
    if reason is None:
        try:
            return speaker.answers()
        except StartError as problem:
            reason = str(problem)
    else:
        reason = f"make demo-speech installs what hears English; {reason}"
    console.print(f"No call is answered aloud: {reason}.", highlight=False, soft_wrap=True)
    return None


async def call_aloud(
    services: Services, carrier: RehearsedCarrier, number: str, answers: Answers, console: Console
) -> None:
    """Call ``number``, where somebody answers aloud, and show what was said and what was understood."""
    clock = PacedClock(PACE)
    carrier.phones.put(number, lambda _: Phone(SpeakingCaller(answers, clock), clock))
    async with services.pool.connection() as connection:
        await queues.write(connection, QUEUE, {"recognition": "local"})
    customer = Customer(crm_id=f"aloud-{uuid4().hex}", phone=number, consent=True)
    item = interaction(QUEUE, answers.language, customer)
    fallen_back = _fallen_back()
    decision = (await services.triggers.accept([item]))[0]
    assert decision.survey_id is not None, "a new customer of the demo may be asked"
    for reason in answers.refused:
        console.print(f"Not used: {reason}.", markup=False, highlight=False, soft_wrap=True)
    console.print(f"A customer answers aloud ({answers.voice}), ten times as fast as people speak:")
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            story = await _over(services, decision.survey_id)
    except TimeoutError:
        console.print(f"the call took more than {LONGEST_SECONDS:g} s, and is not waited for.")
        return
    (call,) = carrier.calls.find(lambda each: each.to == number)
    heard = (turn.heard for turn in story.turns if turn.heard is not None)
    for line in with_understood(call.transcript, heard):
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    if _fallen_back() > fallen_back:
        console.print(
            "Not all of it could be heard here: keys and the rehearsed carrier's recogniser took over."
        )


async def _over(services: Services, survey_id: UUID) -> SurveyStory:
    """The survey's story, once its call is over."""
    while True:
        async with services.pool.connection() as connection:
            story = await read_story(connection, survey_id)
        if story is not None and story.attempts and story.attempts[-1].disposition is not None:
            return story
        await asyncio.sleep(0.1)


def _fallen_back() -> float:
    found = metrics.RECOGNITION_FELL_BACK.collect()
    return sum(each.value for metric in found for each in metric.samples if each.name.endswith("_total"))
