"""Where the pages are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from harness_guardian.fake.pages import details, devices, provisioning
from harness_guardian.fake.pages.addresses import DEVICES, PROVISIONING, REPORT
from harness_guardian.fake.pages.device_rows import CHANGES
from harness_guardian.fake.pages.rendering import STATIC, static_file
from harness_guardian.fake.pages.site import SIGN_IN, Site

if TYPE_CHECKING:
    from harness_guardian.enums import ProvisionSource
    from harness_guardian.fake.service import GuardianService


def routes(service: GuardianService, role: ProvisionSource) -> list[Route]:
    """Return the routes of the pages, to be served under ``/``.

    :param role: whether they are those of the cloud or of an appliance.
    """
    site = Site(service=service, door=role)
    looks = {
        DEVICES: devices.show,
        CHANGES: details.changes,
        REPORT: devices.export,
        f"{DEVICES}/{{identifier}}": details.show,
        "/profiles/{identifier}": details.profile,
        PROVISIONING: provisioning.show,
        f"{PROVISIONING}/{{identifier}}": details.follow,
    }
    forms = {
        f"{DEVICES}/actions": devices.act,
        "/columns": devices.choose_columns,
        "/settings": devices.change_settings,
        PROVISIONING: provisioning.upload,
        "/sign-out": site.sign_out,
    }
    return [
        Route("/", site.home, methods=["GET"]),
        Route(SIGN_IN, site.show_sign_in, methods=["GET"]),
        Route(SIGN_IN, site.sign_in, methods=["POST"]),
        Route(f"{STATIC}{{name}}", static_file, methods=["GET"]),
        # Forms stand first: /devices/actions is no device's address.
        *(Route(path, site.page(handler), methods=["POST"]) for path, handler in forms.items()),
        *(Route(path, site.page(handler), methods=["GET"]) for path, handler in looks.items()),
    ]
