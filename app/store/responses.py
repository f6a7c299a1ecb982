"""Responses, as other systems are told of them."""

from typing import Any, LiteralString
from uuid import UUID

from app.store import Connection

# Under the names of the exports.
COLUMNS: LiteralString = """json_build_object(
    'interaction_id', responses.interaction_id, 'survey_id', responses.survey_id, 'crm_id', responses.crm_id,
    'queue', responses.queue, 'agent', responses.agent, 'channel', responses.channel,
    'language', responses.language, 'score', score, 'band', band, 'comment', comment,
    'answered_at', to_char(answered_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'flow_version', flow_version, 'attributes', responses.attributes)"""


async def cut_off(connection: Connection) -> list[UUID]:
    """The responses of surveys that an opt-out ended in the last hours, be it one from elsewhere."""
    cursor = await connection.execute(
        "SELECT survey_id FROM responses JOIN surveys ON surveys.id = survey_id WHERE status = 'opted_out'"
        " AND answered_at > now() - interval '3 days' AND updated_at > now() - interval '2 hours'"
    )
    return [row[0] for row in await cursor.fetchall()]


async def latest(connection: Connection, count: int) -> list[dict[str, Any]]:
    """The newest responses, newest first: survey_id, queue, language, score, band, comment, answered_at."""
    cursor = await connection.execute(
        "SELECT json_build_object('survey_id', survey_id, 'queue', queue, 'language', language, 'score', score,"
        " 'band', band, 'comment', comment, 'answered_at', answered_at)"
        " FROM responses ORDER BY answered_at DESC LIMIT %s",
        (count,),
    )
    return [row[0] for row in await cursor.fetchall()]
