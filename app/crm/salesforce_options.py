"""What an operator may set for Salesforce: how to sign in there, and what goes where."""

from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from app.config import Strict
from app.crm.options import Matching, Options, Source, Template
from app.crm.records import DEFAULT_NOTE

WITH_PASSWORD = ("username", "password", "security_token")
WITH_CLIENT = ("client_id", "client_secret")

Name = Annotated[str, Field(pattern=r"^[A-Za-z]\w*$")]
Fields = dict[Name, Source]


class SalesforceObject(Strict):
    """An object of the operator's own that has a record for each response."""

    type: Name = Field(description="Its API name, such as NPS_Response__c.")
    external_id: Name = Field(description="The field that holds the survey id: text, external id, unique.")
    fields: Fields = Field(description="Its other fields, and what each is filled from.")
    contact: Name | None = Field(None, description="Its lookup to the contact.")
    case: Name | None = Field(None, description="Its lookup to the case.")


class SalesforceTask(Strict):
    """The completed task that tells of a response."""

    subject: Template = Field("NPS {score} ({band})", description="Its subject, of at most 255 characters.")
    description: Template = Field(DEFAULT_NOTE, description="Its comments.")
    status: str = Field("Completed", description="Its status, as your org calls it.")
    fields: Fields = Field({}, description="Other fields of it, and what each is filled from.")


class SalesforceOptions(Options):
    """Whose Salesforce, how to sign in there, and what goes where."""

    login_url: str = Field(
        "https://login.salesforce.com",
        pattern=r"^https?://[^/]+$",
        description="Your My Domain, https://example.my.salesforce.com; client credentials need it.",
    )
    client_id: str | None = Field(None, description="The consumer key of your external client app.")
    client_secret: SecretStr | None = Field(None, description="Its consumer secret.")
    refresh_token: SecretStr | None = Field(None, description="A user's, in the place of client credentials.")
    username: str | None = Field(None, description="A user's name, in the place of a client app.")
    password: SecretStr | None = Field(None, description="The user's password.")
    security_token: SecretStr | None = Field(None, description="The user's security token; may be empty.")
    api_version: str = Field(
        "64.0",
        pattern=r"^\d\d\.0$",
        description="The version of its API; signing in by password ends with 64.0.",
    )
    task: SalesforceTask | None = Field(SalesforceTask(), description="The task; null for none.")
    record: SalesforceObject | None = Field(
        None, description="A record of your own object, in the task's place."
    )
    case: Source | None = Field(
        "attributes.case_id",
        description="Where the interaction says its case, by its record id; null: no cases.",
    )
    fields: Fields = Field({}, description="Fields of the contact, and what each is filled from.")
    match: Matching = Field(Matching(), description="How the contact is found.")
    per_second: float = Field(
        2.0, gt=0, le=50, description="Pushes a second; each is 2 or 3 of the day's calls."
    )

    @model_validator(mode="after")
    def _signs_in_one_way(self) -> Self:
        given = {
            name
            for name in (*WITH_PASSWORD, *WITH_CLIENT, "refresh_token")
            if getattr(self, name) is not None
        }
        if given not in ({*WITH_PASSWORD}, {*WITH_CLIENT}, {*WITH_CLIENT, "refresh_token"}):
            raise ValueError(
                "must have client_id and client_secret, with or without refresh_token,"
                " or username, password and security_token"
            )
        if given == {*WITH_PASSWORD} and float(self.api_version) > 64:
            raise ValueError("signing in by password needs an api_version of 64.0 at most")
        return self
