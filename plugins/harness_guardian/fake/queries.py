"""What clients ask lists, bulk calls and reports for: parameters of a query, or the fields of a filter.

Both have the same names and are read by the same function (guardian fact sheet, sections 5 and 10.5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness_guardian.enums import ErrorCode, Status
from harness_guardian.fake.answers import bad_request
from harness_guardian.fake.dates import BadDayError, UnknownZoneError, read_day, read_zone
from harness_guardian.fake.filtering import Filter, View

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

    from starlette.requests import Request

#: Every parameter that filters.
FILTERS = frozenset(
    {
        "system",
        "system_instance",
        "component",
        "hw_id",
        "status",
        "view",
        "provisioned_from",
        "provisioned_to",
        "tz",
    }
)
_STATUSES = frozenset([*(status.value for status in Status), *(code.value for code in ErrorCode)])
_MOST_VALUES = 200


def parameters_of(request: Request, known: Collection[str]) -> dict[str, list[str]]:
    """Return the parameters of a query.

    :param known: their names; one that nobody reads would filter nothing, and nobody would notice.
    :raises Refused: there is another one.
    """
    parameters: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        if name not in known:
            raise bad_request(f"{name[:40]!r}: no such parameter; expected {', '.join(sorted(known))}")
        parameters.setdefault(name, []).append(value)
    return parameters


def filter_fields(given: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the fields of a filter object in the form of :func:`parameters_of`.

    :param given: texts, or lists of texts.
    :raises Refused: it has other fields or values.
    """
    parameters: dict[str, list[str]] = {}
    for name, value in given.items():
        if name not in FILTERS:
            raise bad_request(f"filter.{name[:40]}: no such filter; expected {', '.join(sorted(FILTERS))}")
        texts = value if isinstance(value, list) else [] if value is None else [value]
        if not all(isinstance(text, str) for text in texts):
            raise bad_request(f"filter.{name}: expected a text or a list of texts")
        if texts:
            parameters[name] = texts
    return parameters


def read_filter(parameters: Mapping[str, Sequence[str]]) -> Filter:
    """Read a filter; what is empty filters nothing, as a form sends it that nobody filled in.

    :raises Refused: a value is none of its kind.
    """
    given = {name: [text for text in texts if text] for name, texts in parameters.items()}
    for name, texts in given.items():
        if len(texts) > _MOST_VALUES:
            raise bad_request(f"{name}: expected at most {_MOST_VALUES} values")
    statuses = frozenset(given.get("status", ()))
    unknown = sorted(statuses - _STATUSES)
    if unknown:
        raise bad_request(f"status: {unknown[0][:40]!r} is none; expected {', '.join(sorted(_STATUSES))}")
    view = one_of(given, "view") or View.CURRENT.value
    if view not in set(View):
        raise bad_request(f"view: {view[:40]!r}; expected {' or '.join(View)}")
    try:
        zone = read_zone(one_of(given, "tz") or "UTC")
    except UnknownZoneError as error:
        raise bad_request(f"tz: {error}") from error
    return Filter(
        system=one_of(given, "system"),
        system_instances=frozenset(given.get("system_instance", ())),
        components=frozenset(given.get("component", ())),
        hw_id=one_of(given, "hw_id"),
        statuses=statuses,
        view=View(view),
        provisioned_from=_day(given, "provisioned_from"),
        provisioned_to=_day(given, "provisioned_to"),
        zone=zone,
    )


def one_of(parameters: Mapping[str, Sequence[str]], name: str) -> str | None:
    """Return the value of a parameter that has one at most.

    :raises Refused: it has several.
    """
    values = parameters.get(name, ())
    if len(values) > 1:
        raise bad_request(f"{name}: expected one value, got {len(values)}")
    return values[0] if values else None


def _day(parameters: Mapping[str, Sequence[str]], name: str) -> date | None:
    text = one_of(parameters, name)
    try:
        return None if text is None else read_day(text)
    except BadDayError as error:
        raise bad_request(f"{name}: {error}") from error
