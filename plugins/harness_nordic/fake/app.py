"""The factory of the fake: its two ASGI applications over one service."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.applications import Starlette

from harness.errors import UsageError
from harness_nordic.fake.answers import EXCEPTION_HANDLERS
from harness_nordic.fake.clock import Clock
from harness_nordic.fake.control import Control
from harness_nordic.fake.device_endpoint import DeviceEndpoint
from harness_nordic.fake.management import Management
from harness_nordic.fake.service import ProvisioningService

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.routing import Route

    from harness.backends.contract import FakeSettings

TEAM_KEY = "team-key"
NEW_KEY = "new"


class NrfCloudFake:
    """A fake nRF Cloud: ``service`` for the world, ``control`` for the session that ordered it.

    :ivar notes: what the operator who started it by hand must know; printed, never logged.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        """Make an empty service.

        :param clock: the time; by default the host's.
        """
        self.provisioning = ProvisioningService(clock or Clock())
        self.notes: Mapping[str, str] = {}
        self._service = _application(
            DeviceEndpoint(self.provisioning).routes + Management(self.provisioning).routes
        )
        self._control = _application(Control(self.provisioning).routes)

    @property
    def service(self) -> Starlette:
        """Management API and device endpoint."""
        return self._service

    @property
    def control(self) -> Starlette:
        """Factory records, teams, log and clock."""
        return self._control


def create(settings: FakeSettings) -> NrfCloudFake:
    """Make the fake that the runner serves.

    The option ``team-key`` makes one team at once, for use by hand: its value is the API key, ``new``
    stands for one that is made up.

    :raises UsageError: an option that this fake does not have, or a key that no header could carry.
    """
    unknown = sorted(set(settings.options) - {TEAM_KEY})
    if unknown:
        raise UsageError("no such option of this fake", key="--option", value=unknown[0], expected=TEAM_KEY)
    fake = NrfCloudFake()
    key = settings.options.get(TEAM_KEY)
    if key is not None:
        if not re.fullmatch(r"[!-~]+", key):
            raise UsageError(
                "not an API key", key=TEAM_KEY, expected=f"printable ASCII without blanks, or {NEW_KEY}"
            )
        member = fake.provisioning.add_member(api_key=None if key == NEW_KEY else key)
        fake.notes = {"API key": member.api_key, "owner id": member.owner_id}
    return fake


def _application(routes: list[Route]) -> Starlette:
    return Starlette(routes=routes, exception_handlers=EXCEPTION_HANDLERS)
