"""What supervisors read: NPS with its margin, exports, and each survey's story. Read only."""

from app.reports.story import SurveyStory, read_story
from app.store.selection import Selection

__all__ = [
    "Selection",
    "SurveyStory",
    "read_story",
]
