"""A survey in writing, rehearsed in the terminal: you read what is sent, with what it costs, and type the answers."""

from collections.abc import Callable, Sequence

from app.carrier.segments import segments
from app.rehearsal.terminal import Write
from app.survey import Fact, Flow, Left, State, Turn, Wording, Words, begin, step

Compose = Callable[[Turn, Wording], Sequence[tuple[str, Sequence[str]]]]
LEAVES = "/hangup"


def rehearse_messages(
    flow: Flow,
    language: str,
    compose: Compose,
    *,
    brand: str,
    billed: bool,
    read: Callable[[], str],
    write: Write,
) -> list[Fact]:
    """Play ``flow`` in writing; returns the facts it found.

    ``compose(turn, wording)`` gives each message's text and the titles of its quick replies; ``billed`` shows segments.
    ``read`` waits for a line; an empty one, or ``/hangup``, is somebody who does not answer any more.
    """
    turn = begin(flow, language, {"brand": brand})
    facts = list(turn.facts)
    while True:
        for text, replies in compose(turn, flow.wording(turn.state.language)):
            write(f"zeroten   {text}")
            if billed:
                write(f"          ({_bill(text)})")
            if replies:
                write(f"          {' '.join(f'[{each}]' for each in replies)}")
        if turn.ask is None:
            return facts
        answer = read().strip()
        write(f"customer  {answer or '(does not answer)'}")
        heard = Left() if answer in {"", LEAVES} else Words(answer)
        turn = step(flow, State.from_json(turn.state.to_json()), heard)
        facts.extend(turn.facts)


def _bill(text: str) -> str:
    found = segments(text)
    unit = "septets" if found.encoding == "GSM-7" else "16-bit units"
    return f"{found.count} segment{'s' if found.count > 1 else ''}, {found.units} {unit} of {found.encoding}"
