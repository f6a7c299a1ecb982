"""PostgreSQL: every SQL statement, one file per noun. Nothing here commits; boundaries do."""

from typing import Any

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

Connection = AsyncConnection[tuple[Any, ...]]
Pool = AsyncConnectionPool[Connection]
