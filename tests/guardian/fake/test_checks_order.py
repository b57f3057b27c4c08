"""The checks in the order of the fact sheet (section 3): of several faults the first one found wins.

Suites rely on it, so every set of faults that a request can have at once is drawn here.
"""

from __future__ import annotations

import base64
import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness_guardian.fake.vault_contract import VaultCertificate
from tests.guardian.fake.domain import APPLIANCE, CLOUD, Domain, component, outcome
from tests.guardian.making import (
    JWS_TYPE,
    MadeRequest,
    PaperDevice,
    make_csr,
    make_key,
    rfc3339,
    sign_jws,
    thumbprint_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness_guardian.fake.records import ProvisioningRequest, System
    from tests.guardian.making import PrivateKey

REJECTED = "rejected_by_system"
MALFORMED = "PR_SIGNATURE_MALFORMED"

#: Faults of an initial request in the order in which they are looked for, and what each comes to.
INITIAL = {
    "nonce too short": MALFORMED,
    "says it is reprovisioning": MALFORMED,
    "unknown component": REJECTED,
    "too old": REJECTED,
    "nonce used before": REJECTED,
    "key not registered": "MISSING_PR_SIGNER_KEY",
    "signed by another": MALFORMED,
    "CSR not proven": MALFORMED,
    "appliance only": "APPLIANCE_ONLY",
    "hardware id taken": "DUPLICATE_HW_ID_FAILURE",
    "ward full": "MAX_INSTANCE_FAILURE",
}
#: The same of a reprovisioning request.
REPROVISIONING = {
    "nonce too short": MALFORMED,
    "says it is initial": MALFORMED,
    "component disabled": REJECTED,
    "from the future": REJECTED,
    "nonce used before": REJECTED,
    "Vault is late": "VAULT_REQUEST_TIMEOUT",
    "signer revoked": "UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER",
    "signed by another": MALFORMED,
    "CSR not proven": MALFORMED,
    "other component": "REPROVISIONING_MISMATCH_COMPONENT",
    "other instance": "REPROVISIONING_MISMATCH_INSTANCE",
    "other hardware id": "REPROVISIONING_MISMATCH_HARDWARE_IDENTIFIER",
    "in progress": "REPROVISIONING_PROVISIONING_COMPONENT",
}
#: What one request cannot have at once.
EITHER = [{"nonce too short", "nonce used before"}, {"component disabled", "other component"}]


def sets_of(faults: dict[str, str]) -> st.SearchStrategy[frozenset[str]]:
    """Draw faults that one request can have at once."""
    drawn = st.frozensets(st.sampled_from(list(faults)), min_size=1, max_size=4)
    return drawn.filter(lambda each: not any(pair <= each for pair in EITHER))


def neighbours(faults: dict[str, str]) -> list[tuple[str, str]]:
    """Return the faults of which one is looked for after the other, and whose outcomes differ."""
    return [
        (first, second)
        for first, second in itertools.pairwise(faults)
        if faults[first] != faults[second] and {first, second} not in EITHER
    ]


@dataclass
class Wards:
    """A system with devices: a pump and a local pump in Ward A, which has room for one of each.

    :ivar used: a request whose nonce is used up.
    """

    domain: Domain
    system: System
    used: MadeRequest

    def made(self, device: PaperDevice, faults: frozenset[str]) -> MadeRequest:
        """Make a request of a device with faults, those of form and proof."""
        changes: dict[str, Any] = {}
        if "nonce too short" in faults:
            changes["nonce"] = "AAAA"
        if "nonce used before" in faults:
            changes["nonce"] = self.used.payload["nonce"]
        if faults & {"says it is reprovisioning", "says it is initial"}:
            changes["reprovision"] = "says it is reprovisioning" in faults
        if "too old" in faults:
            changes["created_at"] = rfc3339(datetime.now(UTC) - timedelta(days=31))
        if "from the future" in faults:
            changes["created_at"] = rfc3339(datetime.now(UTC) + timedelta(minutes=6))
        keys = {slot: make_key(kind) for slot, kind in device.slots.items()}
        if "CSR not proven" in faults:
            csr = make_csr(keys["identity"], device.hw_id, signer=make_key())
            changes["csrs"] = [{"slot": "identity", "csr": base64.b64encode(csr).decode()}]
        payload = device.payload(keys, **changes)
        signer: PrivateKey = make_key() if "signed by another" in faults else device.signer
        kid = thumbprint_of(make_key()) if "key not registered" in faults else thumbprint_of(device.signer)
        content = sign_jws(payload, signer, kid=kid, x5c=device.chain)
        return MadeRequest(content=content, media_type=JWS_TYPE, payload=payload, keys=keys)

    def initial(self, faults: frozenset[str]) -> ProvisioningRequest:
        """Submit an initial request with faults."""
        name = "local" if "appliance only" in faults else "pump"
        device = self.domain.device(self.system, component=name, instance={"name": "Ward B"})
        if "ward full" in faults:
            device.instance = {"name": "Ward A"}
        if "hardware id taken" in faults:
            device.hw_id = f"taken-{name}"
        if "unknown component" in faults:
            device.component = "ghost"
        return self.domain.submit(self.made(device, faults))

    def reprovisioning(self, faults: frozenset[str]) -> ProvisioningRequest:
        """Submit the request of a device that has an identity, with faults."""
        device = self.domain.device(
            self.system, component="old" if "component disabled" in faults else "many"
        )
        row = self.domain.finished(device)
        waiting = None
        if "in progress" in faults:
            waiting = self.domain.submit(device.request())
            assert outcome(waiting) == "needs_approval"
        if "other component" in faults:
            device.component = "pump"
        if "other instance" in faults:
            device.instance = {"name": "Ward B"}
        if "other hardware id" in faults:
            device.hw_id = "SN-other"
        if "signer revoked" in faults:
            serial = row.certificates[0].serial
            known = self.domain.vault.known[serial]
            self.domain.vault.known[serial] = VaultCertificate(pem=known.pem, revoked=True)
        self.domain.vault.late = "Vault is late" in faults
        self._enable(enabled="component disabled" not in faults)
        try:
            return self.domain.submit(self.made(device, faults))
        finally:
            self.domain.vault.late = False
            self._enable(enabled=True)

    def _enable(self, *, enabled: bool) -> None:
        old = self.system.components["old"]
        self.system.components["old"] = type(old)(name="old", certificates=old.certificates, enabled=enabled)


@pytest.fixture(scope="module")
def wards() -> Iterator[Wards]:
    """The system of this module."""
    domain = Domain()
    system = domain.system(
        "Manual",
        component("pump", max_instances=1),
        component("local", max_instances=1, appliance_only=True),
        component("many"),
        component("old"),
    )
    used = domain.device(system, component="many").request()
    domain.submit(used)
    for name, door in (("pump", CLOUD), ("local", APPLIANCE)):
        domain.finished(domain.device(system, component=name, hw_id=f"taken-{name}"), door)
    yield Wards(domain, system, used)
    domain.close()


@pytest.mark.parametrize("fault", INITIAL)
def test_each_initial_fault(wards: Wards, fault: str) -> None:
    """Alone, every fault comes to what the fact sheet says."""
    assert outcome(wards.initial(frozenset({fault}))) == INITIAL[fault]


@pytest.mark.parametrize("fault", REPROVISIONING)
def test_each_reprovisioning_fault(wards: Wards, fault: str) -> None:
    """Alone, every fault comes to what the fact sheet says."""
    assert outcome(wards.reprovisioning(frozenset({fault}))) == REPROVISIONING[fault]


def test_requests_without_fault_pass(wards: Wards) -> None:
    """With no fault a request waits for approval: the faults above are the reason, and nothing else."""
    assert outcome(wards.initial(frozenset())) == "needs_approval"
    assert outcome(wards.reprovisioning(frozenset())) == "needs_approval"


@pytest.mark.parametrize("pair", neighbours(INITIAL), ids=", ".join)
def test_initial_neighbours(wards: Wards, pair: tuple[str, str]) -> None:
    """Of two faults that are looked for one after the other the first one wins."""
    assert outcome(wards.initial(frozenset(pair))) == INITIAL[pair[0]]


@pytest.mark.parametrize("pair", neighbours(REPROVISIONING), ids=", ".join)
def test_reprovisioning_neighbours(wards: Wards, pair: tuple[str, str]) -> None:
    """Of two faults that are looked for one after the other the first one wins."""
    assert outcome(wards.reprovisioning(frozenset(pair))) == REPROVISIONING[pair[0]]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(faults=sets_of(INITIAL))
def test_the_first_fault_of_an_initial_request_wins(wards: Wards, faults: frozenset[str]) -> None:
    """Whatever else is wrong with it."""
    first = next(fault for fault in INITIAL if fault in faults)
    assert outcome(wards.initial(faults)) == INITIAL[first]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(faults=sets_of(REPROVISIONING))
def test_the_first_fault_of_a_reprovisioning_request_wins(wards: Wards, faults: frozenset[str]) -> None:
    """Whatever else is wrong with it."""
    first = next(fault for fault in REPROVISIONING if fault in faults)
    assert outcome(wards.reprovisioning(faults)) == REPROVISIONING[first]


def test_a_request_that_fails_before_it_asks_nothing_of_vault(wards: Wards) -> None:
    """Vault is asked about a signer only when everything before is well."""
    before = len(wards.domain.vault.asked)
    row = wards.reprovisioning(frozenset({"from the future", "signer revoked"}))
    asked = [call for call, _about in wards.domain.vault.asked[before:]]
    assert (outcome(row), asked) == (REJECTED, ["issue"])  # that is the device's first provisioning
