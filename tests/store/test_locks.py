"""Locks of one kind do not stand in the way of another kind's."""

from datetime import UTC, datetime

from app.store import Pool, alerts, destinations


async def test_a_recipient_may_have_a_destinations_name(pool: Pool) -> None:
    async with pool.connection() as pushing, pool.connection() as telling:
        assert await destinations.reserve(pushing, "hubspot")
        async with telling.transaction():
            await telling.execute("SET LOCAL lock_timeout = '1s'")
            assert await alerts.due(telling, "hubspot", datetime.now(UTC)) == []
        await destinations.release(pushing, "hubspot")
