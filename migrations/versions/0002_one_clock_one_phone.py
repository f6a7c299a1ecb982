"""One phone has one open survey, and an attempt says whether the carrier was asked for it."""

from alembic import op

revision = "0002_one_clock_one_phone"
down_revision = "0001_spine"

# Attempts that a worker of the older version writes count as begun, for that worker says nothing of it.
BEGUN = """
ALTER TABLE attempts ADD COLUMN begun_at timestamptz DEFAULT now();
UPDATE attempts SET begun_at = created_at;
"""

# Of several open surveys of one phone the oldest goes on.
ONE_A_PHONE = """
UPDATE surveys SET status = 'expired', reason = 'survey_open', updated_at = now()
FROM surveys AS older
WHERE surveys.phone = older.phone AND surveys.id <> older.id
AND surveys.status IN ('scheduled', 'contacting', 'in_progress')
AND older.status IN ('scheduled', 'contacting', 'in_progress')
AND surveys.channel <> 'chat' AND older.channel <> 'chat'
AND (older.created_at, older.id) < (surveys.created_at, surveys.id);
CREATE UNIQUE INDEX one_open_survey_per_phone ON surveys (phone)
    WHERE status IN ('scheduled', 'contacting', 'in_progress') AND channel <> 'chat';
"""


def upgrade() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql(BEGUN)
    connection.exec_driver_sql(ONE_A_PHONE)


def downgrade() -> None:
    raise NotImplementedError("Zeroten's data is not taken apart; restore a backup instead.")
