"""Every setting, read once from the environment or ``.env``."""

import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.config.queues import QueueDefaults

PLACEHOLDERS = frozenset(
    {"changeme", "change-me", "secret", "password", "your-auth-token", "placeholder", "xxx"}
)
SHORTEST_KEY = 16
ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?|https?://\[[0-9a-f:]+\](:[0-9]+)?")


class Settings(QueueDefaults, BaseSettings):
    """The deployment's settings: what queues may override, and what holds for all of Zeroten."""

    model_config = SettingsConfigDict(
        env_prefix="ZEROTEN_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    database_url: SecretStr | None = Field(
        None, description="PostgreSQL 14 or newer; none starts the embedded one."
    )
    data_dir: Path = Field(Path("data"), description="Where the embedded database and the secret key live.")
    flows_dir: Path = Field(Path("flows"), description="Flow files and their wording.")
    prompts_dir: Path = Field(
        Path("audio_prompts"),
        description="Recorded prompts; what is not recorded, the carrier's voice speaks.",
    )
    public_url: str = Field(
        "http://127.0.0.1:8000", description="The address Twilio calls; signatures are checked against it."
    )

    twilio_account_sid: str = Field("", description="The account's SID, AC...")
    twilio_auth_token: SecretStr = Field(SecretStr(""), description="The account's auth token.")
    twilio_api_url: str = Field(
        "https://api.twilio.com", description="Where the carrier's REST interface is; any compatible one."
    )
    twilio_from: str = Field("", description="The number that calls and writes, E.164.")
    calls_per_second: Annotated[float, Field(gt=0, le=100)] = Field(
        1.0, description="How many calls may start in any one second, over all workers."
    )

    twilio_whatsapp_from: str = Field(
        "", description="The number that writes by WhatsApp, E.164; none: WhatsApp is not offered."
    )
    messages_per_second: Annotated[float, Field(gt=0, le=100)] = Field(
        1.0, description="How many messages one sender may send in any one second, over all workers."
    )

    admin_key: SecretStr | None = Field(
        None, description="A bootstrap key with every scope, of at least 16 characters."
    )

    chat_origins: str = Field(
        "",
        description="The sites whose pages may hold the chat, such as https://www.example.com, with commas between;"
        ' "*" for every site.',
    )
    trusted_proxies: str = Field(
        "",
        description="The addresses of our own proxies, with commas between; only they may say for whom they speak.",
    )

    default_language: str = Field("en", description="The language where the interaction names none.")
    reporting_timezone: str = Field("UTC", description="The time zone whose days the reports count in.")

    reminder_after_hours: Annotated[float, Field(ge=0, lt=24)] = Field(
        20.0, description="When a message without an answer is followed by its one reminder; 0: never."
    )
    vosk_models: Path | None = Field(
        None, description="Vosk models, one directory for each language; `zeroten models` installs them."
    )
    whisper_model: Path | None = Field(
        None, description="A Whisper model for faster-whisper, as a directory with model.bin."
    )
    keep_recordings_days: Annotated[int, Field(ge=0)] = Field(30, description="When a recording is deleted.")

    crm_file: Path | None = Field(
        None, description="The YAML file that names the CRMs and tables that responses are pushed to."
    )
    alerts_file: Path | None = Field(
        None, description="The YAML file with the rules by which people are alerted."
    )
    webhook_url: str | None = Field(None, description="Where every response is posted, signed.")
    webhook_secret: SecretStr | None = Field(
        None,
        description="The signing secret of the webhook, whsec_...; two with a space while one is replaced.",
    )
    allow_private_urls: bool = Field(
        False, description="Lets outgoing URLs point at loopback and private networks."
    )

    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")
    worker_concurrency: Annotated[int, Field(ge=1, le=200)] = Field(
        20, description="Jobs one worker runs at once."
    )

    @field_validator("twilio_auth_token", "admin_key", "webhook_secret")
    @classmethod
    def _not_a_placeholder(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and secret.get_secret_value().strip().lower() in PLACEHOLDERS:
            raise ValueError("is a placeholder; set the real secret")
        return secret

    @field_validator("admin_key")
    @classmethod
    def _not_to_be_guessed(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(key.get_secret_value()) < SHORTEST_KEY:
            raise ValueError(
                f"must have at least {SHORTEST_KEY} characters; openssl rand -hex 24 makes a good one"
            )
        return key

    @model_validator(mode="after")
    def _signed_webhook(self) -> Self:
        if self.webhook_url and self.webhook_secret is None:
            raise ValueError("ZEROTEN_WEBHOOK_SECRET is needed with ZEROTEN_WEBHOOK_URL")
        return self

    @property
    def has_follow_up(self) -> bool:
        """Whether anything follows from a response."""
        return any((self.webhook_url, self.crm_file, self.alerts_file))

    @field_validator("chat_origins")
    @classmethod
    def _origins(cls, listed: str) -> str:
        origins = [each.strip().lower().rstrip("/") for each in listed.split(",") if each.strip()]
        for origin in origins:
            if origin != "*" and not ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin} is not an origin such as https://www.example.com")
        return ",".join(origins)

    @field_validator("public_url", "twilio_api_url")
    @classmethod
    def _without_trailing_slash(cls, url: str) -> str:
        return url.rstrip("/")
