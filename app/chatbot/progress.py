"""How far a conversation has come."""

from app.survey import CollectStep, Flow, NoopStep, SayStep, Turn, follow
from app.survey.flow import END


def progress(flow: Flow, turn: Turn) -> tuple[int, int] | None:
    """Which question is being asked, and of how many, as (1, 3); None where nothing is asked.

    Where an answer still decides the way, the way taken without one counts: the number of questions may change.
    """
    if turn.ask is None:
        return None
    slots, asked, passed = turn.state.slots, list[str](), set[str]()
    here = flow.first
    while here != END and here not in passed:
        passed.add(here)
        place = flow.steps[here]
        match place:
            case CollectStep() if place.slot not in asked:
                asked.append(place.slot)
            case SayStep() | NoopStep() | CollectStep():
                pass
        here = follow(place.next, slots)
    if turn.ask.slot not in asked:
        asked.append(turn.ask.slot)
    return asked.index(turn.ask.slot) + 1, len(asked)
