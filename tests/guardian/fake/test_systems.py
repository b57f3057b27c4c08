"""System definitions: what is taken, what is refused, and what becomes of a system (fact sheet, 10.1)."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from harness_guardian.enums import Action, Status
from harness_guardian.fake.refusals import Refused
from harness_guardian.fake.vault_contract import VaultRefused, VaultTimeout
from tests.guardian.fake.domain import CLOUD, Domain, component, outcome
from tests.guardian.making import jwk_of, make_key, public_jwk_of, thumbprint_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness_guardian.fake.records import System


@pytest.fixture(scope="module")
def domain() -> Iterator[Domain]:
    """A service."""
    made = Domain()
    yield made
    made.close()


def create(domain: Domain, **definition: Any) -> System:
    """Make a system."""
    whole = {"name": f"S {uuid.uuid4()}", "components": [component()], **definition}
    system: System = domain.run(domain.service.create_system(domain.user(), whole))
    return system


def test_a_small_definition_has_the_defaults(domain: Domain) -> None:
    """What is not said is as the fact sheet has it."""
    system = create(domain, components=[{"name": "pump", "certificates": [{"slot": "identity"}]}])
    assert (system.approval_type, system.provision_source) == ("Manual", "Cloud")
    assert (system.complete_on_install, system.vault_timeout) == (False, 5.0)
    pump = system.components["pump"]
    assert (pump.max_instances, pump.appliance_only, pump.enabled) == (None, False, True)
    assert (pump.duplicate_hw_id, pump.hw_id_pattern) == ("deny", None)
    slot = pump.certificates[0]
    assert (slot.slot, slot.pki_role, slot.key) == ("identity", "identity", "P-256")
    assert (slot.ttl, slot.eku) == ("8760h", ("clientAuth",))
    assert uuid.UUID(system.id).hex == system.vault_id
    assert system.trust is not None
    assert system in domain.service.systems(domain.user())


def test_a_whole_definition_is_taken_as_it_is(domain: Domain) -> None:
    """Every key of section 10.1 has its place."""
    key, ward = make_key("Ed25519"), str(uuid.uuid4())
    slot = {"slot": "tls", "pki_role": "server", "ttl": "24h", "key": "P-384", "eku": ["serverAuth"]}
    system = create(
        domain,
        approval_type="Automatic",
        provision_source="Appliance",
        complete_on_install=True,
        vault_timeout=0.3,
        signer_keys=[{"kid": thumbprint_of(key), "jwk": public_jwk_of(key), "state": "pending"}],
        components=[
            {
                "name": "pump",
                "max_instances": 3,
                "appliance_only": True,
                "duplicate_hw_id": "allow",
                "hw_id_pattern": "SN-[0-9]+",
                "certificates": [slot],
                "enabled": False,
            }
        ],
        instances=[{"id": ward, "name": "Ward A"}],
    )
    assert (system.approval_type, system.provision_source) == ("Automatic", "Appliance")
    assert (system.complete_on_install, system.vault_timeout) == (True, 0.3)
    pump = system.components["pump"]
    assert (pump.max_instances, pump.appliance_only, pump.enabled) == (3, True, False)
    assert (pump.duplicate_hw_id, pump.hw_id_pattern) == ("allow", "SN-[0-9]+")
    assert pump.certificates[0].pki_role == "server"
    assert system.instances[ward].name == "Ward A"
    registered = system.signer_keys[thumbprint_of(key)]
    assert (registered.jwk, registered.state) == (public_jwk_of(key), "pending")


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no components": ({"components": []}, "components"),
    "unknown key": ({"colour": "red"}, "colour"),
    "what Vault makes": ({"trust": []}, "trust"),
    "no name": ({"name": ""}, "name"),
    "long name": ({"name": "x" * 65}, "name"),
    "name of two lines": ({"name": "a\nb"}, "name"),
    "name of two parts of an address": ({"name": "a/b"}, "name"),
    "name that leads up": ({"name": ".."}, "name"),
    "unknown type": ({"approval_type": "Perhaps"}, "approval_type"),
    "time-out of nothing": ({"vault_timeout": 0}, "vault_timeout"),
    "no slots": ({"components": [component(slots={})]}, "components.0.certificates"),
    **{
        f"life of {life}": (
            {"components": [{"name": "pump", "certificates": [{"slot": "a", "ttl": life}]}]},
            "components.0.certificates.0.ttl",
        )
        for life in ("78841h", "3286d", "283824001", "4730401m", "0h", "1y")
    },
    "unknown kind of key": (
        {"components": [component(slots={"identity": "RSA"})]},
        "components.0.certificates.0.key",
    ),
    "less than none": ({"components": [component(max_instances=-1)]}, "components.0.max_instances"),
    "no pattern": ({"components": [component(hw_id_pattern="(")]}, "components.0.hw_id_pattern"),
    "pattern of too many": (
        {"components": [component(hw_id_pattern="x{99999999999999999999}")]},
        "components.0.hw_id_pattern",
    ),
    "pattern too deep": (
        {"components": [component(hw_id_pattern="(" * 5000 + ")" * 5000)]},
        "components.0.hw_id_pattern",
    ),
    "pattern with half a character": (
        {"components": [component(hw_id_pattern="\ud800")]},
        "components.0.hw_id_pattern",
    ),
    "one name twice": ({"components": [component(), component()]}, "components"),
    "one slot twice": (
        {"components": [{"name": "pump", "certificates": [{"slot": "a"}, {"slot": "a"}]}]},
        "components.0.certificates",
    ),
    "no UUID": ({"instances": [{"name": "Ward A", "id": "7"}]}, "instances.0.id"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_definition_that_cannot_be_is_refused(domain: Domain, name: str) -> None:
    """The refusal says which key, and there is no such system."""
    changes, key = REFUSED[name]
    before = domain.service.systems(domain.user())
    with pytest.raises(Refused) as refusal:
        create(domain, **changes)
    assert (refusal.value.status, refusal.value.slug) == (422, "not-valid")
    assert refusal.value.detail.startswith(f"{key}: ")
    assert domain.service.systems(domain.user()) == before


@pytest.mark.parametrize("life", ["78840h", "3285d", "283824000", "283824000s", "4730400m"])
def test_certificates_of_nine_years(domain: Domain, life: str) -> None:
    """That is the longest, in whatever unit."""
    system = create(domain, components=[{"name": "pump", "certificates": [{"slot": "a", "ttl": life}]}])
    assert system.components["pump"].certificates[0].ttl == life


def test_a_name_is_one_systems_of_all_organisations(domain: Domain) -> None:
    """A device finds its organisation by the name: it is refused wherever it is taken."""
    taken = domain.system()
    stranger = domain.service.add_organisation("stranger")[0].users["anna"]
    for user in (domain.user(), stranger):
        with pytest.raises(Refused) as refusal:
            domain.run(domain.service.create_system(user, {"name": taken.name, "components": [component()]}))
        assert (refusal.value.status, refusal.value.slug) == (409, "name-taken")
    assert domain.service.system_of_anybody(taken.name) is taken


@pytest.mark.parametrize("error", [VaultTimeout("late"), VaultRefused(503, "sealed")])
def test_without_vault_there_is_no_system(
    domain: Domain, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """The refusal says why, and the name stays free."""
    name = f"Without Vault {error}"

    async def fail(_system: System) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(domain.vault, "set_up", fail)
        with pytest.raises(Refused) as refusal:
            create(domain, name=name)
    assert (refusal.value.status, refusal.value.slug) == (503, "vault-unavailable")
    assert str(error) in refusal.value.detail
    assert create(domain, name=name).name == name


def test_a_system_changes_for_requests_to_come(domain: Domain) -> None:
    """A request that is there keeps the approval type that it began with."""
    system = domain.system("Manual")
    row = domain.waiting(system)
    changes = {"approval_type": "Automatic", "components": [component(max_instances=1)]}
    assert domain.run(domain.service.change_system(domain.user(), system.name, changes)) is system
    assert domain.service.actions(domain.user(), CLOUD, row) == (Action.APPROVE, Action.REJECT)
    assert outcome(domain.submit(domain.device(system).request())) == "provisioned"
    assert outcome(domain.submit(domain.device(system).request())) == "MAX_INSTANCE_FAILURE"
    assert system.components["pump"].certificates[0].slot == "identity"


@pytest.mark.parametrize("changes", [{"name": "other"}, {"components": []}, {"vault_timeout": -1}])
def test_a_change_that_cannot_be_is_refused(domain: Domain, changes: dict[str, Any]) -> None:
    """Nothing has changed then."""
    system = domain.system()
    before = (system.name, dict(system.components), system.vault_timeout)
    with pytest.raises(Refused) as refusal:
        domain.run(domain.service.change_system(domain.user(), system.name, changes))
    assert refusal.value.status == 422
    assert (system.name, system.components, system.vault_timeout) == before


def test_a_change_that_vault_does_not_follow_is_refused(
    domain: Domain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The components are as before."""
    system = domain.system()
    before = system.components

    async def fail(_system: System) -> None:
        raise VaultTimeout("late")

    monkeypatch.setattr(domain.vault, "set_roles", fail)
    with pytest.raises(Refused) as refusal:
        domain.run(
            domain.service.change_system(domain.user(), system.name, {"components": [component("valve")]})
        )
    assert (refusal.value.status, system.components) == (503, before)


def test_two_changes_at_once_are_both_made(domain: Domain, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is changed while Vault follows an earlier change stays as it was changed."""
    system = domain.system("Manual")
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def take_time(_system: System) -> None:
        begun.set()
        await goes_on.wait()

    async def both() -> None:
        change = domain.service.change_system
        slow = asyncio.ensure_future(
            change(domain.user(), system.name, {"components": [component("valve")], "vault_timeout": 2.0})
        )
        await begun.wait()
        await change(domain.user(), system.name, {"approval_type": "Automatic"})
        goes_on.set()
        await slow

    monkeypatch.setattr(domain.vault, "set_roles", take_time)
    domain.run(both())
    assert (system.approval_type, list(system.components)) == ("Automatic", ["valve"])
    assert system.vault_timeout == 2.0


def test_instances_are_added(domain: Domain) -> None:
    """An instance has an id and a name that no other instance of the system has."""
    system = domain.system()
    made = domain.service.add_instance(domain.user(), system.name, {"name": "Ward C"})
    assert system.instances[made.id] is made
    for taken in ({"name": "Ward C"}, {"name": "Ward D", "id": made.id}):
        with pytest.raises(Refused) as refusal:
            domain.service.add_instance(domain.user(), system.name, taken)
        assert refusal.value.status == 409
    with pytest.raises(Refused) as refusal:
        domain.service.add_instance(domain.user(), system.name, {})
    assert refusal.value.status == 422
    assert (
        outcome(domain.submit(domain.device(system, instance={"id": made.id}).request())) == "needs_approval"
    )


def test_a_signer_key_changes_its_state(domain: Domain) -> None:
    """A key is registered once; afterwards its name is enough."""
    system, key = domain.system(), make_key()
    sent = {"kid": thumbprint_of(key), "jwk": public_jwk_of(key), "state": "pending"}
    put = domain.service.put_signer_key
    assert put(domain.user(), system.name, sent)[1] is True
    device = domain.device(system, signer=key)
    assert outcome(domain.submit(device.request())) == "MISSING_PR_SIGNER_KEY"
    changed, made = put(domain.user(), system.name, {"kid": sent["kid"], "state": "active"})
    assert (changed.jwk, changed.state, made) == (sent["jwk"], "active", False)
    assert outcome(domain.submit(device.request())) == "needs_approval"


def test_a_signer_key_is_a_public_key_that_signs_requests(domain: Domain) -> None:
    """Anything else is refused, and no text holds any of a key."""
    system, key, edwards = domain.system(), make_key(), make_key("Ed25519")
    private = jwk_of(key).export(private_key=True, as_dict=True)
    right = public_jwk_of(key)
    wrong: list[dict[str, Any]] = [
        {"kid": thumbprint_of(key)},
        {"kid": "another", "jwk": right},
        {"kid": thumbprint_of(key), "jwk": private},
        {"kid": thumbprint_of(key), "jwk": {**right, "y": right["x"]}},
        {"kid": thumbprint_of(key), "jwk": {**right, "kty": "RSA"}},
        {"kid": thumbprint_of(key), "jwk": {"kty": "OKP"}},
        {"kid": thumbprint_of(edwards), "jwk": {**public_jwk_of(edwards), "kty": "oct", "k": "AAAA"}},
        {"kid": thumbprint_of(key), "jwk": {**right, "kty": ["EC"]}},
        {"kid": "P-384", "jwk": public_jwk_of(make_key("P-384"))},
        {"jwk": right},
    ]
    for each in wrong:
        with pytest.raises(Refused) as refusal:
            domain.service.put_signer_key(domain.user(), system.name, each)
        assert refusal.value.status == 422
        assert private["d"] not in refusal.value.detail
        assert right["x"] not in refusal.value.detail
    assert thumbprint_of(key) not in system.signer_keys


def test_a_deleted_system_is_gone_with_everything(domain: Domain) -> None:
    """Its requests, also waiting ones, and its devices; others stay; the name is free again."""
    system, other = domain.system(), domain.system()
    done, waits, stays = domain.waiting(system), domain.waiting(system), domain.waiting(other)
    domain.provision(domain.approve(done))
    made = domain.device(system).request()
    domain.submit(made)
    domain.run(domain.service.delete_system(domain.user(), system.name))
    assert domain.service.visible(domain.user(), system.name) == []
    for row in (done, waits):
        with pytest.raises(Refused) as refusal:
            domain.service.request(CLOUD, row.id)
        assert refusal.value.status == 404
    assert domain.service.request(CLOUD, stays.id) is stays
    with pytest.raises(Refused) as refusal:
        domain.submit(made)
    assert refusal.value.slug == "unknown-system"
    again = create(domain, name=system.name)
    assert again.id != system.id
    with pytest.raises(Refused) as refusal:
        domain.run(domain.service.delete_system(domain.user(), "nothing"))
    assert refusal.value.status == 404


@pytest.mark.parametrize("status", [Status.VERIFYING, Status.AUTO_APPROVED, Status.PROVISIONING])
def test_a_system_at_work_is_not_deleted(domain: Domain, status: Status) -> None:
    """While the service is at work on one of its requests it stays; afterwards it goes."""
    system = domain.system("Automatic")
    hold = domain.service.hold("acme", system.name, status)
    row = domain.received(domain.device(system).request())
    assert not domain.run(domain.service.wait_until_final(row, 0.02))
    with pytest.raises(Refused) as refusal:
        domain.run(domain.service.delete_system(domain.user(), system.name))
    assert (refusal.value.status, refusal.value.slug) == (409, "in-progress")

    async def release() -> None:
        domain.service.release_hold(hold.id)

    domain.run(release())
    assert outcome(domain.settled(row)) == "provisioned"
    domain.run(domain.service.delete_system(domain.user(), system.name))


def test_a_vault_that_keeps_what_it_made_is_noted(domain: Domain, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system is gone all the same; an event says what stayed in Vault."""
    system = domain.system()

    async def fail(_system: System) -> None:
        raise VaultRefused(403, "permission denied")

    monkeypatch.setattr(domain.vault, "tear_down", fail)
    domain.run(domain.service.delete_system(domain.user(), system.name))
    last = domain.service.events("acme")[-1]
    assert (last.kind, last.facts["system"]) == ("tear-down-failed", system.name)
