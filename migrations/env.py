"""How Alembic reaches the database: at the address `app.store.database.migrate` gives, else where the settings say."""

import psycopg
from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.config import Settings
from app.store.database import conninfo

address = context.config.attributes.get("address") or conninfo(Settings())
engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(address), poolclass=NullPool)

# A migration's SQL goes to the server as it stands: no parameters, so % is a percent sign.
with engine.connect().execution_options(no_parameters=True) as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
