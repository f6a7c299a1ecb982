"""The main job: interactions, surveys, attempts, turns, responses, their roll-up, and procrastinate's own tables."""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0001_spine"
down_revision = None

TABLES = """
CREATE TABLE queues (
    name        text PRIMARY KEY,
    settings    jsonb NOT NULL DEFAULT '{}',
    updated_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE interactions (
    id            text PRIMARY KEY,
    channel       text NOT NULL,
    queue         text NOT NULL,
    agent         text,
    ended_at      timestamptz NOT NULL,
    language      text NOT NULL,
    talk_seconds  integer,
    survey_by     text NOT NULL,
    person        text,
    crm_id        text,
    phone         text,
    email         text,
    name          text,
    timezone      text,
    consent       boolean,
    attributes    jsonb NOT NULL DEFAULT '{}',
    decision      text NOT NULL,
    reason        text,
    due_at        timestamptz,
    received_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX interactions_by_queue ON interactions (queue, received_at);
CREATE INDEX interactions_by_conversation ON interactions ((attributes->>'conversation_sid'))
    WHERE attributes ? 'conversation_sid';

CREATE TABLE surveys (
    id              uuid PRIMARY KEY,
    interaction_id  text NOT NULL UNIQUE REFERENCES interactions,
    person          text NOT NULL,
    phone           text,
    queue           text NOT NULL,
    agent           text NOT NULL DEFAULT '',
    channel         text NOT NULL,
    language        text NOT NULL,
    status          text NOT NULL DEFAULT 'scheduled',
    reason          text,
    due_at          timestamptz NOT NULL,
    contacted_at    timestamptz,
    reached_at      timestamptz,
    turn_no         integer NOT NULL DEFAULT 0,
    opened_by       text,
    conversation    jsonb,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX one_open_survey_per_person ON surveys (person)
    WHERE status IN ('scheduled', 'contacting', 'in_progress');
CREATE INDEX surveys_by_person ON surveys (person, contacted_at);
CREATE INDEX surveys_by_phone ON surveys (phone, created_at);
CREATE INDEX surveys_by_queue ON surveys (queue, created_at);

CREATE TABLE attempts (
    id           uuid PRIMARY KEY,
    survey_id    uuid NOT NULL REFERENCES surveys,
    number       integer NOT NULL,
    channel      text NOT NULL,
    direction    text NOT NULL DEFAULT 'outbound',
    status       text NOT NULL DEFAULT 'placing',
    disposition  text,
    carrier_sid  text UNIQUE,
    answered_by  text,
    error_code   integer,
    created_at   timestamptz NOT NULL DEFAULT now(),
    placed_at    timestamptz,
    ended_at     timestamptz,
    UNIQUE (survey_id, number)
) WITH (fillfactor = 80);

CREATE TABLE turns (
    survey_id  uuid NOT NULL REFERENCES surveys,
    number     integer NOT NULL,
    heard      jsonb,
    said       jsonb NOT NULL,
    receipt    text,
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (survey_id, number)
);
CREATE UNIQUE INDEX turns_by_receipt ON turns (receipt) WHERE receipt IS NOT NULL;

CREATE TABLE responses (
    survey_id           uuid PRIMARY KEY REFERENCES surveys,
    interaction_id      text NOT NULL,
    crm_id              text,
    queue               text NOT NULL,
    agent               text NOT NULL DEFAULT '',
    channel             text NOT NULL,
    language            text NOT NULL,
    score               smallint NOT NULL CHECK (score BETWEEN 0 AND 10),
    band                text NOT NULL,
    comment             text,
    comment_source      text,
    comment_confidence  real,
    callback            boolean,
    answered_at         timestamptz NOT NULL DEFAULT now(),
    flow_version        text NOT NULL,
    attributes          jsonb NOT NULL DEFAULT '{}',
    version             integer NOT NULL DEFAULT 1
) WITH (fillfactor = 90);
CREATE INDEX responses_by_time ON responses (answered_at);
CREATE INDEX responses_by_queue ON responses (queue, answered_at);

CREATE TABLE deliveries (
    survey_id     uuid NOT NULL REFERENCES surveys,
    destination   text NOT NULL,
    status        text NOT NULL DEFAULT 'waiting',
    version       integer NOT NULL,
    delivered     integer,
    event         text,
    remote_id     text,
    tries         integer NOT NULL DEFAULT 0,
    uncertain     boolean NOT NULL DEFAULT false,
    reason        text,
    wanted_at     timestamptz NOT NULL DEFAULT now(),
    retry_at      timestamptz,
    delivered_at  timestamptz,
    PRIMARY KEY (survey_id, destination)
) WITH (fillfactor = 70);
CREATE INDEX deliveries_waiting ON deliveries (destination, wanted_at) WHERE status = 'waiting';
CREATE INDEX deliveries_delivered ON deliveries (destination, delivered_at) WHERE status = 'delivered';
CREATE INDEX deliveries_refused ON deliveries (destination, wanted_at) WHERE status = 'refused';
CREATE INDEX deliveries_by_time ON deliveries (wanted_at);

CREATE TABLE delivery_log (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL DEFAULT now(),
    survey_id    uuid NOT NULL,
    destination  text NOT NULL,
    event        text NOT NULL,
    version      integer NOT NULL,
    outcome      text NOT NULL,
    reason       text,
    seconds      real NOT NULL
);
CREATE INDEX delivery_log_by_time ON delivery_log (at);
CREATE INDEX delivery_log_by_survey ON delivery_log (survey_id);

CREATE TABLE destinations (
    name           text PRIMARY KEY,
    failures       integer NOT NULL,
    failing_since  timestamptz NOT NULL DEFAULT now(),
    held_until     timestamptz,
    reason         text NOT NULL,
    alarmed        boolean NOT NULL DEFAULT false
);

CREATE TABLE nps_daily (
    day         date NOT NULL,
    queue       text NOT NULL,
    agent       text NOT NULL,
    channel     text NOT NULL,
    language    text NOT NULL,
    invited     bigint NOT NULL DEFAULT 0,
    reached     bigint NOT NULL DEFAULT 0,
    responses   bigint NOT NULL DEFAULT 0,
    promoters   bigint NOT NULL DEFAULT 0,
    passives    bigint NOT NULL DEFAULT 0,
    detractors  bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (queue, day, agent, channel, language)
) WITH (fillfactor = 70);

CREATE TABLE recordings (
    sid            text PRIMARY KEY,
    survey_id      uuid NOT NULL REFERENCES surveys,
    status         text NOT NULL DEFAULT 'announced',
    seconds        integer,
    audio          bytea,
    announced_at   timestamptz NOT NULL DEFAULT now(),
    delete_after   timestamptz
);
CREATE INDEX recordings_to_delete ON recordings (delete_after) WHERE status = 'kept';

CREATE TABLE suppressions (
    address     text PRIMARY KEY,
    channel     text NOT NULL,
    survey_id   uuid,
    since       timestamptz NOT NULL DEFAULT now(),
    lifted_at   timestamptz
);

CREATE TABLE inbound (
    channel  text NOT NULL,
    phone    text NOT NULL,
    last_at  timestamptz NOT NULL,
    PRIMARY KEY (channel, phone)
);

CREATE TABLE api_keys (
    id          text PRIMARY KEY,
    name        text NOT NULL,
    digest      bytea NOT NULL,
    scope       text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    revoked_at  timestamptz
);

CREATE TABLE secrets (
    name        text PRIMARY KEY,
    value       bytea NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE pacing (
    sender       text PRIMARY KEY,
    next_at      timestamptz NOT NULL DEFAULT '-infinity',
    line_at      timestamptz NOT NULL DEFAULT '-infinity',
    gap_seconds  double precision NOT NULL,
    held_until   timestamptz,
    held_reason  text
);

CREATE TABLE alerts (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    survey_id   uuid REFERENCES surveys,
    recipient   text NOT NULL,
    rule        text NOT NULL,
    status      text NOT NULL DEFAULT 'waiting',
    held_for    text,
    due_at      timestamptz NOT NULL,
    tries       integer NOT NULL DEFAULT 0,
    message     uuid,
    taken_at    timestamptz,
    ended_at    timestamptz,
    reason      text,
    title       text,
    body        text,
    created_at  timestamptz NOT NULL,
    UNIQUE (survey_id, recipient)
) WITH (fillfactor = 80);
CREATE INDEX alerts_waiting ON alerts (recipient, due_at) WHERE status = 'waiting';
CREATE INDEX alerts_sending ON alerts (taken_at) WHERE status = 'sending';
CREATE INDEX alerts_taken ON alerts (recipient, taken_at) WHERE taken_at IS NOT NULL;
CREATE INDEX alerts_by_message ON alerts (message) WHERE message IS NOT NULL;
"""


def upgrade() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql(TABLES)
    connection.exec_driver_sql(SchemaManager.get_schema())


def downgrade() -> None:
    raise NotImplementedError("Zeroten's data is not taken apart; restore a backup instead.")
