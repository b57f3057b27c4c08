"""One provisioning request with its history, the wait for a change of it, and its certified profile."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from harness_guardian.enums import ProvisionSource, Role
from harness_guardian.fake import refusals
from harness_guardian.fake.pages.addresses import DevicesQuery
from harness_guardian.fake.pages.device_rows import (
    MOST_WATCHED,
    buttons,
    detail_cells,
    profile_of,
    watch_address,
)
from harness_guardian.fake.pages.rendering import SAFETY, render
from harness_guardian.fake.pages.tones import TONES
from harness_guardian.fake.refusals import Refused
from harness_guardian.fake.row_view import shown_status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_guardian.fake.pages.visits import Crumbs, Visit
    from harness_guardian.fake.records import HistoryEntry, ProvisioningRequest

LONGEST_WATCH = 25.0
"""Seconds after which the script asks again: no proxy takes the connection for dead before."""

_WATCHED = re.compile(r"(?P<version>[0-9]{1,9})\.(?P<door>[A-Za-z]{1,20})\.(?P<id>.{1,200})", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """An entry of the history."""

    status: str
    text: str
    tone: str
    error_code: str
    at: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A button of the detail view: it leads to the confirmation panel."""

    action: str
    text: str
    address: str


async def show(visit: Visit) -> Response:
    """Show one request in its system's list of devices."""
    request = _asked_about(visit)
    crumbs = visit.crumbs(request.system_name, last=request.hw_id)
    back = DevicesQuery(system=request.system_name).address
    page = _page(visit, request, back, "Back to Devices", crumbs)
    return render("device.html", frame=visit.frame("Devices"), page=page)


async def follow(visit: Visit) -> Response:
    """Show one request to whoever uploaded it."""
    request = _asked_about(visit)
    page = _page(visit, request, "/provisioning", "Back to Provisioning", None)
    return render("device.html", frame=visit.frame("Provisioning"), page=page)


def _asked_about(visit: Visit) -> ProvisioningRequest:
    return visit.service.request_for(visit.user, visit.door, visit.request.path_params["identifier"])


def _page(
    visit: Visit, request: ProvisioningRequest, back: str, back_text: str, crumbs: Crumbs | None
) -> dict[str, Any]:
    return {
        "heading": f"Device {request.hw_id}",
        "subtitle": f"{request.component_name}, {request.system_instance_name}, {request.system_name}",
        "address": visit.request.url.path,
        "crumbs": crumbs,
        "status": shown_status(request.status, request.error_code, visit.service.choices),
        "tone": TONES[request.status],
        "error_code": request.error_code,
        "links": [
            Link(
                action=button.name,
                text=button.text,
                address=DevicesQuery(system=request.system_name).asking(button.name, request.id),
            )
            for button in buttons(visit, request)
        ],
        "profile_address": profile_of(visit, request),
        "switches": visit.switches,
        "facts": detail_cells(visit, request),
        "history": [_passed(visit, entry) for entry in request.history],
        "watch": watch_address([request]),
        "back": back,
        "back_text": back_text,
    }


def _passed(visit: Visit, entry: HistoryEntry) -> Passed:
    return Passed(
        status=entry.status.value,
        text=shown_status(entry.status, entry.error_code, visit.service.choices),
        tone=TONES[entry.status],
        error_code=entry.error_code or "",
        at=visit.style.moment(entry.at),
        by=entry.by or "",
    )


async def changes(visit: Visit) -> Response:
    """Answer as soon as one of the requests that are shown is of another version than is shown.

    204 says that nothing has changed for a while.
    """
    watched = _watched(visit)
    waits = [
        asyncio.ensure_future(visit.service.wait_for_change(request, version, LONGEST_WATCH))
        for request, version in watched
    ]
    if not waits:
        return Response(status_code=204, headers={**SAFETY, "Cache-Control": "no-store"})
    try:
        done, _waiting = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    changed = any(wait.result() for wait in done)
    return Response(status_code=200 if changed else 204, headers={**SAFETY, "Cache-Control": "no-store"})


def _watched(visit: Visit) -> Sequence[tuple[ProvisioningRequest, int]]:
    """Return what is watched, and the versions that are shown.

    :raises Refused: 404, one is not there any more, or is none that the user may see.
    """
    watched = []
    for text in visit.request.query_params.getlist("row")[:MOST_WATCHED]:
        match = _WATCHED.fullmatch(text)
        if match is None or match["door"] not in set(ProvisionSource):
            raise refusals.not_found("there is no such row")
        request = visit.service.request(ProvisionSource(match["door"]), match["id"])
        if not visit.service.may_see(visit.user, request):
            raise refusals.not_found("there is no such row")
        watched.append((request, int(match["version"])))
    return watched


async def profile(visit: Visit) -> Response:
    """Download a certified profile."""
    request = _asked_about(visit)
    if visit.user.role is Role.REPORTER:
        raise refusals.role_too_low("a Reporter downloads no certified profiles")
    content = visit.service.certified_profile(request)
    if content is None:
        raise Refused(409, "pending", "Not there yet", "The certified profile is not signed yet.")
    headers = {
        **SAFETY,
        "Content-Disposition": f'attachment; filename="{_file_name(request.hw_id)}.mccp"',
        "Cache-Control": "no-store",
    }
    return Response(content, media_type=visit.service.choices.profile_media_type, headers=headers)


def _file_name(hw_id: str) -> str:
    """Return the name of a device as files may be named."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", hw_id)
