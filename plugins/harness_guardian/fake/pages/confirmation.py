"""The confirmation panel: what is going to be done to which requests, before it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness_guardian.enums import COLUMN_TITLES, Action, Column
from harness_guardian.fake.pages.sessions import Confirmation, Message
from harness_guardian.fake.pages.wording import PANEL_ACTIONS, WORDS
from harness_guardian.fake.row_view import values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_guardian.fake.pages.visits import Visit
    from harness_guardian.fake.records import ProvisioningRequest
    from harness_guardian.fake.reports import Value

MOST_SUMMARISED = 100
"""Requests that the summary lists one by one."""

_FACTS = (
    Column.DEVICE_HW_ID,
    Column.COMPONENT_NAME,
    Column.SYSTEM_NAME,
    Column.SYSTEM_INSTANCE_NAME,
    Column.REQUEST_ID,
    Column.REQUEST_CREATED_ON,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelButton:
    """A button of the panel."""

    action: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summarised:
    """A request in the summary."""

    hw_id: str
    component: str
    instance: str
    created: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A confirmation panel.

    :ivar opener: id of the button or link that opened it; the focus goes back there.
    :ivar confirmation: what its form sends back.
    :ivar facts: about the one request.
    :ivar summary: the several requests.
    :ivar rest: how many more there are than the summary lists.
    """

    heading: str
    text: str
    opener: str
    confirmation: str
    buttons: Sequence[PanelButton]
    facts: Sequence[tuple[str, str]] = ()
    summary: Sequence[Summarised] = ()
    rest: int = 0


def panel_for_one(visit: Visit, action: Action, request: ProvisioningRequest) -> Panel | Message:
    """Return the panel for one request; a message when the action is not possible any more."""
    if action not in visit.service.actions(visit.user, visit.door, request):
        return moved_on(request.hw_id, request.status_text)
    words = WORDS[action]
    shown = values(request, visit.service.choices)
    return Panel(
        heading=words.one,
        text=words.question,
        opener=f"{action}-{request.id}",
        confirmation=_ask(visit, action, [request]),
        buttons=[
            PanelButton(action=each.value, text=WORDS[each].one)
            for each in PANEL_ACTIONS[action]
            if each in visit.service.actions(visit.user, visit.door, request)
        ],
        facts=[(COLUMN_TITLES[column], _text(visit, shown[column])) for column in _FACTS],
    )


def panel_for_many(visit: Visit, action: Action, requests: Sequence[ProvisioningRequest]) -> Panel | Message:
    """Return the panel for all requests under the filter that are in the needed state.

    :param requests: as they were counted.
    """
    words, count = WORDS[action], len(requests)
    if not requests:
        return Message(text="Nothing under this filter waits for that any more.", good=False)
    return Panel(
        heading=words.many.format(count),
        text=words.question_many,
        opener=f"bulk-{action}",
        confirmation=_ask(visit, action, requests),
        buttons=[
            PanelButton(action=each.value, text=WORDS[each].many.format(count))
            for each in PANEL_ACTIONS[action]
        ],
        summary=[
            Summarised(
                hw_id=request.hw_id,
                component=request.component_name,
                instance=request.system_instance_name,
                created=visit.style.day(request.created_at),
            )
            for request in requests[:MOST_SUMMARISED]
        ],
        rest=max(0, count - MOST_SUMMARISED),
    )


def moved_on(hw_id: str, status: str) -> Message:
    """Say that a request is not as it was shown any more."""
    return Message(text=f"That is not possible any more: {hw_id} is now {status}.", good=False)


def _ask(visit: Visit, action: Action, requests: Sequence[ProvisioningRequest]) -> str:
    ids = tuple(request.key for request in requests)
    return visit.session.ask(Confirmation(actions=PANEL_ACTIONS[action], requests=ids))


def _text(visit: Visit, value: Value) -> str:
    if value is None or isinstance(value, str):
        return value or "-"
    return visit.style.moment(value)
