"""A survey in writing, rehearsed in the terminal."""

from pathlib import Path

import pytest

from app.chatbot import WrittenChannel
from app.cli.main import composing
from app.config import load_flows
from app.rehearsal.terminal import read_from
from app.rehearsal.terminal_messages import rehearse_messages
from app.survey import Abandoned, Commented, Completed, Fact, OptedOut, Scored

FLOW = load_flows(Path("flows"))["nps"]


def play(channel: WrittenChannel, script: str, language: str = "en") -> tuple[list[Fact], list[str]]:
    printed: list[str] = []
    facts = rehearse_messages(
        FLOW,
        language,
        composing(channel),
        brand="Fjord",
        billed=channel == "sms",
        read=read_from(script),
        write=printed.append,
    )
    return facts, printed


@pytest.mark.parametrize("channel", ["sms", "whatsapp", "chat"])
def test_a_survey_is_written_to_its_end(channel: WrittenChannel) -> None:
    facts, printed = play(channel, "9/10 | cheap and fast")
    assert facts == [Scored(9), Commented("cheap and fast"), Completed()]
    assert "customer  9/10" in printed


def test_what_a_message_costs_is_shown() -> None:
    _, printed = play("sms", "10 | szybko", "pl")
    bills = [line.strip() for line in printed if "segment" in line]
    assert len(bills) == 3
    assert bills[0].startswith("(1 segment, ")
    assert bills[0].endswith("of GSM-7)")


def test_a_chat_shows_its_buttons() -> None:
    _, printed = play("chat", "stop")
    assert "[0] [1] [2] [3] [4] [5] [6] [7] [8] [9] [10]" in {line.strip() for line in printed}


def test_whoever_does_not_answer_leaves_and_whoever_says_stop_opts_out() -> None:
    assert play("sms", "3")[0] == [Scored(3), Abandoned()]
    assert play("sms", "STOP")[0] == [OptedOut()]
