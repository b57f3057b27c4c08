"""Who may do what, and who sees what (guardian fact sheet, sections 1.1 and 10.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness_guardian.enums import Action, Role
from harness_guardian.fake.refusals import Refused
from tests.guardian.fake.domain import APPLIANCE, CLOUD, Domain, component, outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness_guardian.fake.records import System

NOT_ADMINS = ["rita", "liam"]


@pytest.fixture(scope="module")
def domain() -> Iterator[Domain]:
    """A service."""
    made = Domain()
    yield made
    made.close()


@pytest.fixture(scope="module")
def system(domain: Domain) -> System:
    """A Manual system."""
    return domain.system()


def test_the_first_users_of_an_organisation(domain: Domain) -> None:
    """Two Admins, a Reporter and two Limited users; making it again finds it."""
    roles = {user.name: user.role for user in domain.organisation.users.values()}
    assert roles == {
        "anna": "Admin",
        "bert": "Admin",
        "rita": "Reporter",
        "liam": "Limited",
        "lena": "Limited",
    }
    assert domain.service.add_organisation("acme") == (domain.organisation, False)
    assert [domain.service.user_by_token(user.token) for user in domain.organisation.users.values()] == list(
        domain.organisation.users.values()
    )


def test_a_token_is_no_part_of_what_is_printed(domain: Domain) -> None:
    """Tokens are secrets."""
    assert all(user.token not in repr(user) for user in domain.organisation.users.values())
    assert len({user.token for user in domain.organisation.users.values()}) == 5


def test_a_user_more(domain: Domain) -> None:
    """A user is added once; the same name in another role is refused, and so is an unknown organisation."""
    domain.service.add_organisation("more")
    carl = domain.service.add_user("more", "carl", Role.REPORTER)
    assert domain.service.add_user("more", "carl", Role.REPORTER) is carl
    with pytest.raises(Refused) as refusal:
        domain.service.add_user("more", "carl", Role.ADMIN)
    assert refusal.value.status == 409
    with pytest.raises(Refused) as refusal:
        domain.service.add_user("nowhere", "carl", Role.ADMIN)
    assert refusal.value.status == 404
    with pytest.raises(Refused) as refusal:
        domain.service.user_by_token("guessed")
    assert refusal.value.status == 401


@pytest.mark.parametrize("who", NOT_ADMINS)
@pytest.mark.parametrize("action", Action)
def test_only_admins_decide(domain: Domain, system: System, who: str, action: Action) -> None:
    """A Reporter or Limited user is offered nothing, and refused with 403; nothing changes."""
    row = domain.waiting(system, "liam")
    if action is Action.PROVISION:
        domain.approve(row)
    before = (row.status, row.version)
    user = domain.user(who)
    assert domain.service.actions(user, CLOUD, row) == ()
    calls: list[Any] = [
        lambda: domain.service.act(user, CLOUD, row, action),
        lambda: domain.service.bulk(user, CLOUD, action, [row]),
        lambda: domain.service.bulk_by_ids(user, CLOUD, action, [row.id]),
    ]
    for call in calls:
        with pytest.raises(Refused) as refusal:
            call()
        assert (refusal.value.status, refusal.value.slug) == (403, "role")
    assert (row.status, row.version) == before


def test_what_admins_are_offered(domain: Domain, system: System) -> None:
    """Approve and reject while it needs approval, provision when it is approved, nothing afterwards."""
    row = domain.waiting(system)
    offered = [domain.service.actions(domain.user("bert"), CLOUD, row)]
    for step in (domain.approve, domain.provision):
        step(row)
        offered.append(domain.service.actions(domain.user("bert"), CLOUD, row))
    assert offered == [(Action.APPROVE, Action.REJECT), (Action.PROVISION,), ()]


@pytest.mark.parametrize("action", Action)
def test_nobody_decides_in_an_automatic_system(domain: Domain, action: Action) -> None:
    """Nothing is offered there, and every order is refused with 422."""
    row = domain.submit(domain.device(domain.system("Automatic")).request())
    assert domain.service.actions(domain.user(), CLOUD, row) == ()
    with pytest.raises(Refused) as refusal:
        domain.act(row, action)
    assert (refusal.value.status, refusal.value.slug) == (422, "automatic-approval")


def test_the_other_door_decides_nothing(domain: Domain, system: System) -> None:
    """The cloud shows what came in at the appliance, but only the appliance acts on it."""
    row = domain.submit(domain.device(system).request(), door=APPLIANCE)
    assert row in domain.service.visible(domain.user(), system.name)
    assert domain.service.actions(domain.user(), CLOUD, row) == ()
    assert domain.service.actions(domain.user(), APPLIANCE, row) != ()
    with pytest.raises(Refused) as refusal:
        domain.act(row, Action.APPROVE, door=CLOUD)
    assert (refusal.value.status, refusal.value.slug) == (409, "wrong-door")
    assert outcome(domain.act(row, Action.APPROVE, door=APPLIANCE)) == "complete_provisioning"


def test_what_a_limited_user_sees(domain: Domain) -> None:
    """What they uploaded themselves: no other's, and nothing that a device brought itself."""
    system = domain.system()
    rows = {who: domain.waiting(system, who) for who in (None, "anna", "liam", "lena")}
    seen = {
        viewer: [
            who
            for who, row in rows.items()
            if row in domain.service.visible(domain.user(viewer), system.name)
        ]
        for viewer in ("anna", "rita", "liam", "lena")
    }
    everything = [None, "anna", "liam", "lena"]
    assert seen == {"anna": everything, "rita": everything, "liam": ["liam"], "lena": ["lena"]}
    for viewer, visible in seen.items():
        for who, row in rows.items():
            user = domain.user(viewer)
            assert domain.service.may_see(user, row) == (who in visible)
            if who in visible:
                assert domain.service.request_for(user, APPLIANCE, row.id) is row
                continue
            with pytest.raises(Refused) as refusal:
                domain.service.request_for(user, CLOUD, row.id)
            assert refusal.value.status == 404


def test_an_organisation_sees_nothing_of_another(domain: Domain, system: System) -> None:
    """Neither systems nor requests; its Admin's orders come to nothing, as if there were none."""
    stranger = domain.service.add_organisation("stranger")[0].users["anna"]
    row = domain.waiting(system)
    assert domain.service.visible(stranger) == []
    assert domain.service.visible(stranger, system.name) == []
    assert domain.service.systems(stranger) == []
    assert not domain.service.may_see(stranger, row)
    calls: list[Any] = [
        lambda: domain.service.system(stranger, system.name),
        lambda: domain.service.request_for(stranger, CLOUD, row.id),
        lambda: domain.service.act(stranger, CLOUD, row, Action.APPROVE),
    ]
    for call in calls:
        with pytest.raises(Refused) as refusal:
            call()
        assert refusal.value.status == 404
    assert outcome(row) == "needs_approval"


@pytest.mark.parametrize("who", NOT_ADMINS)
def test_only_admins_define(domain: Domain, system: System, who: str) -> None:
    """Systems, instances and keys are an Admin's."""
    user = domain.user(who)
    calls: list[Any] = [
        lambda: domain.run(domain.service.create_system(user, {"name": "x", "components": [component()]})),
        lambda: domain.run(domain.service.change_system(user, system.name, {})),
        lambda: domain.run(domain.service.delete_system(user, system.name)),
        lambda: domain.service.add_instance(user, system.name, {"name": "Ward C"}),
        lambda: domain.service.put_signer_key(user, system.name, {"kid": "x"}),
    ]
    for call in calls:
        with pytest.raises(Refused) as refusal:
            call()
        assert (refusal.value.status, refusal.value.slug) == (403, "role")
    assert domain.service.system(user, system.name) is system


def test_what_is_not_there(domain: Domain) -> None:
    """Organisations, systems and requests that nobody made are not found."""
    calls: list[Any] = [
        lambda: domain.service.organisation("nowhere"),
        lambda: domain.service.events("nowhere"),
        lambda: domain.service.order_dwell("nowhere", 0.0),
        lambda: domain.service.system(domain.user(), "nothing"),
        lambda: domain.service.system_of_anybody("nothing"),
        lambda: domain.service.request(CLOUD, "nothing"),
        lambda: domain.service.fill_for_measurements("acme", "nothing", 1),
    ]
    for call in calls:
        with pytest.raises(Refused) as refusal:
            call()
        assert refusal.value.status == 404
