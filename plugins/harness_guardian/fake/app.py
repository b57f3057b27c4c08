"""The fake Guardian: one service, an application for each of its doors, and one for whoever ordered it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette

from harness_guardian.enums import ProvisionSource
from harness_guardian.fake.answers import exception_handlers
from harness_guardian.fake.choices import FAKE
from harness_guardian.fake.clock import Clock
from harness_guardian.fake.control import Control
from harness_guardian.fake.door_faults import DoorFaults
from harness_guardian.fake.pages import routes as pages
from harness_guardian.fake.report_calls import ReportCalls
from harness_guardian.fake.request_calls import RequestCalls
from harness_guardian.fake.service import GuardianService
from harness_guardian.fake.settings_calls import SettingsCalls
from harness_guardian.fake.system_calls import SystemCalls
from harness_guardian.fake.vault_control import VaultControl

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from harness_guardian.fake.choices import Choices
    from harness_guardian.fake.vault_contract import Issuer, VaultCalls
    from harness_guardian.fake.vault_control import OwnVault


class GuardianFake:
    """A fake Guardian: cloud and appliance of the same organisations.

    :ivar guardian: what it knows and decides.
    :ivar faults: answers that it is ordered to give instead of its own.
    """

    def __init__(
        self,
        vault_link: VaultCalls,
        *,
        clock: Clock | None = None,
        choices: Choices = FAKE,
        own_vault: OwnVault | None = None,
        issue: Issuer | None = None,
    ) -> None:
        """Make an empty service.

        :param vault_link: asks the Vault behind it.
        :param clock: the time; by default the host's.
        :param choices: what the fake does where nobody knows what the real service does.
        :param own_vault: that Vault, when it is ours to control.
        :param issue: issues certificates and profiles; by default what asks Vault.
        """
        self.guardian = GuardianService(clock or Clock(), choices, vault_link, issue)
        self.faults = DoorFaults()
        self._doors = {door: self._application(door) for door in ProvisionSource}
        vault = None if own_vault is None else VaultControl(self.guardian, own_vault)
        self.control = Starlette(
            routes=Control(self.guardian, self.faults, vault).routes,
            exception_handlers=exception_handlers(),
        )

    def door(self, source: ProvisionSource) -> Starlette:
        """Return the application in one of its roles: API and pages."""
        return self._doors[source]

    async def close(self) -> None:
        """End everything that is under way."""
        await self.guardian.close()

    def _application(self, door: ProvisionSource) -> Starlette:
        service = self.guardian
        calls = [
            *RequestCalls(service, door).routes,
            *SystemCalls(service).routes,
            *ReportCalls(service).routes,
            *SettingsCalls(service).routes,
        ]
        routes: list[BaseRoute] = [*self.faults.before(calls, service, door), *pages(service, door)]
        return Starlette(routes=routes, exception_handlers=exception_handlers(service.choices))
