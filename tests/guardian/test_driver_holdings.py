"""The driver ``guardian-component`` reads what a component holds: certificates, chains, all of it at once."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING

import pytest

from harness.errors import BoardFault
from harness_guardian.driver_models import InstalledCertificate
from tests.guardian.paper_component import DIGEST

if TYPE_CHECKING:
    from tests.guardian.conftest import Desk
    from tests.guardian.paper_component import PaperComponent

KEY = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEG\n-----END PRIVATE KEY-----\n"
LEAF, INTERMEDIATE = b"\x30\x03leaf", b"\x30\x03rest"


def profile(**chains: list[bytes]) -> bytes:
    """Write what looks like a certified profile."""
    certificates = [
        {"slot": slot, "chain": [base64.b64encode(one).decode() for one in chain]}
        for slot, chain in chains.items()
    ]
    payload = base64.urlsafe_b64encode(json.dumps({"certificates": certificates}).encode()).rstrip(b"=")
    return b"e30." + payload + b".c2ln"


def test_certificates(desk: Desk, paper: PaperComponent) -> None:
    """Serial numbers are compared as numbers are, whatever way they are written."""
    paper.lines = [f"identity 0A:ff {DIGEST.upper()}", f"tls: 01 {DIGEST}"]

    assert desk.driver.certificates() == {
        "identity": InstalledCertificate("aff", DIGEST),
        "tls": InstalledCertificate("1", DIGEST),
    }


def test_chain_is_that_of_the_installed_leaf(desk: Desk, paper: PaperComponent) -> None:
    """The chain comes from the profile that the board keeps; another leaf in it is the board's fault."""
    driver = desk.driver
    paper.lines = [f"tls 1 {hashlib.sha256(LEAF).hexdigest()}"]
    paper.files["profile"] = profile(tls=[LEAF, INTERMEDIATE])

    first, second = driver.chain("tls")
    assert re.findall(r"-----(BEGIN|END) CERTIFICATE-----", first) == ["BEGIN", "END"]
    assert base64.b64decode("".join(first.splitlines()[1:-1])) == LEAF
    assert base64.b64decode("".join(second.splitlines()[1:-1])) == INTERMEDIATE

    paper.files["profile"] = profile(tls=[INTERMEDIATE])
    with pytest.raises(BoardFault, match="not the one that it installed"):
        driver.chain("tls")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no JWS"),
        (b"a.b.c", "cannot be read"),
        (b"e30.e30.c2ln", "cannot be read"),
        (profile(identity=[LEAF]), "no chain for slot tls"),
        (profile(tls=[]), "no chain for slot tls"),
    ],
)
def test_profile_that_cannot_be_read(desk: Desk, paper: PaperComponent, content: bytes, message: str) -> None:
    """Whatever a board keeps in the place of a profile is its fault and no crash of ours."""
    paper.lines = [f"tls 1 {DIGEST}"]
    paper.files["profile"] = content

    with pytest.raises(BoardFault, match=message):
        desk.driver.chain("tls")


def test_chain_of_an_empty_slot(desk: Desk) -> None:
    """Where nothing is installed there is no chain."""
    with pytest.raises(BoardFault, match="nothing is installed in slot tls"):
        desk.driver.chain("tls")


def test_snapshot_tells_every_change(desk: Desk, paper: PaperComponent) -> None:
    """Two snapshots are equal exactly if identity and certificates are; an open request is no change."""
    driver = desk.driver
    paper.who, paper.state = ("pump", "P-7", "i1"), "provisioned"
    paper.lines = [f"tls 1 {DIGEST}", f"identity 2 {DIGEST}"]
    before = driver.snapshot()
    paper.lines.reverse()
    paper.state = "requested"
    assert driver.snapshot() == before

    for who in (("valve", "P-7", "i1"), ("pump", "P-8", "i1"), ("pump", "P-7", "i2")):
        paper.who = who
        assert driver.snapshot() != before
    paper.who = ("pump", "P-7", "i1")
    for lines in ([], paper.lines[:1], [f"tls 3 {DIGEST}", paper.lines[0]]):
        paper.lines = lines
        assert driver.snapshot() != before
