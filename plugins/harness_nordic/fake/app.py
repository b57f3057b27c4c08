"""The factory of the fake: its two ASGI applications over one service."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.applications import Starlette

from harness.errors import UsageError
from harness_nordic.enums import AfterError
from harness_nordic.fake.answers import exception_handlers
from harness_nordic.fake.certificates import TlsDoor
from harness_nordic.fake.choices import CONTRARIAN, FAKE
from harness_nordic.fake.clock import Clock
from harness_nordic.fake.coap_endpoint import CoapEndpoint
from harness_nordic.fake.control import Control
from harness_nordic.fake.core_api import CoreApi
from harness_nordic.fake.device_endpoint import DeviceEndpoint
from harness_nordic.fake.management import Management
from harness_nordic.fake.rule_calls import RuleManagement
from harness_nordic.fake.service import ProvisioningService
from harness_nordic.fake.tag_calls import TagManagement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.routing import Route

    from harness.backends.contract import FakeSettings
    from harness_nordic.fake.choices import Choices

AFTER_ERROR = "after-error"
CONTRARIAN_OPTION = "contrarian"
TEAM_KEY = "team-key"
TLS_NAMES = "tls-names"
NEW_KEY = "new"


class NrfCloudFake:
    """A fake nRF Cloud: ``service`` for the world, ``control`` for the session that ordered it.

    :ivar notes: what the operator who started it by hand must know; printed, never logged.
    :ivar tls: what the runner needs to serve it over TLS too.
    :ivar datagrams: what the runner needs to serve its device endpoint by CoAP too.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        after_error: AfterError | None = None,
        choices: Choices = FAKE,
        tls_names: Sequence[str] = (),
    ) -> None:
        """Make an empty service.

        :param clock: the time; by default the host's.
        :param after_error: what becomes of the commands behind one that failed; by default as the choices
            say.
        :param choices: what the fake does where nobody knows what the real service does.
        :param tls_names: names of hosts that it may be called by over TLS, besides ``localhost``.
        """
        self.provisioning = ProvisioningService(clock or Clock(), after_error, choices)
        self.tls = TlsDoor(
            lambda reason: self.provisioning.faults.note("tls-refused", reason=reason), tls_names
        )
        self.datagrams = CoapEndpoint(self.provisioning).door
        self.notes: Mapping[str, str] = {}
        self._service = _application(
            DeviceEndpoint(self.provisioning).routes
            + TagManagement(self.provisioning).routes
            + RuleManagement(self.provisioning).routes
            + Management(self.provisioning).routes
            + CoreApi(self.provisioning).routes,
            choices,
        )
        self._control = _application(Control(self.provisioning, self.tls).routes)

    @property
    def service(self) -> Starlette:
        """Management API and device endpoint."""
        return self._service

    @property
    def control(self) -> Starlette:
        """Factory records, teams, faults, events and clock."""
        return self._control


def create(settings: FakeSettings) -> NrfCloudFake:
    """Make the fake that the runner serves.

    The option ``after-error`` is ``withhold`` or ``drop``: what becomes of the commands behind one that
    failed (nrfcloud fact sheet, section 3.7). The option ``team-key`` makes one team at once, for use by
    hand: its value is the API key, ``new`` stands for one that is made up. The option ``tls-names`` has names
    of hosts with commas between them, for which the certificate of the TLS door is good, too: a client that
    knows no other address than the real service's can be led to the fake by a proxy.

    :raises UsageError: an option or behaviour that this fake does not have, or a key that no header could
        carry.
    """
    unknown = sorted(set(settings.options) - {AFTER_ERROR, CONTRARIAN_OPTION, TEAM_KEY, TLS_NAMES})
    if unknown:
        raise UsageError(
            "no such option of this fake",
            key="--option",
            value=unknown[0],
            expected=f"{AFTER_ERROR}, {CONTRARIAN_OPTION}, {TEAM_KEY} or {TLS_NAMES}",
        )
    after_error = settings.options.get(AFTER_ERROR)
    if after_error is not None and after_error not in set(AfterError):
        expected = " or ".join(AfterError)
        raise UsageError("no such behaviour", key=AFTER_ERROR, value=after_error, expected=expected)
    contrarian = settings.options.get(CONTRARIAN_OPTION, "no")
    if contrarian not in {"yes", "no"}:
        raise UsageError("not an answer", key=CONTRARIAN_OPTION, value=contrarian, expected="yes or no")
    fake = NrfCloudFake(
        after_error=None if after_error is None else AfterError(after_error),
        choices=CONTRARIAN if contrarian == "yes" else FAKE,
        tls_names=_host_names(settings.options.get(TLS_NAMES, "")),
    )
    key = settings.options.get(TEAM_KEY)
    if key is not None:
        if not re.fullmatch(r"[!-~]+", key):
            raise UsageError(
                "not an API key", key=TEAM_KEY, expected=f"printable ASCII without blanks, or {NEW_KEY}"
            )
        member = fake.provisioning.add_member(api_key=None if key == NEW_KEY else key)
        fake.notes = {"API key": member.api_key, "owner id": member.owner_id}
    return fake


def _host_names(text: str) -> list[str]:
    """Part the option ``tls-names``.

    :raises UsageError: something in it is no name of a host.
    """
    names = [name.strip() for name in text.split(",")] if text else []
    for name in names:
        if not re.fullmatch(
            r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", name
        ):
            raise UsageError(
                "no name of a host", key=TLS_NAMES, value=name, expected="for example api.nrfcloud.com"
            )
    return names


def _application(routes: list[Route], choices: Choices = FAKE) -> Starlette:
    return Starlette(routes=routes, exception_handlers=exception_handlers(choices))
