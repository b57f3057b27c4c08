"""Filters of the device directory: ``filter=state%3Dregistered%26created_at__gte%3D...``.

The value is itself an encoded query: it is decoded once as part of the address, and once more here (pelion
fact sheet, section 4). Fields and operators are those that the published interface lists for each: ``eq``,
``neq``, ``in`` and ``nin`` for all, ``gte`` and ``lte`` for times, ``eq`` and ``neq`` for custom attributes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from harness_pelion.fake.refusals import Refused, invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CUSTOM = "custom_attributes"
LONGEST = 8192
"""Characters of a filter [design]."""

_MOST_TERMS = 100
_OPERATORS = frozenset({"eq", "neq", "in", "nin", "gte", "lte"})

_SHORT = re.compile(r"\d{8}T\d{6}Z")
_LONG = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Kind(Enum):
    """What a field holds."""

    TEXT = auto()
    NUMBER = auto()
    FLAG = auto()
    TIME = auto()


DEVICE_FIELDS: Mapping[str, Kind] = {
    **dict.fromkeys(
        (
            "account_id",
            "ca_id",
            "deployed_state",
            "deployment",
            "description",
            "device_class",
            "device_key",
            "endpoint_name",
            "endpoint_type",
            "firmware_checksum",
            "host_gateway",
            "id",
            "manifest",
            "mechanism",
            "mechanism_url",
            "name",
            "serial_number",
            "state",
            "vendor_id",
        ),
        Kind.TEXT,
    ),
    **dict.fromkeys(
        (
            "bootstrap_expiration_date",
            "bootstrapped_timestamp",
            "connector_expiration_date",
            "created_at",
            "enrolment_list_timestamp",
            "etag",
            "manifest_timestamp",
            "updated_at",
        ),
        Kind.TIME,
    ),
    "auto_update": Kind.FLAG,
    "device_execution_mode": Kind.NUMBER,
    CUSTOM: Kind.TEXT,
}

EVENT_FIELDS: Mapping[str, Kind] = {
    "date_time": Kind.TIME,
    "description": Kind.TEXT,
    "device_id": Kind.TEXT,
    "event_type": Kind.TEXT,
    "id": Kind.TEXT,
    "state_change": Kind.FLAG,
}


@dataclass(frozen=True, slots=True)
class Term:
    """One condition.

    :ivar name: of the field.
    :ivar part: of a custom attribute: its name; empty otherwise.
    :ivar operator: ``eq``, ``neq``, ``in``, ``nin``, ``gte`` or ``lte``.
    :ivar values: one, or those of a list.
    :ivar kind: what the field holds.
    """

    name: str
    part: str
    operator: str
    values: tuple[Any, ...]
    kind: Kind

    def holds(self, document: Mapping[str, Any]) -> bool:
        """Whether it holds for an object as it is shown."""
        value = document.get(self.name)
        if self.part:
            value = (value or {}).get(self.part)
        if self.kind is Kind.TIME and value is not None:
            value = moment(value)
        if self.operator in {"eq", "in"}:
            return value in self.values
        if self.operator in {"neq", "nin"}:
            return value not in self.values
        if value is None:
            return False
        return bool(value >= self.values[0] if self.operator == "gte" else value <= self.values[0])


def parse(
    text: str, fields: Mapping[str, Kind], *, pass_unknown: bool
) -> Callable[[Mapping[str, Any]], bool]:
    """Return whether an object as it is shown is wanted.

    :param text: the filter after the address was decoded.
    :param fields: that can be filtered by.
    :param pass_unknown: pass over fields and operators that there are not.
    :raises Refused: it cannot be read, or has a field or an operator that there is not.
    """
    if not text:
        return lambda _document: True
    if len(text) > LONGEST:
        raise invalid("filter", f"longer than {LONGEST} characters")
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=_MOST_TERMS
        )
    except ValueError:
        raise invalid("filter", "expected field=value, several with & between them") from None
    terms: list[Term] = []
    for key, value in pairs:
        try:
            terms.append(_term(key, value, fields))
        except _Unknown as unknown:
            if not pass_unknown:
                raise invalid("filter", str(unknown)) from None
    return lambda document: all(term.holds(document) for term in terms)


def moment(text: str) -> datetime:
    """Return a time or date as clients and the service write them.

    :raises ValueError: it is neither.
    """
    if _DATE.fullmatch(text):
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    if _SHORT.fullmatch(text):
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if _LONG.fullmatch(text):
        seconds, _point, fraction = text.removesuffix("Z").partition(".")
        whole = datetime.strptime(seconds, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
        return whole.replace(microsecond=int(fraction[:6].ljust(6, "0")))
    raise ValueError(text)


class _Unknown(Exception):
    """A field or an operator that there is not."""


def _term(key: str, value: str, fields: Mapping[str, Kind]) -> Term:
    """Read one condition.

    :raises _Unknown: there is no such field or operator.
    :raises Refused: the value is none of the field.
    """
    name, part, operator = _split(key, fields)
    kind = fields[name]
    texts = value.split(",") if operator in {"in", "nin"} else [value]
    return Term(name, part, operator, tuple(_value(name, text, kind) for text in texts), kind)


def _split(key: str, fields: Mapping[str, Kind]) -> tuple[str, str, str]:
    name, separator, rest = key.partition("__")
    if name not in fields:
        raise _Unknown(f"there is no field {name!r} to filter by")
    if name == CUSTOM:
        part, last, operator = rest.rpartition("__")
        if not last or operator not in _OPERATORS:
            part, operator = rest, "eq"
        if not part or operator not in {"eq", "neq"}:
            raise _Unknown("expected custom_attributes__NAME, custom_attributes__NAME__eq or ...__neq")
        return name, part, operator
    operator = rest if separator else "eq"
    possible = {"eq", "neq", "in", "nin"} | ({"gte", "lte"} if fields[name] is Kind.TIME else set())
    if operator not in possible:
        raise _Unknown(f"there is no operator {operator!r} of {name!r}")
    return name, "", operator


def _value(name: str, text: str, kind: Kind) -> Any:
    try:
        return _READERS[kind](text)
    except (ValueError, KeyError):
        raise _unreadable(name, kind) from None


def _unreadable(name: str, kind: Kind) -> Refused:
    expected = {
        Kind.NUMBER: "a number",
        Kind.FLAG: "True or False",
        Kind.TIME: "a time in UTC, for example 2016-11-30T16:25:12.123Z",
    }
    return invalid("filter", f"{name}: expected {expected[kind]}")


def _number(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise ValueError(text)
    return int(text)


_READERS: Mapping[Kind, Callable[[str], Any]] = {
    Kind.TEXT: str,
    Kind.NUMBER: _number,
    Kind.FLAG: lambda text: {"true": True, "false": False}[text.lower()],
    Kind.TIME: moment,
}
