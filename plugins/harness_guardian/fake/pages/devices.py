"""The Devices page: the list, the confirmation panel, and what its forms do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from harness_guardian.enums import Action
from harness_guardian.fake.pages.addresses import DevicesQuery, asked_panel, read_query, safe_return
from harness_guardian.fake.pages.confirmation import Panel, panel_for_many, panel_for_one
from harness_guardian.fake.pages.devices_view import Listed, filter_of, listed, table, waiting_for
from harness_guardian.fake.pages.filter_view import (
    chips_of,
    filters_of,
    fitting,
    quick_filters_of,
    selected_system,
)
from harness_guardian.fake.pages.rendering import SAFETY, render
from harness_guardian.fake.pages.sessions import Message
from harness_guardian.fake.pages.visits import see_other
from harness_guardian.fake.pages.wording import Acted, messages_about
from harness_guardian.fake.refusals import Refused
from harness_guardian.fake.report_calls import export_report
from harness_guardian.fake.reports import MEDIA_TYPE, content_disposition
from harness_guardian.fake.row_view import shown_status

if TYPE_CHECKING:
    from harness_guardian.enums import ProvisionSource
    from harness_guardian.fake.bulk import BulkResult
    from harness_guardian.fake.pages.sessions import Confirmation
    from harness_guardian.fake.pages.visits import Visit
    from harness_guardian.fake.records import ProvisioningRequest, System

HERE = "Devices"


async def show(visit: Visit) -> Response:
    """Show the list, and the confirmation panel when one is asked for."""
    asked = read_query(visit.request.query_params)
    system = selected_system(visit, asked)
    query = fitting(asked, system)
    problem = None
    if asked.system and system is None:
        problem = Message(text=f"There is no system {asked.system}.", good=False)
    try:
        found = _found(visit, query, system)
    except Refused as refused:  # a day that is none: say it, and show what the rest of the filter shows
        problem = Message(text=refused.detail, good=False)
        query = replace(query, provisioned_from="", provisioned_to="")
        found = _found(visit, query, system)
    panel = _panel(visit, found)
    if isinstance(panel, Message):
        problem, panel = panel, None
    if problem is not None:
        visit.session.say(problem)
    return render("devices.html", frame=visit.frame(HERE), page=_page(visit, query, system, found, panel))


def _found(visit: Visit, query: DevicesQuery, system: System | None) -> Listed:
    if system is None:
        return Listed(matching=(), lines=())
    return listed(visit, filter_of(visit, query))


def _panel(visit: Visit, found: Listed) -> Panel | Message | None:
    wanted = asked_panel(visit.request.query_params, Action)
    if wanted is None:
        return None
    action, identifier = wanted
    if identifier is None:
        return panel_for_many(visit, action, waiting_for(visit, action, found.matching))
    try:
        request = visit.service.request_for(visit.user, visit.door, identifier)
    except Refused as refused:
        return Message(text=refused.detail, good=False)
    return panel_for_one(visit, action, request)


def _page(
    visit: Visit, query: DevicesQuery, system: System | None, found: Listed, panel: Panel | None
) -> dict[str, Any]:
    """Return what the template shows."""
    shown = table(visit, query, system, found)
    return {
        "address": query.address,
        "query": query.pairs(),
        "clear_address": query.cleared.address,
        "system": query.system,
        "crumbs": visit.crumbs(query.system),
        "subtitle": shown.subtitle,
        "bulk": shown.bulk,
        "shown": shown.shown,
        "rows": shown.rows,
        "paging": shown.paging,
        "nothing": shown.nothing,
        "watch": shown.watch,
        "export_all": shown.export_all,
        "filters": filters_of(visit, query, system),
        "quick": quick_filters_of(visit, query, system),
        "chips": chips_of(visit, query, system),
        "columns": visit.chooser.offered(visit.user),
        "switches": visit.switches,
        "panel": panel,
    }


async def act(visit: Visit) -> Response:
    """Approve, reject or provision what a confirmation panel has shown, and nothing else."""
    back = see_other(safe_return(visit.field("back")))
    confirmation = visit.session.confirmed(visit.field("confirmation"))
    chosen = visit.field("action")
    action = next((each for each in _confirmable(confirmation) if each == chosen), None)
    if confirmation is None or action is None:
        text = "Nothing was changed: confirm it in the panel, which may be used once."
        visit.session.say(Message(text=text, good=False))
        return back
    requests, gone = _still_there(visit, confirmation.requests)
    results = visit.service.bulk(visit.user, visit.door, action, requests)
    told = [_told(visit, request, result) for request, result in zip(requests, results, strict=True)]
    told += [Acted(hw_id=identifier, problem="it is not there any more") for identifier in gone]
    for message in messages_about(action, told):
        visit.session.say(message)
    return back


def _confirmable(confirmation: Confirmation | None) -> tuple[Action, ...]:
    return () if confirmation is None else confirmation.actions


def _still_there(
    visit: Visit, keys: tuple[tuple[ProvisionSource, str], ...]
) -> tuple[list[ProvisioningRequest], list[str]]:
    """Return the requests of a panel, and the ids of those that are gone with their system."""
    requests, gone = [], []
    for source, identifier in keys:
        try:
            request = visit.service.request(source, identifier)
        except Refused:
            gone.append(identifier)
            continue
        requests.append(request)
    return requests, gone


def _told(visit: Visit, request: ProvisioningRequest, result: BulkResult) -> Acted:
    if result.problem is None:
        return Acted(hw_id=request.hw_id)
    status = shown_status(request.status, request.error_code, visit.service.choices)
    return Acted(hw_id=request.hw_id, problem=f"it is {status} ({result.problem.detail})")


async def choose_columns(visit: Visit) -> Response:
    """Remember which columns the user wants to see."""
    if visit.field("default"):
        visit.chooser.forget(visit.user)
    elif not visit.chooser.choose(visit.user, visit.fields("column")):
        visit.session.say(Message(text="Choose one column at least.", good=False))
    return see_other(safe_return(visit.field("back")))


async def change_settings(visit: Visit) -> Response:
    """Turn a toggle of the dates; it applies at once."""
    user = visit.user
    user.iso = {"on": True, "off": False}.get(visit.field("iso"), user.iso)
    user.local_time = {"on": True, "off": False}.get(visit.field("local_time"), user.local_time)
    return see_other(f"{safe_return(visit.field('back'))}#settings")


async def export(visit: Visit) -> Response:
    """Export the device provisioning report of all devices, or of the selected ones."""
    given = visit.request.query_params
    ids = list(dict.fromkeys(given.getlist("ids"))) if given.get("scope") == "selected" else None
    if ids is not None and not ids:
        visit.session.say(Message(text="Select the devices to export first.", good=False))
        return see_other(safe_return(given.get("back", "")))
    content, name = export_report(visit.service, visit.user, system=given.get("system") or None, ids=ids)
    headers = {"Content-Disposition": content_disposition(name), "Cache-Control": "no-store", **SAFETY}
    return Response(content, headers={**headers, "Content-Type": MEDIA_TYPE})
