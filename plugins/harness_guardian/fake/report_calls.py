"""The call that exports the device provisioning report (guardian fact sheet, sections 8 and 10.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from harness_guardian.fake import refusals
from harness_guardian.fake.answers import bad_request
from harness_guardian.fake.authentication import user_of
from harness_guardian.fake.queries import one_of, parameters_of
from harness_guardian.fake.reports import MEDIA_TYPE, content_disposition, file_name, report
from harness_guardian.fake.request_calls import BASE
from harness_guardian.fake.row_view import device_key, latest_of_each_device, values

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from starlette.requests import Request

    from harness_guardian.fake.records import ProvisioningRequest, User
    from harness_guardian.fake.service import GuardianService

REPORT = f"{BASE}/reports/device-provisioning"

_SCOPES = ("all", "selected")


class ReportCalls:
    """The report; the same at both doors."""

    def __init__(self, service: GuardianService) -> None:
        """Serve what the service knows."""
        self._service = service

    @property
    def routes(self) -> list[Route]:
        """All routes."""
        return [Route(REPORT, self.export, methods=["GET"])]

    async def export(self, request: Request) -> Response:
        """Export the report of all devices, or of those of certain requests."""
        user = user_of(self._service, request)
        parameters = parameters_of(request, ("scope", "ids", "system"))
        scope = one_of(parameters, "scope") or "all"
        if scope not in _SCOPES:
            raise bad_request(f"scope: {scope[:40]!r}; expected {' or '.join(_SCOPES)}")
        ids = [part for text in parameters.get("ids", ()) for part in text.split(",") if part]
        if (scope == "selected") != bool(ids):
            raise bad_request("ids: expected with the scope selected, and with it alone")
        content, name = export_report(
            self._service, user, system=one_of(parameters, "system") or None, ids=ids or None
        )
        headers = {"Content-Disposition": content_disposition(name), "Cache-Control": "no-store"}
        return Response(content, headers={**headers, "Content-Type": MEDIA_TYPE})


def export_report(
    service: GuardianService, user: User, *, system: str | None, ids: Collection[str] | None
) -> tuple[bytes, str]:
    """Return the report that a user exports, and its file name. The pages export by it, too.

    :param system: whose devices; ``None``: those of all systems.
    :param ids: of requests whose devices are selected; ``None``: all devices.
    :raises Refused: 404 for an id of no request that the user may see, 422 for too many ids.
    """
    choices = service.choices
    seen = service.visible(user, system)
    latest = latest_of_each_device(seen)
    if ids is not None:
        if len(ids) > choices.most_at_once:
            raise refusals.not_valid(f"ids: expected at most {choices.most_at_once}, got {len(ids)}")
        chosen = _devices_of(seen, ids)
        latest = [request for request in latest if device_key(request) in chosen]
    if choices.newest_first:
        latest.reverse()
    rows = ((values(request, choices), request.error_code) for request in latest)
    moment = service.organisation(user.organisation).clock.seconds()
    return report(rows, choices), file_name(system, moment, choices)


def _devices_of(seen: Sequence[ProvisioningRequest], ids: Collection[str]) -> set[tuple[str, ...]]:
    """Return the devices of requests; of an id that both Guardians have a request of, those of both."""
    chosen = set(ids)
    found = [request for request in seen if request.id in chosen]
    unknown = sorted(chosen - {request.id for request in found})
    if unknown:
        raise refusals.not_found(f"there is no provisioning request {unknown[0][:80]!r}")
    return {device_key(request) for request in found}
