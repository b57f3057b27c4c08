"""The Provisioning page: requests of devices that are not connected are uploaded and followed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.datastructures import UploadFile

from harness_guardian.enums import COLUMN_TITLES, Column, Role, Status
from harness_guardian.fake.pages.addresses import PROVISIONING, follow_address
from harness_guardian.fake.pages.device_rows import profile_of, watch_address
from harness_guardian.fake.pages.rendering import render
from harness_guardian.fake.pages.sessions import Message
from harness_guardian.fake.pages.tones import TONES
from harness_guardian.fake.pages.visits import see_other
from harness_guardian.fake.refusals import Refused
from harness_guardian.fake.row_view import shown_status

if TYPE_CHECKING:
    from starlette.responses import Response

    from harness_guardian.fake.pages.visits import Visit
    from harness_guardian.fake.records import ProvisioningRequest

HERE = "Provisioning"
MOST_SHOWN = 100
_FILE_TYPE = "application/octet-stream"  # what browsers say of a .mcpr, or would say if they knew less

_TITLES = (
    COLUMN_TITLES[Column.DEVICE_HW_ID],
    COLUMN_TITLES[Column.SYSTEM_NAME],
    COLUMN_TITLES[Column.COMPONENT_NAME],
    COLUMN_TITLES[Column.PROVISIONING_STATUS],
    COLUMN_TITLES[Column.REQUEST_ID],
    COLUMN_TITLES[Column.REQUEST_CREATED_ON],
    "Certified profile",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A row of the list of uploads.

    :ivar waiting: what stands there instead of a certified profile.
    """

    id: str
    hw_id: str
    system: str
    component: str
    status: str
    text: str
    tone: str
    error_code: str
    created: str
    address: str
    profile_address: str
    waiting: str


async def show(visit: Visit) -> Response:
    """Show the form and the user's own uploads, the latest first."""
    return render("provisioning.html", frame=visit.frame(HERE), page=_page(visit))


def _page(visit: Visit) -> dict[str, Any]:
    own = [each for each in visit.service.visible(visit.user) if each.uploaded_by == visit.user.name]
    shown = own[: -MOST_SHOWN - 1 : -1]
    rest = len(own) - len(shown)
    return {
        "may_upload": visit.user.role is not Role.REPORTER,
        "titles": _TITLES,
        "uploads": [_upload(visit, request) for request in shown],
        "rest": f"and {rest:,} earlier ones: find them on the Devices page" if rest else "",
        "watch": watch_address(shown),
    }


def _upload(visit: Visit, request: ProvisioningRequest) -> Upload:
    failed = request.is_final and request.status is not Status.PROVISIONED
    return Upload(
        id=request.id,
        hw_id=request.hw_id,
        system=request.system_name,
        component=request.component_name,
        status=request.status.value,
        text=shown_status(request.status, request.error_code, visit.service.choices),
        tone=TONES[request.status],
        error_code=request.error_code or "",
        created=visit.style.day(request.created_at),
        address=follow_address(request.id),
        profile_address=profile_of(visit, request),
        waiting="none" if failed else "not yet",
    )


async def upload(visit: Visit) -> Response:
    """Submit a provisioning request for a device that is not connected."""
    file = visit.form.get("file") if visit.form is not None else None
    if not isinstance(file, UploadFile) or not file.filename:
        visit.session.say(Message(text="Choose a provisioning request (.mcpr) first.", good=False))
        return see_other(PROVISIONING)
    try:
        submission = await visit.service.submit(await file.read(), _FILE_TYPE, visit.door, visit.user)
    except Refused as refused:
        text = f"{file.filename} was not accepted: {refused.detail}"
        visit.session.say(Message(text=text, good=False))
        return see_other(PROVISIONING)
    request = submission.request
    text = f"Submitted the PR of {request.hw_id}."
    if not submission.created:
        text = f"This PR of {request.hw_id} was submitted before: it is the same request."
    visit.session.say(Message(text=text))
    return see_other(follow_address(request.id))
