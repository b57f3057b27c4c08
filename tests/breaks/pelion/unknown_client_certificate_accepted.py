"""Break: the bootstrap server lets in whoever shows a certificate of a known name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import NameOID

from harness_pelion.fake.bootstrap_server import BootstrapServer
from harness_pelion.fake.directory import Directory
from harness_pelion.fake.stream_door import StreamServer
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_pelion.fake.records import Account, DeveloperCertificate

TITLE = "whoever shows a certificate of a known name is bootstrapped"
EXPECTED = ("test_bootstrap.py::test_unknown_certificate",)
ABOUT = r"not view.registered"

judge = existing(StreamServer, "_check")


@replaces(Directory, "developer_certificate")
def developer_certificate(self: Directory, der: bytes) -> tuple[Account, DeveloperCertificate] | None:
    """Believe what a certificate says of itself."""
    names = x509.load_der_x509_certificate(der).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    known = {each.id: each for each in self._anchors.values()}
    certificate = known.get(str(names[0].value)) if names else None
    return None if certificate is None else (self.accounts[certificate.account_id], certificate)


@replaces(Directory, "trust_anchors")
def trust_anchors(self: Directory) -> list[bytes]:
    """Know nobody before somebody comes."""
    return []


@replaces(StreamServer, "_check")
def _check(self: StreamServer, certificate: bytes) -> None:
    """Trust each certificate as soon as it is shown."""
    judge(self, certificate)
    if isinstance(self, BootstrapServer):
        self._contexts.current().load_verify_locations(cadata=certificate)
