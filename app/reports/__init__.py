"""What supervisors read: NPS with its margin, exports, and each survey's story. Read only."""

from app.reports.period import Selection
from app.reports.story import SurveyStory, tell

__all__ = [
    "Selection",
    "SurveyStory",
    "tell",
]
