"""How many segments a message is billed as; the limits are those of GSM 03.38 and its header for parts."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.carrier.segments import segments
from app.chatbot import messages
from app.config import load_flows
from app.survey import dialogue

FLOW = load_flows(Path("flows"))["nps"]


@pytest.mark.parametrize(
    ("text", "encoding", "units", "count"),
    [
        ("", "GSM-7", 0, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("a" * 159 + "€", "GSM-7", 161, 2),
        # The escape and its character stay together: 76 pairs to a part, and one septet left over.
        ("€" * 152, "GSM-7", 304, 2),
        ("€" * 153, "GSM-7", 306, 3),
        ("à è é ù Å ø ß Ω", "GSM-7", 15, 1),
        ("ż" * 70, "UCS-2", 70, 1),
        ("ż" * 71, "UCS-2", 71, 2),
        ("ż" * 134, "UCS-2", 134, 2),
        ("ż" * 135, "UCS-2", 135, 3),
        ("🙂" * 35, "UCS-2", 70, 1),
        ("🙂" * 36, "UCS-2", 72, 2),
        # A surrogate pair stays together: 33 to a part, and one unit left over.
        ("🙂" * 66, "UCS-2", 132, 2),
        ("🙂" * 67, "UCS-2", 134, 3),
        ("ç", "UCS-2", 1, 1),
        ("Ç", "GSM-7", 1, 1),
    ],
)
def test_a_text_is_counted_as_the_network_splits_it(text: str, encoding: str, units: int, count: int) -> None:
    found = segments(text)
    assert (found.encoding, found.units, found.count) == (encoding, units, count)


@given(st.text(max_size=500), st.text(max_size=3))
def test_a_longer_text_never_takes_fewer_segments(text: str, more: str) -> None:
    assert segments(text + more).count >= segments(text).count


@pytest.mark.parametrize("brand", ["Nordisk Energi", "Zeroten"])
@pytest.mark.parametrize("language", sorted(FLOW.languages))
def test_a_survey_begins_with_one_segment_in_every_language(language: str, brand: str) -> None:
    opening = dialogue.begin(FLOW, language, {"brand": brand, "record": "no"})
    [first] = messages(opening, FLOW.wording(language), "sms")
    assert segments(first.text).count == 1
