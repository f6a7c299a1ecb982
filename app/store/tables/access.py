"""Who may ask Zeroten something, and what it keeps secret for itself."""

from datetime import datetime

from sqlalchemy import Column, LargeBinary, Table, Text, TypedColumns, func

from app.store.tables.base import Moment, metadata


class ApiKeyColumns(TypedColumns):
    """``digest`` is the SHA-256 of the key's secret half."""

    id: Column[str] = Column(Text, primary_key=True)
    name: Column[str] = Column(Text)
    digest: Column[bytes] = Column(LargeBinary)
    scope: Column[str] = Column(Text)
    created_at: Column[datetime] = Column(Moment, server_default=func.now())
    revoked_at: Column[datetime | None] = Column(Moment)


api_keys = Table("api_keys", metadata, ApiKeyColumns)


class SecretColumns(TypedColumns):
    """``value`` is random, and the same for every process on this database."""

    name: Column[str] = Column(Text, primary_key=True)
    value: Column[bytes] = Column(LargeBinary)
    created_at: Column[datetime] = Column(Moment, server_default=func.now())


secrets = Table("secrets", metadata, SecretColumns)
