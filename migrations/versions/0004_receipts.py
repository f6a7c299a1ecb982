"""A wish to be left alone, or not to be, is taken once, however often its message is posted."""

from alembic import op

revision = "0004_receipts"
down_revision = "0003_numbers_that_nobody_has"

RECEIPTS = """
CREATE TABLE receipts (
    receipt text PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now()
);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(RECEIPTS)


def downgrade() -> None:
    raise NotImplementedError("Zeroten's data is not taken apart; restore a backup instead.")
