"""A board with an open request, and profiles that answer it, each wrong in some respect."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from tests.guardian.making import make_key
from tests.guardian.making_profiles import lifetime
from tests.guardian.virtual.paper_bench import Refused
from tests.guardian.virtual.paper_service import COMPONENT, HW_ID, SYSTEM, as_made

if TYPE_CHECKING:
    from datetime import datetime

    from tests.guardian.virtual.paper_bench import BoardInHand
    from tests.guardian.virtual.paper_service import PaperService


_OTHER_USAGES = (
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


class ProfileBench:
    """A board with an open request, and profiles that answer it.

    :ivar payload: what the request says.
    """

    def __init__(self, board: BoardInHand, service: PaperService) -> None:
        self.board = board
        self.service = service
        board.call("set_link", up=False)
        board.ask("request")
        _header, self.payload = service.read(board.get("request"))

    def profile(self, **changes: Any) -> bytes:
        """Return a profile for the request, wrong in some respect."""
        return self.service.profile_for(self.payload, **changes)

    def refuses(self, content: bytes, text: str) -> None:
        """Judge that the board refuses a profile for a reason, changes nothing, and takes a good one."""
        before = self.board.call("storage")["records"]
        self.board.put("profile", content)
        with pytest.raises(Refused) as refusal:
            self.board.ask("install")
        after = self.board.call("storage")["records"]
        after.pop("file profile")
        before.pop("file profile", None)
        assert str(refusal.value) == f"ERROR 1 FAIL: the certified profile is not accepted: {text}"
        assert after == before
        assert self.board.status()["state"] == "requested"
        self.board.put("profile", self.profile())
        self.board.ask("install")
        assert self.board.status()["certificates"] == "3"

    def leaves(self, slot: str, **changes: Any) -> dict[str, x509.Certificate]:
        """Return good leaves, and in one slot one that is wrong in some respect."""
        made = as_made(self.payload)
        authority = changes.pop("authority", self.service.authority)
        names: dict[str, Any] = {"hw_id": HW_ID, "component": COMPONENT, "system": SYSTEM}
        found = {
            name: self.service.authority.issue(key.public_key(), **names) for name, key in made.keys.items()
        }
        key = changes.pop("key", made.keys[slot])
        found[slot] = authority.issue(key.public_key(), **{**names, **changes})
        return found

    def refuses_chains(
        self,
        payload: dict[str, Any],
        root: x509.Certificate,
        between: x509.Certificate,
        leaves: dict[str, x509.Certificate],
        text: str,
    ) -> None:
        """Judge that a profile of these certificates is refused, in the first of its slots."""
        entries = [{"slot": slot, "chain": [der64(leaf), der64(between)]} for slot, leaf in leaves.items()]
        content = self.service.profile_for(payload, certificates=entries, trust=[der64(root)])
        self.board.put("profile", content)
        with pytest.raises(Refused) as refusal:
            self.board.ask("install")
        assert str(refusal.value).endswith(f": slot identity: {text}")


def der64(certificate: x509.Certificate) -> str:
    """Return a certificate as profiles carry it."""
    return base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()


def signed(
    public_key: Any,
    issuer: x509.Name,
    issuer_key: Any,
    *,
    name: str = HW_ID,
    life: tuple[datetime, datetime] | None = None,
    constraints: x509.BasicConstraints | None = None,
    may_sign: bool | None = None,
) -> x509.Certificate:
    """Sign a certificate of any kind."""
    begin, end = life or lifetime()
    builder = x509.CertificateBuilder().issuer_name(issuer).public_key(public_key)
    builder = builder.subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)
    if constraints is not None:
        builder = builder.add_extension(constraints, critical=True)
    if may_sign is not None:
        usages = dict.fromkeys(_OTHER_USAGES, False)
        usage = x509.KeyUsage(digital_signature=True, key_cert_sign=may_sign, **usages)
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


def intermediate(root: x509.Certificate, root_key: Any, **changes: Any) -> tuple[x509.Certificate, Any]:
    """Return an intermediate of a root, wrong in some respect, and its key."""
    key = make_key()
    usual = {"constraints": x509.BasicConstraints(ca=True, path_length=0)}
    made = signed(key.public_key(), root.subject, root_key, name="between", **{**usual, **changes})
    return made, key
