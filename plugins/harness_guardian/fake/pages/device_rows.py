"""Rows of the Devices page: the cells that a user sees of a request, and what may be done with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness_guardian.enums import COLUMN_TITLES, Column, Role, Status
from harness_guardian.fake.pages.addresses import device_address, local_address, profile_address
from harness_guardian.fake.pages.columns import KINDS
from harness_guardian.fake.pages.tones import TONES
from harness_guardian.fake.pages.wording import WORDS
from harness_guardian.fake.row_view import shown_status, values

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness_guardian.enums import ErrorCode
    from harness_guardian.fake.filtering import Row
    from harness_guardian.fake.pages.visits import Visit
    from harness_guardian.fake.records import ProvisioningRequest
    from harness_guardian.fake.reports import Value

CHANGES = "/devices/changes"
MOST_WATCHED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What stands in one column of a row.

    :ivar kind: how it is dressed: ``name``, ``id``, ``date``, ``status`` or ``actions``.
    :ivar tone: colour of a status.
    :ivar hint: the code of an error.
    """

    column: Column
    text: str
    kind: str
    tone: str = ""
    hint: str = ""

    @property
    def title(self) -> str:
        """The heading of its column."""
        return COLUMN_TITLES[self.column]


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """Something that may be done.

    :ivar name: the action.
    """

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRow:
    """One row of the table.

    :ivar address: of the detail view.
    :ivar profile_address: where its certified profile is; empty when the user gets none.
    """

    id: str
    hw_id: str
    status: str
    cells: Sequence[Cell]
    actions: Sequence[Button]
    address: str
    profile_address: str


def device_row(visit: Visit, row: Row[ProvisioningRequest], columns: Iterable[Column]) -> DeviceRow:
    """Return what a user sees of a row, in the columns that they chose."""
    request, passed = row.request, row.passed
    shown: dict[Column, Value] = {
        **values(request, visit.service.choices),
        Column.PROVISIONING_STATUS: shown_status(passed.status, passed.error_code, visit.service.choices),
        Column.ACTIONS: None,
    }
    return DeviceRow(
        id=request.id,
        hw_id=request.hw_id,
        status=passed.status.value,
        cells=[_cell(visit, column, shown[column], passed.status, passed.error_code) for column in columns],
        actions=buttons(visit, request) if row.is_current else [],
        address=device_address(request.id),
        profile_address=profile_of(visit, request),
    )


def buttons(visit: Visit, request: ProvisioningRequest) -> list[Button]:
    """Return what a user may do with a request now, at this Guardian."""
    actions = visit.service.actions(visit.user, visit.door, request)
    return [Button(name=action.value, text=WORDS[action].row_button) for action in actions]


def profile_of(visit: Visit, request: ProvisioningRequest) -> str:
    """Return where a certified profile is downloaded; empty when there is none, or the user gets none."""
    may = visit.user.role is not Role.REPORTER
    return profile_address(request.id) if may and request.certified_profile is not None else ""


def detail_cells(visit: Visit, request: ProvisioningRequest) -> list[Cell]:
    """Return all columns of a request but its actions; dates with the time of day."""
    shown = values(request, visit.service.choices)
    return [
        _cell(visit, column, shown[column], request.status, request.error_code, detailed=True)
        for column in Column
        if column is not Column.ACTIONS
    ]


def _cell(
    visit: Visit,
    column: Column,
    value: Value,
    status: Status,
    error_code: ErrorCode | None,
    *,
    detailed: bool = False,
) -> Cell:
    kind = KINDS.get(column, "name")
    if kind == "date":
        moment = None if value is None or isinstance(value, str) else value
        return Cell(
            column=column,
            text=visit.style.moment(moment) if detailed else visit.style.day(moment),
            kind=kind,
        )
    text = "" if value is None else str(value)
    if kind == "status":
        return Cell(column=column, text=text, kind=kind, tone=TONES[status], hint=error_code or "")
    return Cell(column=column, text=text, kind=kind)


def watch_address(requests: Iterable[ProvisioningRequest]) -> str:
    """Return what is asked for the next change of the requests that are shown; empty when none can change.

    Each is named with the version that is shown, so that no change between the two is missed.
    """
    moving = [request for request in requests if not request.is_final][:MOST_WATCHED]
    pairs = [("row", f"{request.version}.{request.door.value}.{request.id}") for request in moving]
    return local_address(CHANGES, dict.fromkeys(pairs)) if pairs else ""
