"""What Salesforce holds of a response: a task or a record of the operator's own, and fields of the contact."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from simple_salesforce import format_soql

from app.crm.matching import match
from app.crm.options import By, Source, filled, values, written
from app.crm.records import is_late, marker, newest_field, note_of
from app.crm.salesforce_contacts import contacts, field_misfits
from app.crm.salesforce_login import Login
from app.crm.salesforce_options import SalesforceObject, SalesforceOptions, SalesforceTask
from app.errors import CrmMisconfigured, NoRecord
from app.ports import ResponseToPush

RECORD_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
CONTACT, CASE = "003", "500"  # how the ids of each begin, in every org
LONGEST_SUBJECT, LONGEST_DESCRIPTION = 255, 32_000


@dataclass(frozen=True)
class Salesforce:
    """Writes each response to Salesforce: a task or a record of its own, and then fields of the contact.

    The task or record is first, since it keeps every response; the fields hold the newest one only.
    """

    login: Login
    options: SalesforceOptions = field(repr=False)
    most_at_once: int = 1

    async def check(self) -> Sequence[str]:
        """Asks for what the user may write: a field that is hidden from the user is not there."""
        wanted: dict[str, dict[str, Source]] = {"Contact": dict(self.options.fields)}
        if (own := self.options.record) is not None:
            lookups = {name: "attributes.a_record" for name in (own.contact, own.case) if name}
            wanted[own.type] = {own.external_id: "survey_id", **own.fields, **lookups}
        elif self.options.task is not None:
            wanted["Task"] = {"Subject": "band", **self.options.task.fields}
        problems: list[str] = []
        for object_type, fields in wanted.items():
            try:
                problems += await self.login.call(lambda client: field_misfits(client, object_type, fields))  # noqa: B023 - it is called at once
            except NoRecord:
                problems.append(f"there is no object {object_type}, or not for this user")
        return problems

    async def push(self, answers: Sequence[ResponseToPush]) -> Sequence[str]:
        """Write the responses one after the other; the ids are those of the tasks or records."""
        return [await self._push(each) for each in answers]

    async def _push(self, answer: ResponseToPush) -> str:
        case, newest = self._case(answer), newest_field(self.options.fields)
        found: dict[str, Mapping[str, Any]] = {}

        async def find(by: By, value: str) -> list[str]:
            if by == "crm_id" and not (RECORD_ID.fullmatch(value) and value.startswith(CONTACT)):
                return []
            records = await self.login.call(
                lambda client: contacts(client, by, value, [newest] if newest else [])
            )
            found.update((each["Id"], each) for each in records)
            return [str(each["Id"]) for each in records]

        contact: str | None = None
        try:
            contact = await match(self.options.match, answer.customer, find)
        except NoRecord:
            if case is None:
                raise
        remote_id = await self._keep(contact, case, answer)
        if contact and self.options.fields and not (newest and is_late(answer, found[contact].get(newest))):
            given = _given(self.options.fields, answer)
            await self.login.call(lambda client: client.Contact.update(contact, given))
        return remote_id

    def _case(self, answer: ResponseToPush) -> str | None:
        crm_id = answer.customer.crm_id or ""
        if RECORD_ID.fullmatch(crm_id) and crm_id.startswith(CASE):
            return crm_id
        named = values(answer).get(self.options.case) if self.options.case else None
        if named in (None, ""):
            return None
        if not RECORD_ID.fullmatch(str(named)):
            raise NoRecord(f"{self.options.case} is not the id of a record")
        return str(named)

    async def _keep(self, contact: str | None, case: str | None, answer: ResponseToPush) -> str:
        if self.options.record is not None:
            return await self._keep_record(self.options.record, contact, case, answer)
        if self.options.task is not None:
            return await self._keep_task(self.options.task, contact, case, answer)
        return contact or str(case)

    async def _keep_task(
        self, task: SalesforceTask, contact: str | None, case: str | None, answer: ResponseToPush
    ) -> str:
        about = {name: value for name, value in (("WhoId", contact), ("WhatId", case)) if value}
        given = {
            "Subject": written(task.subject, answer)[:LONGEST_SUBJECT],
            "Description": note_of(task.description, answer, LONGEST_DESCRIPTION),
            "Status": task.status,
            "ActivityDate": answer.columns["answered_at"][:10],
            **_given(task.fields, answer),
        }
        known = answer.remote_id or (await self._find_task(about, given, answer) if answer.tried else None)
        if known is not None and RECORD_ID.fullmatch(known):
            with suppress(NoRecord):  # somebody has deleted it
                await self.login.call(lambda client: client.Task.update(known, given))
                return known
        made = await self.login.call(lambda client: client.Task.create({**about, **given}))
        return str(made["id"])

    async def _find_task(
        self, about: Mapping[str, str], given: Mapping[str, Any], answer: ResponseToPush
    ) -> str | None:
        """Its comments cannot be searched, but those of one customer's day are few."""
        (name, value), *_ = about.items()
        soql = format_soql(
            "SELECT Id, Description FROM Task WHERE {name:literal} = {value} AND ActivityDate = {day:literal}"
            " ORDER BY CreatedDate DESC LIMIT 200",
            name=name, value=value, day=given["ActivityDate"],
        )  # fmt: skip
        tasks = (await self.login.call(lambda client: client.query(soql)))["records"]
        mark = marker(answer.survey_id)
        return next((str(each["Id"]) for each in tasks if mark in (each["Description"] or "")), None)

    async def _keep_record(
        self, own: SalesforceObject, contact: str | None, case: str | None, answer: ResponseToPush
    ) -> str:
        lookups = {
            name: value for name, value in ((own.contact, contact), (own.case, case)) if name and value
        }
        given, key = {**_given(own.fields, answer), **lookups}, f"{own.external_id}/{answer.survey_id}"
        try:
            made = await self.login.call(
                lambda client: getattr(client, own.type).upsert(key, given, raw_response=True).json()
            )
        except NoRecord as refused:
            if refused.http_status != 404:
                raise
            raise CrmMisconfigured(
                f"there is no {own.type} with the external id {own.external_id}", 404
            ) from None
        return str(made["id"])


def _given(fields: Mapping[str, Source], answer: ResponseToPush) -> dict[str, Any]:
    """A checkbox is ticked or not: who was not asked wanted nothing."""
    given = filled(fields, answer)
    return {name: value if fields[name] != "callback" else bool(value) for name, value in given.items()}
