"""A survey by text message, from the first message to the NPS."""

from app.carrier.segments import segments
from app.config import Settings
from tests.chatbot.texting import Texter
from tests.line import a_line


async def test_a_survey_is_asked_and_answered_by_text_message(settings: Settings) -> None:
    async with a_line(settings) as line:
        texter = Texter(line)
        survey_id = await texter.asked(queue="billing")
        [first] = texter.inbox()
        assert first.body.startswith("our company automated survey. STOP to opt out. How likely")
        assert segments(first.body).count == 1
        assert "main reason" in await texter.writes("9")
        assert await texter.writes("cheap & fast") == "Thank you for your time. It means a lot to us!"
        story = await line.story(survey_id)
        assert story["status"] == "completed"
        assert (story["response"]["score"], story["response"]["comment"]) == (9, "cheap & fast")
        assert story["response"]["channel"] == "sms"
        [row] = await line.report(group_by="channel")
        assert (row["group"], row["invited"], row["reached"], row["responses"]) == ("sms", 1, 1, 1)
        assert len(texter.inbox()) == 1
