"""What a provisioned board holds: chains that OpenSSL verifies, with keys that are really on the board.

Guardian fact sheet, sections 10.1, 10.2 and 10.4. OpenSSL is the judge: neither the service nor the board has
a part in it.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import CommandRefused
from harness_guardian.client_definitions import INFUSION_PUMP, CertificateSlot
from harness_guardian.enums import KeyType
from harness_guardian.judging import chain_problem, proof_problem, read_certificate

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard
    from harness_guardian.attempting import Device

pytestmark = pytest.mark.board(driver="guardian-component")

SLOTS = {
    "identity": (KeyType.P256, {"clientAuth"}),
    "tls": (KeyType.P384, {"serverAuth", "clientAuth"}),
    "signing": (KeyType.ED25519, {"clientAuth"}),
}


@pytest.mark.proves("installed certificates", "verify to the system's root, by OpenSSL")
def test_chain(board: LeasedBoard, provisioned: Device) -> None:
    """Each leaf is signed by the system's intermediate, and that by its root; by no other system's."""
    for slot in SLOTS:
        chain = board.driver.chain(slot)
        assert chain_problem(chain, provisioned.system.root_pem) == ""
        assert len(chain) == 2


@pytest.mark.proves("installed certificates", "belong to keys that the board proves to have, by OpenSSL")
def test_own_keys(board: LeasedBoard, provisioned: Device) -> None:
    """The board signs what it was never shown before, with each of its keys."""
    for slot in SLOTS:
        challenge = secrets.token_bytes(32)
        leaf = board.driver.chain(slot)[0]
        assert proof_problem(leaf, challenge, board.driver.prove(slot, challenge)) == ""


@pytest.mark.proves("installed certificates", "say whose they are and what for")
def test_contents(board: LeasedBoard, provisioned: Device) -> None:
    """Names of hardware, component and system; the instance; the kind of key and its usages."""
    (row,) = provisioned.system.rows()
    for slot, (kind, usages) in SLOTS.items():
        facts = read_certificate(board.driver.chain(slot)[0])
        assert (facts.common_name, facts.component, facts.system) == (
            provisioned.hw_id,
            provisioned.component,
            provisioned.system.name,
        )
        assert facts.uris == (f"urn:guardian:{row.component_instance_id}",)
        assert (facts.key, set(facts.usages)) == (kind, usages)


@pytest.mark.proves("installed certificates", "verify to no other system's root")
def test_another_root(board: LeasedBoard, guardian: Any, provisioned: Device) -> None:
    """Each system has a root of its own."""
    other = guardian.create_system()

    for slot in SLOTS:
        assert chain_problem(board.driver.chain(slot), other.root_pem) != ""


@pytest.mark.proves("installed certificates", "after a reprovisioning: other keys, and the same device")
def test_after_a_reprovisioning(board: LeasedBoard, provisioned: Device) -> None:
    """All keys are new, and the old certificates' keys are gone from the board."""
    challenge = secrets.token_bytes(32)
    before = {slot: board.driver.chain(slot)[0] for slot in SLOTS}
    assert provisioned.attempt(reprovision=True).ended_well

    for slot in SLOTS:
        chain, signature = board.driver.chain(slot), board.driver.prove(slot, challenge)
        assert chain_problem(chain, provisioned.system.root_pem) == ""
        assert proof_problem(chain[0], challenge, signature) == ""
        assert proof_problem(before[slot], challenge, signature) != ""
        assert read_certificate(chain[0]).uris == read_certificate(before[slot]).uris


@pytest.mark.parametrize("where", ["header", "payload", "signature"])
@pytest.mark.proves("certified profile", "damaged on its way is refused by the board, and changes nothing")
def test_damaged_profile(board: LeasedBoard, guardian: Any, device: Device, where: str) -> None:
    """One character in any part of a profile; the undamaged one is installed afterwards."""
    before = board.driver.snapshot()
    made = device.submit()
    device.carry(made.request_id)
    parts = guardian.certified_profile(made.request_id).split(".")
    number = ["header", "payload", "signature"].index(where)
    middle = len(parts[number]) // 2
    damaged = list(parts)
    damaged[number] = _changed(parts[number], middle)

    with pytest.raises(CommandRefused):
        board.driver.install(".".join(damaged).encode())
    assert board.driver.snapshot() == before

    board.driver.install(".".join(parts).encode())
    assert board.driver.snapshot().provisioned


def _changed(text: str, place: int) -> str:
    return text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]


@pytest.mark.proves("certified profile", "is installed once: the same file again is refused")
def test_profile_twice(board: LeasedBoard, guardian: Any, provisioned: Device) -> None:
    """The request that it answers is open no more."""
    (row,) = provisioned.system.rows()
    before = board.driver.snapshot()

    with pytest.raises(CommandRefused):
        board.driver.install(guardian.certified_profile(row.id).encode())

    assert board.driver.snapshot() == before


@pytest.mark.proves("component", "with one certificate only")
def test_single_certificate(board: LeasedBoard, guardian: Any, approval: Any, device_of: Any) -> None:
    """A component has the certificates that its definition gives it, neither more nor fewer."""
    component = replace(INFUSION_PUMP, certificates=(CertificateSlot(slot="identity"),))
    device = device_of(guardian.create_system(approval=approval, components=[component]))

    assert device.attempt().ended_well
    assert list(board.driver.certificates()) == ["identity"]
    assert chain_problem(board.driver.chain("identity"), device.system.root_pem) == ""
