"""How many devices there may be, and which may have one hardware id (fact sheet, sections 2.4 and 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness_guardian.enums import Action, ErrorCode
from harness_guardian.fake.records import InstanceState
from harness_guardian.fake.vault_contract import Failure, VaultCertificate, VaultRefused
from tests.guardian.fake.domain import APPLIANCE, CLOUD, Domain, adopt, component, outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness_guardian.fake.records import ProvisioningRequest, System

A, B = {"name": "Ward A"}, {"name": "Ward B"}
DUPLICATE, FULL = "DUPLICATE_HW_ID_FAILURE", "MAX_INSTANCE_FAILURE"


@pytest.fixture(scope="module")
def domain() -> Iterator[Domain]:
    """A service."""
    made = Domain()
    yield made
    made.close()


def initial(domain: Domain, system: System, hw_id: str, ward: dict[str, str] = A) -> ProvisioningRequest:
    """Submit an initial request of a device."""
    return domain.submit(domain.device(system, hw_id=hw_id, instance=ward).request())


@pytest.mark.parametrize(
    ("policy", "same_ward", "other_ward"),
    [
        ("deny", DUPLICATE, DUPLICATE),
        ("allow_same_instance", "provisioned", DUPLICATE),
        ("allow", "provisioned", "provisioned"),
    ],
)
def test_the_three_policies_for_a_hardware_id_that_is_there(
    domain: Domain, policy: str, same_ward: str, other_ward: str
) -> None:
    """The policy of the component decides, in the same system instance and in another one."""
    system = domain.system("Automatic", component(duplicate_hw_id=policy))
    assert outcome(initial(domain, system, "SN-1")) == "provisioned"
    assert outcome(initial(domain, system, "SN-1", B)) == other_ward
    assert outcome(initial(domain, system, "SN-1")) == same_ward


def test_a_hardware_id_is_of_one_component_of_one_system(domain: Domain) -> None:
    """Another component, or the same one of another system, may have the same hardware id."""
    system = domain.system("Automatic", component("pump"), component("valve"))
    other = domain.system("Automatic")
    rows = [
        domain.submit(domain.device(where, component=name, hw_id="SN-1").request())
        for where, name in ((system, "pump"), (system, "valve"), (other, "pump"))
    ]
    assert [outcome(row) for row in rows] == ["provisioned"] * 3


def test_a_device_that_takes_the_place_of_a_lost_one_retires_it(domain: Domain) -> None:
    """The lost device's identity is worth nothing any more, and it does not count."""
    system = domain.system("Automatic", component(duplicate_hw_id="allow_same_instance", max_instances=2))
    lost = domain.device(system, hw_id="SN-1")
    old = domain.finished(lost)
    new = initial(domain, system, "SN-1")
    assert outcome(new) == "provisioned"
    assert old.component_instance is not None
    assert new.component_instance is not old.component_instance
    assert old.component_instance.state is InstanceState.RETIRED
    assert ("revoke", old.certificates[0].serial) in domain.vault.asked
    assert outcome(domain.submit(lost.request())) == "UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER"
    others = [outcome(initial(domain, system, hw_id)) for hw_id in ("SN-2", "SN-3")]
    assert others == ["provisioned", FULL]


def test_a_retired_device_is_no_signer_even_if_vault_knows_it(domain: Domain) -> None:
    """Vault did not revoke the lost device's identity: the service does not take it all the same."""
    system = domain.system("Automatic", component(duplicate_hw_id="allow_same_instance"))
    lost = domain.device(system, hw_id="SN-1")
    domain.finished(lost)
    domain.vault.late = True
    initial(domain, system, "SN-1")
    domain.vault.late = False
    row = domain.submit(lost.request())
    assert outcome(row) == "UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER"
    assert row.history[-1].detail == "the signer's device is retired"


def test_a_retired_device_is_not_provisioned_again(domain: Domain) -> None:
    """Another device takes its place while its own request waits: it does not come back, the other stays."""
    system = domain.system("Manual", component(duplicate_hw_id="allow_same_instance"))
    lost = domain.device(system, hw_id="SN-1")
    domain.finished(lost)
    waiting = domain.approve(domain.submit(lost.request()))
    found = domain.finished(domain.device(system, hw_id="SN-1"))
    assert outcome(domain.provision(waiting)) == "UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER"
    assert waiting.history[-1].detail == "the signer's device is retired"
    devices = [waiting.component_instance, found.component_instance]
    assert [each and each.state for each in devices] == [InstanceState.RETIRED, InstanceState.PROVISIONED]
    assert ("issue", waiting.id) not in domain.vault.asked


def test_the_most_devices_of_a_component_are_of_a_system_instance(domain: Domain) -> None:
    """Two fit into each ward; the third is one too many, there alone."""
    system = domain.system("Automatic", component(max_instances=2))
    rows = [initial(domain, system, f"SN-{number}") for number in range(3)]
    assert [outcome(row) for row in rows] == ["provisioned", "provisioned", FULL]
    assert outcome(initial(domain, system, "SN-3", B)) == "provisioned"


def test_no_device_fits_where_none_may_be(domain: Domain) -> None:
    """Zero is a number, too."""
    system = domain.system("Automatic", component(max_instances=0))
    assert outcome(initial(domain, system, "SN-1")) == FULL


def test_what_only_waits_for_approval_does_not_count(domain: Domain) -> None:
    """A device counts from its approval on."""
    system = domain.system("Manual", component(max_instances=1))
    first, second = initial(domain, system, "SN-1"), initial(domain, system, "SN-2")
    assert [outcome(first), outcome(second)] == ["needs_approval"] * 2
    domain.approve(first)
    assert outcome(initial(domain, system, "SN-3")) == FULL
    assert outcome(initial(domain, system, "SN-1")) == DUPLICATE


@pytest.mark.parametrize(("hw_id", "error"), [("SN-1", DUPLICATE), ("SN-2", FULL)])
def test_of_two_approved_requests_the_second_to_be_provisioned_fails(
    domain: Domain, hw_id: str, error: str
) -> None:
    """The place is taken when provisioning begins: that is looked at once more then."""
    system = domain.system("Manual", component(max_instances=1))
    rows = [initial(domain, system, "SN-1"), initial(domain, system, hw_id)]
    for row in rows:
        domain.approve(row)
    assert [outcome(row) for row in rows] == ["complete_provisioning"] * 2
    assert outcome(domain.provision(rows[1])) == "provisioned"
    assert outcome(domain.provision(rows[0])) == error
    assert ("issue", rows[0].id) not in domain.vault.asked


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_of_two_provisioned_at_once_the_first_one_has_the_place(domain: Domain, order: list[int]) -> None:
    """In a bulk the order is that of the requests; exactly one is provisioned."""
    system = domain.system("Manual", component())
    rows = [initial(domain, system, "SN-1") for _twice in range(2)]
    for row in rows:
        domain.approve(row)
    wanted = [rows[place] for place in order]

    async def provision() -> None:
        domain.service.bulk(domain.user(), CLOUD, Action.PROVISION, wanted)

    domain.run(provision())
    assert [outcome(domain.settled(row)) for row in wanted] == ["provisioned", DUPLICATE]


def test_what_failed_does_not_count(domain: Domain) -> None:
    """A device that Vault did not sign for may try again, and its place is free."""
    system = domain.system("Automatic", component(max_instances=1))
    code = ErrorCode.FAIL_SIGN_DEVICE_CERTIFICATES
    domain.vault.failure = Failure(code=code, detail="permission denied")
    try:
        failed = initial(domain, system, "SN-1")
    finally:
        domain.vault.failure = None
    assert outcome(failed) == code
    assert failed.component_instance is not None
    assert failed.component_instance.state is InstanceState.FAILED
    assert outcome(initial(domain, system, "SN-1")) == "provisioned"


def test_what_a_user_rejected_does_not_count(domain: Domain) -> None:
    """Rejected before it was approved, a device never was one."""
    system = domain.system("Manual", component(max_instances=1))
    row = initial(domain, system, "SN-1")
    domain.act(row, Action.REJECT)
    assert (outcome(row), row.component_instance) == ("rejected_by_user", None)
    assert outcome(initial(domain, system, "SN-1")) == "needs_approval"


def test_reprovisioning_needs_no_place(domain: Domain) -> None:
    """It is the same device: same component instance, no duplicate, not one more."""
    system = domain.system("Automatic", component(max_instances=1))
    device = domain.device(system)
    first = domain.finished(device)
    second = domain.finished(device)
    assert second.component_instance is first.component_instance
    assert second.response_id != first.response_id
    assert second.component_instance is not None
    assert second.component_instance.certificates == second.certificates


def test_a_device_of_the_appliance_is_reprovisioned_by_the_cloud(domain: Domain) -> None:
    """Devices are shared by both doors; only the initial request has to go to the appliance."""
    system = domain.system("Automatic", component(appliance_only=True))
    device = domain.device(system)
    first = domain.finished(device, APPLIANCE)
    second = domain.finished(device, CLOUD)
    assert second.component_instance is first.component_instance
    assert [row.door for row in (first, second)] == [APPLIANCE, CLOUD]


@pytest.mark.parametrize("door", [CLOUD, APPLIANCE])
@pytest.mark.parametrize("how_far", ["needs_approval", "complete_provisioning"])
def test_a_device_has_one_reprovisioning_at_a_time(domain: Domain, door: Any, how_far: str) -> None:
    """While one is not final a second one fails, at whichever door; afterwards it may."""
    system = domain.system("Manual")
    device = domain.device(system)
    domain.finished(device)
    first = domain.submit(device.request())
    if how_far == "complete_provisioning":
        domain.approve(first)
    assert outcome(first) == how_far
    second = domain.submit(device.request(), door=door)
    assert outcome(second) == "REPROVISIONING_PROVISIONING_COMPONENT"
    if how_far == "needs_approval":
        domain.act(first, Action.REJECT)
    else:
        domain.provision(first)
    assert outcome(domain.submit(device.request(), door=door)) == "needs_approval"


def test_of_two_reprovisionings_at_once_the_first_one_passes(domain: Domain) -> None:
    """Received in one moment they are looked at one after the other."""
    system = domain.system("Automatic")
    device = domain.device(system)
    domain.finished(device)
    made = [device.request() for _twice in range(2)]

    async def submit() -> list[ProvisioningRequest]:
        answers = [domain.service.submit(each.content, each.media_type, CLOUD, None) for each in made]
        return [(await answer).request for answer in answers]

    rows = domain.run(submit())
    assert [outcome(domain.settled(row)) for row in rows] == [
        "provisioned",
        "REPROVISIONING_PROVISIONING_COMPONENT",
    ]


def test_a_failed_reprovisioning_leaves_the_device_as_it_was(domain: Domain) -> None:
    """Its certificates, its identity and its place stay; the next one may succeed."""
    system = domain.system("Automatic", component(max_instances=1))
    device = domain.device(system)
    first = domain.finished(device)
    code = ErrorCode.VAULT_REQUEST_TIMEOUT
    domain.vault.failure = Failure(code=code, detail="no answer in time")
    try:
        failed = domain.submit(device.request())
    finally:
        domain.vault.failure = None
    assert outcome(failed) == code
    known = first.component_instance
    assert known is not None
    assert (known.state, known.certificates) == (InstanceState.PROVISIONED, first.certificates)
    assert known.open_requests == set()
    assert outcome(domain.submit(device.request())) == "provisioned"


def test_the_old_identity_signs_until_it_is_revoked(domain: Domain) -> None:
    """A device that never installed the new certificates can ask again with the old ones."""
    system = domain.system("Automatic")
    device = domain.device(system)
    domain.finished(device)
    again = domain.submit(device.request())
    assert outcome(again) == "provisioned"
    assert outcome(domain.submit(device.request())) == "provisioned"


@pytest.mark.parametrize("state", ["pending", "retired"])
def test_only_an_active_key_signs_initial_requests(domain: Domain, state: str) -> None:
    """A key that is registered but not active counts as missing; a device's own identity does not need it."""
    system = domain.system("Automatic")
    device = domain.device(system)
    domain.finished(device)
    kid = next(iter(system.signer_keys))
    domain.service.put_signer_key(domain.user(), system.name, {"kid": kid, "state": state})
    assert outcome(initial(domain, system, "SN-1")) == "MISSING_PR_SIGNER_KEY"
    assert outcome(domain.submit(device.request())) == "provisioned"


def test_a_leaf_of_another_slot_is_no_identity(domain: Domain) -> None:
    """A device signs by its identity, not by another certificate of its own."""
    slots = {"identity": "P-256", "tls": "P-256"}
    system = domain.system("Automatic", component("pump", slots))
    device = domain.device(system, slots=slots)
    made = device.request()
    row = domain.submit(made)
    adopt(device, made, row, slot="tls")
    assert outcome(domain.submit(device.request())) == "UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER"


def test_a_signer_that_vault_forgot_is_unknown(domain: Domain) -> None:
    """What Vault answers 404 for cannot sign."""
    device = domain.device(domain.system("Automatic"))
    domain.forget(domain.finished(device))
    assert outcome(domain.submit(device.request())) == "UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER"


@pytest.mark.parametrize("pem", ["", "another"])
def test_a_certificate_that_vault_knows_otherwise_is_no_identity(domain: Domain, pem: str) -> None:
    """What Vault has under the serial number has to be the very certificate that came with the request."""
    device, other = (domain.device(domain.system("Automatic")) for _twice in range(2))
    serials = [domain.finished(each).certificates[0].serial for each in (device, other)]
    wrong = domain.vault.known[serials[1]].pem if pem else ""
    domain.vault.known[serials[0]] = VaultCertificate(pem=wrong, revoked=False)
    assert outcome(domain.submit(device.request())) == "UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER"


def test_a_vault_that_refuses_the_look_up_leaves_the_signer_unknown(
    domain: Domain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look-up that ends in a refusal finds nobody; its reason is in the history."""
    device = domain.device(domain.system("Automatic"))
    domain.finished(device)

    async def refuse(_system: System, _serial: str, *, request_id: str) -> None:
        raise VaultRefused(403, f"permission denied for {request_id}")

    with monkeypatch.context() as patch:
        patch.setattr(domain.vault, "read_certificate", refuse)
        row = domain.submit(device.request())
    assert outcome(row) == "UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER"
    assert row.history[-1].detail == f"permission denied for {row.id}"
