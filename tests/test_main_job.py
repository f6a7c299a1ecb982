"""The main job, end to end: an ended call becomes a queue's NPS."""

from app.config import Settings
from tests.line import a_line


async def test_an_ended_call_becomes_the_queues_nps(settings: Settings) -> None:
    async with a_line(settings) as line:
        story = await line.survey(script="9# | cheap and fast", queue="billing")
        assert story["status"] == "completed"
        assert story["response"]["score"] == 9
        assert story["response"]["comment"] == "cheap and fast"
        rows = await line.report()
        assert rows == [
            {
                "group": "billing",
                "invited": 1,
                "reached": 1,
                "responses": 1,
                "promoters": 1,
                "passives": 0,
                "detractors": 0,
                "nps": 100.0,
                "margin95": rows[0]["margin95"],
                "response_rate": 1.0,
            }
        ]
        csv = (await line.http.get("/api/v1/exports/nps.csv")).text
        assert csv.splitlines()[1].startswith("billing,1,1,1,1,0,0,100.0,")
