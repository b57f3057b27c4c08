"""Break: the LwM2M server takes a certificate of a developer's for one that a bootstrap gave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.fake.lwm2m_server import Lwm2mServer
from harness_pelion.fake.stream import common_name
from harness_pelion.fake.stream_door import StreamServer
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_pelion.fake.records import DeviceRecord
    from harness_pelion.fake.stream import Session

TITLE = "a device that was never bootstrapped registers"
EXPECTED = (
    "test_unenrolled.py::test_without_bootstrap[developer's]",
    "test_unenrolled.py::test_developer_certificate_at_the_wrong_server",
)
ABOUT = r"not view.registered"

judge, who = existing(StreamServer, "_check"), existing(Lwm2mServer, "_who")


@replaces(StreamServer, "_check")
def _check(self: StreamServer, certificate: bytes) -> None:
    """Trust at the LwM2M server whom the bootstrap server trusts."""
    judge(self, certificate)
    anchors = self.directory.trust_anchors()
    if isinstance(self, Lwm2mServer) and anchors:
        self._contexts.current().load_verify_locations(cadata=b"".join(anchors))


@replaces(Lwm2mServer, "_who")
def _who(self: Lwm2mServer, session: Session) -> DeviceRecord:
    """Make a device of whoever comes."""
    device_id = common_name(session.certificate) or ""
    if self.directory.device(device_id) is None:
        found = self.directory.developer_certificate(self.directory.trust_anchors()[-1])
        assert found is not None
        account, certificate = found
        now = self.clock.now(account.id)
        made = self.directory.bootstrapped(account, certificate, device_id=device_id, device_key="", now=now)
        self.directory.issued(made, session.certificate)
    device: DeviceRecord = who(self, session)
    return device
