"""The fake Pelion: its API, the two servers of its devices, and what only whoever ordered it may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette

from harness_pelion.enums import CertificateService
from harness_pelion.fake.answers import exception_handlers
from harness_pelion.fake.bootstrap_server import BootstrapServer
from harness_pelion.fake.certificate_calls import CertificateCalls
from harness_pelion.fake.choices import FAKE
from harness_pelion.fake.clock import Clock
from harness_pelion.fake.control import Control
from harness_pelion.fake.device_calls import DeviceCalls
from harness_pelion.fake.doors import Doors, new_request_id
from harness_pelion.fake.faults import Faults
from harness_pelion.fake.issuing import Issuing
from harness_pelion.fake.key_calls import KeyCalls
from harness_pelion.fake.lwm2m_server import Lwm2mServer
from harness_pelion.fake.service import PelionService

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.routing import Route

    from harness_pelion.fake.choices import Choices
    from harness_pelion.fake.stream_door import StreamServer


class PelionFake:
    """A fake Pelion Device Management.

    :ivar pelion: what it knows and decides.
    :ivar faults: what it is ordered to do wrong.
    :ivar streams: the bootstrap server and the LwM2M server.
    :ivar notes: what an operator who started it by hand must know; printed, never logged.
    """

    def __init__(self, *, clock: Clock | None = None, choices: Choices = FAKE) -> None:
        """Make an empty service.

        :param clock: the time; by default the host's.
        :param choices: what the fake does where nobody knows what the real service does.
        """
        clock = clock or Clock()
        issuing = Issuing()
        self.faults = Faults()
        self.pelion = PelionService(clock, choices, issuing)
        self.notes: Mapping[str, str] = {}
        directory = self.pelion.directory
        self.lwm2m = Lwm2mServer(directory, issuing, clock, self.faults, choices=choices)
        self.bootstrap = BootstrapServer(directory, issuing, clock, self.faults, self.lwm2m, choices=choices)
        self.streams: Mapping[str, StreamServer] = {"bootstrap": self.bootstrap, "lwm2m": self.lwm2m}
        self.pelion.served_at(CertificateService.BOOTSTRAP, lambda: self.bootstrap.server_uri)
        self.pelion.served_at(CertificateService.LWM2M, lambda: self.lwm2m.server_uri)
        doors = Doors(self.pelion, self.faults)
        parts = (CertificateCalls(self.pelion), DeviceCalls(self.pelion), KeyCalls(self.pelion))
        self._service = _application([route for part in parts for route in doors.routes(part.calls)], choices)
        self._control = _application(Control(self.pelion, self.faults).routes, FAKE)

    @property
    def service(self) -> Starlette:
        """The API."""
        return self._service

    @property
    def control(self) -> Starlette:
        """What only the session may use."""
        return self._control

    def close(self) -> None:
        """Watch no lifetime any more."""
        self.lwm2m.close()


def _application(routes: Sequence[Route], choices: Choices) -> Starlette:
    application = Starlette(routes=routes, exception_handlers=exception_handlers(choices, new_request_id))
    application.router.redirect_slashes = False  # which spellings there are is decided by the routes alone
    return application
