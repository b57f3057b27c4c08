"""Addresses of the pages: what the Devices page is asked for, and where a form may lead back to."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from harness_guardian.fake.filtering import View

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.datastructures import QueryParams

    from harness_guardian.enums import Action

DEVICES = "/devices"
PROVISIONING = "/provisioning"
REPORT = "/devices/report"

SEVERAL = "several"
"""Value of the quick filter while several statuses are chosen in the Filters drop-down."""

_LONGEST_VALUE = 512
_MOST_VALUES = 200
_LOCAL = re.compile(r"/(?:devices|provisioning)(?:/[A-Za-z0-9._~%-]{1,200})?(?:\?[!-Z\]-~]{0,8000})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicesQuery:
    """What the Devices page is asked to show; every text as it came.

    :ivar page: from 1.
    """

    system: str = ""
    system_instances: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    hw_id: str = ""
    statuses: tuple[str, ...] = ()
    view: str = View.CURRENT.value
    provisioned_from: str = ""
    provisioned_to: str = ""
    page: int = 1

    def pairs(self) -> list[tuple[str, str]]:
        """Return it as names and values, those of the REST interface; what is not set is left out."""
        return [(name, value) for name, value in self._all_pairs() if value]

    def filters(self) -> list[tuple[str, str]]:
        """Return what filters, without the page: the query of the REST interface's list."""
        return [(name, value) for name, value in self.pairs() if name != "page"]

    def narrowing(self) -> list[tuple[str, str]]:
        """Return what filters besides the system."""
        return [(name, value) for name, value in self.filters() if name != "system"]

    def _all_pairs(self) -> Iterable[tuple[str, str]]:
        yield "system", self.system
        yield from (("system_instance", value) for value in self.system_instances)
        yield from (("component", value) for value in self.components)
        yield "hw_id", self.hw_id
        yield from (("status", value) for value in self.statuses)
        yield "view", "" if self.view == View.CURRENT else self.view
        yield "provisioned_from", self.provisioned_from
        yield "provisioned_to", self.provisioned_to
        yield "page", "" if self.page == 1 else str(self.page)

    @property
    def address(self) -> str:
        """Where this is shown."""
        return local_address(DEVICES, self.pairs())

    def at_page(self, page: int) -> DevicesQuery:
        """Return the same at another page."""
        return replace(self, page=page)

    def asking(self, name: str, value: str) -> str:
        """Return where this is shown together with a confirmation panel."""
        return local_address(DEVICES, [*self.pairs(), (name, value)])

    @property
    def cleared(self) -> DevicesQuery:
        """The same system without any filter."""
        return DevicesQuery(system=self.system)


def read_query(given: QueryParams) -> DevicesQuery:
    """Read what the Devices page is asked for.

    What cannot be is left out rather than refused: a person reads the answer, and sees what filters.
    """
    statuses = _several(given, "status")
    quick = given.get("quick_status")
    if quick is not None and quick != SEVERAL:
        statuses = (quick,) if quick else ()
    number = given.get("page", "1")
    fits = re.fullmatch(r"[1-9][0-9]{0,5}", number) is not None
    view = given.get("view", "")
    return DevicesQuery(
        system=_one(given, "system"),
        system_instances=_several(given, "system_instance"),
        components=_several(given, "component"),
        hw_id=_one(given, "hw_id"),
        statuses=statuses,
        view=view if view in set(View) else View.CURRENT.value,
        provisioned_from=_one(given, "provisioned_from"),
        provisioned_to=_one(given, "provisioned_to"),
        page=int(number) if fits else 1,
    )


def asked_panel(given: QueryParams, actions: Iterable[Action]) -> tuple[Action, str | None] | None:
    """Return which confirmation panel is asked for.

    :return: the action and the id of the request, or no id for all that are shown; ``None``: no panel.
    """
    for action in actions:
        if given.get("bulk") == action:
            return action, None
        if given.get(action):
            return action, given[action]
    return None


def device_address(request_id: str) -> str:
    """Return where one request is shown."""
    return f"{DEVICES}/{quote(request_id, safe='')}"


def follow_address(request_id: str) -> str:
    """Return where an upload is followed."""
    return f"{PROVISIONING}/{quote(request_id, safe='')}"


def profile_address(request_id: str) -> str:
    """Return where a certified profile is downloaded."""
    return f"/profiles/{quote(request_id, safe='')}"


def local_address(path: str, pairs: Iterable[tuple[str, str]] = ()) -> str:
    """Return an address of ours."""
    query = urlencode(list(pairs))
    return f"{path}?{query}" if query else path


def safe_return(text: str) -> str:
    """Return where a form wants to lead back to, when that is one of our pages; else the Devices page."""
    return text if _LOCAL.fullmatch(text) else DEVICES


def _one(given: QueryParams, name: str) -> str:
    return given.get(name, "").strip()[:_LONGEST_VALUE]


def _several(given: QueryParams, name: str) -> tuple[str, ...]:
    values = [value[:_LONGEST_VALUE] for value in given.getlist(name) if value]
    return tuple(dict.fromkeys(values))[:_MOST_VALUES]
