"""What all tables share: the one metadata, and the type of a moment."""

from sqlalchemy import DateTime, MetaData

metadata = MetaData()

# timestamptz: a moment, whatever the time zone of whoever reads it.
Moment = DateTime(timezone=True)
