"""A suppression says why: somebody opted out, or nobody has the number."""

from alembic import op

revision = "0003_numbers_that_nobody_has"
down_revision = "0002_one_clock_one_phone"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(
        "ALTER TABLE suppressions ADD COLUMN reason text NOT NULL DEFAULT 'opted_out'"
    )


def downgrade() -> None:
    raise NotImplementedError("Zeroten's data is not taken apart; restore a backup instead.")
