"""One request of somebody who is signed in, and what every page makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.responses import RedirectResponse

from harness_guardian.enums import ProvisionSource
from harness_guardian.fake.dates import DateStyle, UnknownZoneError, read_zone
from harness_guardian.fake.pages.addresses import DEVICES, PROVISIONING, local_address
from harness_guardian.fake.pages.rendering import SAFETY, Frame

if TYPE_CHECKING:
    from starlette.datastructures import FormData
    from starlette.requests import Request
    from starlette.responses import Response

    from harness_guardian.fake.pages.columns import ColumnChooser
    from harness_guardian.fake.pages.sessions import Session
    from harness_guardian.fake.records import System, User
    from harness_guardian.fake.service import GuardianService

ZONE_COOKIE = "guardian-zone"
PART_HEADER = "X-Guardian-Part"
_SEE_OTHER = 303


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """A toggle in the Settings drop-down.

    :ivar name: of its field.
    :ivar on: whether it is on now.
    """

    name: str
    text: str
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Crumbs:
    """The breadcrumb trail.

    :ivar page: name of the page, and its address.
    :ivar systems: names of the systems that may be selected, and where that leads.
    :ivar system: the selected one; empty for none.
    :ivar last: what is behind it, if anything.
    """

    page: str
    address: str
    systems: list[tuple[str, str]]
    system: str
    last: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request of a user.

    :ivar door: at which Guardian they are.
    :ivar form: what they sent, checked to come from a form of their session; ``None`` when they only look.
    """

    service: GuardianService
    door: ProvisionSource
    chooser: ColumnChooser
    request: Request
    session: Session
    user: User
    form: FormData | None = None

    @property
    def zone(self) -> tzinfo:
        """The zone in which the user sees dates: UTC unless they want their own."""
        return _zone_of(self.request) if self.user.local_time else UTC

    @property
    def style(self) -> DateStyle:
        """How the user wants to see dates (guardian fact sheet, section 7)."""
        return DateStyle(iso=self.user.iso, zone=self.zone)

    @property
    def switches(self) -> list[Switch]:
        """The two toggles of dates."""
        return [
            Switch(name="iso", text="Show dates in ISO format", on=self.user.iso),
            Switch(name="local_time", text="Show dates in local time", on=self.user.local_time),
        ]

    @property
    def wants_part(self) -> bool:
        """Whether the script asks for a part of a page, so that nothing is to be said yet."""
        return PART_HEADER in self.request.headers

    def frame(self, here: str) -> Frame:
        """Return what stands around a page; what was to be said is said with it.

        :param here: name of the page.
        """
        return Frame(
            here=here,
            user=self.user.name,
            role=self.user.role.value,
            appliance=self.door is ProvisionSource.APPLIANCE,
            csrf=self.session.csrf,
            messages=[] if self.wants_part else self.session.take_messages(),
            pages=(("Devices", DEVICES), ("Provisioning", PROVISIONING)),
        )

    def crumbs(self, system: str, last: str = "") -> Crumbs:
        """Return the breadcrumb trail of the Devices page."""
        names = [each.name for each in self.systems]
        return Crumbs(
            page="Devices",
            address=DEVICES,
            systems=[(name, local_address(DEVICES, [("system", name)])) for name in names],
            system=system,
            last=last,
        )

    @property
    def systems(self) -> list[System]:
        """The systems that the user may select."""
        return self.service.systems(self.user)

    def field(self, name: str) -> str:
        """Return a text of the form; empty when it has none."""
        value = self.form.get(name) if self.form is not None else None
        return value if isinstance(value, str) else ""

    def fields(self, name: str) -> list[str]:
        """Return all texts of a name in the form."""
        values = self.form.getlist(name) if self.form is not None else []
        return [value for value in values if isinstance(value, str)]


def see_other(address: str) -> Response:
    """Lead on to a page after a form."""
    return RedirectResponse(address, status_code=_SEE_OTHER, headers={**SAFETY, "Cache-Control": "no-store"})


def _zone_of(request: Request) -> tzinfo:
    """Return the zone that the script told; without one the fake's own, which is on the same host."""
    told = request.cookies.get(ZONE_COOKIE, "")
    try:
        return read_zone(unquote(told))
    except UnknownZoneError:
        return datetime.now(UTC).astimezone().tzinfo or UTC
