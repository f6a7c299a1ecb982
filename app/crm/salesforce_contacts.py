"""How contacts are found in Salesforce, and what its fields take. What is here runs in a thread, with a client."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from phonenumbers import PhoneNumberFormat, format_number, parse
from simple_salesforce import format_soql

from app.crm.options import By, Kind, Source, misfits
from app.crm.records import same_number

PHONES = ("Phone", "MobilePhone", "HomePhone", "OtherPhone")
FORMS = (PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.NATIONAL)
LONG_TEXT = 1000
TEXT: tuple[Kind, ...] = ("text", "time")
NUMBER: tuple[Kind, ...] = ("number",)
TAKES: Mapping[str, tuple[Kind, ...]] = {
    "string": TEXT,
    "textarea": TEXT,
    "picklist": TEXT,
    "combobox": TEXT,
    "double": NUMBER,
    "int": NUMBER,
    "percent": NUMBER,
    "boolean": ("truth",),
    "datetime": ("time",),
}


def contacts(client: Any, by: By, value: str, wanted: Sequence[str]) -> list[dict[str, Any]]:
    """The contacts that have this value, the newest first, with the ``wanted`` fields."""
    if by == "phone":
        return _by_phone(client, value, ", ".join(["Id", "CreatedDate", *PHONES, *wanted]))
    where = format_soql("Id = {}" if by == "crm_id" else "Email = {}", value)
    columns = ", ".join(["Id", *wanted])
    soql = f"SELECT {columns} FROM Contact WHERE {where} ORDER BY CreatedDate DESC LIMIT 10"
    return list(client.query(soql)["records"])


def field_misfits(client: Any, object_type: str, fields: Mapping[str, Source]) -> list[str]:
    """A sentence for each field that cannot take what it is to be filled from."""
    if not fields:
        return []
    described = {each["name"]: each for each in getattr(client, object_type).describe()["fields"]}
    types = {name: _type(described[name], source) for name, source in fields.items() if name in described}
    return list(misfits(f"field of {object_type}", fields, types, TAKES))


def _by_phone(client: Any, phone: str, columns: str) -> list[dict[str, Any]]:
    """As people type it, with the country and without, in the index that is made for it."""
    number = parse(phone)
    typed = [re.sub(r"\D+", " ", format_number(number, form)).strip() for form in FORMS]
    spellings = dict.fromkeys([*typed, *(spelling.replace(" ", "") for spelling in typed)])
    phrases = " OR ".join(f'"{spelling}"' for spelling in spellings)
    found = client.search(f"FIND {{{phrases}}} IN PHONE FIELDS RETURNING Contact({columns} LIMIT 50)") or {}
    fitting = [
        contact
        for contact in found.get("searchRecords", ())
        if any(same_number(contact.get(name), phone) for name in PHONES)
    ]
    return sorted(fitting, key=lambda each: str(each["CreatedDate"]), reverse=True)


def _type(definition: Mapping[str, Any], source: Source) -> str:
    if not (definition["updateable"] and definition["createable"]):
        return "read-only"
    kind, length = str(definition["type"]), int(definition.get("length") or 0)
    if source == "comment" and kind in ("string", "textarea") and length < LONG_TEXT:
        return f"text of {length} characters"
    return kind
