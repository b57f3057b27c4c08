"""Reprovisioning: a device that is provisioned is given other credentials, or the same ones again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness_pelion.enums import DeveloperVariable as Dev
from harness_pelion.enums import DeviceState
from harness_pelion.enums import UpdateVariable as Upd
from harness_pelion.update_material import update_resources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.inventory.leased_board import LeasedBoard
    from harness_pelion.attempting import Attempts
    from harness_pelion.resources import DeveloperCredentials, UpdateResources

pytestmark = pytest.mark.board(driver="mbl", destructive=True)


@pytest.fixture
def another(pelion: Any) -> DeveloperCredentials:
    """Credentials of a second certificate of the account."""
    credentials: DeveloperCredentials = pelion.create_developer_certificate(
        pelion.own_name("another")
    ).credentials()
    return credentials


@pytest.fixture
def stranger(pelion: Any) -> Iterator[Any]:
    """Another account; what it makes is undone."""
    account = pelion.another_account()
    yield account
    try:
        account.undo()
    finally:
        account.world.close()


@pytest.mark.proves("reprovision", "another certificate: another device")
def test_another_certificate(
    board: LeasedBoard,
    attempts: Attempts,
    developer: DeveloperCredentials,
    another: DeveloperCredentials,
    update: UpdateResources,
    pelion: Any,
) -> None:
    """It gets a new endpoint name and a new id; the entry of the old one stays as it was."""
    old = attempts(developer, update)

    new = attempts(another, update)

    assert new.evidence.first_broken() is None
    assert new.device.id != old.device.id
    assert (new.device.ca_id, old.device.ca_id) == (another.endpoint_name, developer.endpoint_name)
    assert board.driver.client_log().device_id == new.device.id
    left = pelion.device(old.device.id)
    assert (left.ca_id, left.created_at) == (old.device.ca_id, old.device.created_at)


@pytest.mark.board(driver="mbl", destructive=True, needs={"virtual"})
@pytest.mark.backend("pelion", needs={"clock", "server-log"})
@pytest.mark.proves("reprovision", "the old device's registration ends")
def test_old_device_ends(
    board: LeasedBoard,
    attempts: Attempts,
    developer: DeveloperCredentials,
    another: DeveloperCredentials,
    update: UpdateResources,
    pelion: Any,
) -> None:
    """Nobody updates the old registration any more; the new one lives on."""
    old, new = attempts(developer, update), attempts(another, update)
    pelion.shift_clock(590)
    updated = len(pelion.server_log("registration updated"))
    board.virtual.call("configure", register_every_s=0.05)
    pelion.wait_for_log("registration updated", updated + 1)
    board.virtual.call("configure", register_every_s=3600)

    pelion.shift_clock(900)

    pelion.wait_for_device(device_id=old.device.id, state=DeviceState.DEREGISTERED)
    assert pelion.device(new.device.id).state is DeviceState.REGISTERED


@pytest.mark.board(driver="mbl", destructive=True, needs={"virtual"})
@pytest.mark.proves("reprovision", "the same certificate: the same device")
def test_same_certificate(
    board: LeasedBoard,
    attempts: Attempts,
    developer: DeveloperCredentials,
    update: UpdateResources,
    pelion: Any,
) -> None:
    """Provisioning twice overwrites each item with the same; there is one device, with its first id."""
    first = attempts(developer, update)
    held = board.driver.items()

    assert board.driver.provision(developer, update).ok
    view = board.driver.wait_until_registered(20.0, after=board.driver.restart_client())

    assert view.device_id == first.device.id
    assert board.driver.items() == held
    assert [device.id for device in pelion.devices(ca_id=developer.endpoint_name)] == [first.device.id]


@pytest.mark.board(driver="mbl", destructive=True, needs={"virtual"})
@pytest.mark.proves("reprovision", "back to the first certificate")
def test_back_again(
    attempts: Attempts,
    developer: DeveloperCredentials,
    another: DeveloperCredentials,
    update: UpdateResources,
    pelion: Any,
) -> None:
    """A device that comes back to its first certificate is a further device: nothing tells who it was."""
    first, second = attempts(developer, update), attempts(another, update)

    third = attempts(developer, update)

    assert third.evidence.first_broken() is None
    assert len({first.device.id, second.device.id, third.device.id}) == 3
    assert len(pelion.devices(ca_id=developer.endpoint_name)) == 2


@pytest.mark.backend("pelion", needs={"own-accounts"})
@pytest.mark.proves("reprovision", "certificate of another account")
def test_certificate_of_another_account(
    attempts: Attempts,
    developer: DeveloperCredentials,
    update: UpdateResources,
    pelion: Any,
    stranger: Any,
    board: LeasedBoard,
) -> None:
    """The device goes over to the other account, and the first one sees nothing of it there."""
    old = attempts(developer, update)
    theirs = stranger.create_developer_certificate(stranger.own_name("theirs")).credentials()

    assert board.driver.provision(theirs, update).ok
    view = board.driver.wait_until_registered(20.0, after=board.driver.restart_client())

    device = stranger.wait_for_device(ca_id=theirs.endpoint_name, state=DeviceState.REGISTERED)
    assert (device.id, device.account_id) == (view.device_id, theirs.account_id)
    assert pelion.devices(id=device.id) == []
    assert stranger.devices(id=old.device.id) == []


@pytest.mark.backend("pelion", needs={"own-accounts"})
@pytest.mark.proves("bootstrap", "certificate of one account, address of another")
def test_certificate_at_another_account(
    board: LeasedBoard,
    developer: DeveloperCredentials,
    update: UpdateResources,
    pelion: Any,
    stranger: Any,
) -> None:
    """The certificate of one account does not open another one: neither has a device."""
    theirs = stranger.create_developer_certificate(stranger.own_name("theirs")).credentials()
    mixed = developer.with_file(Dev.SERVER_URI, theirs.server_uri.encode())
    assert board.driver.provision(mixed, update).ok

    view = board.driver.wait_until_at_rest(20.0, after=board.driver.restart_client())

    assert "ConnectBootstrapFailed" in {error.name for error in view.errors}
    assert pelion.devices(ca_id=developer.endpoint_name) == []
    assert stranger.devices() == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(
            {"domain": "example.com"},
            marks=pytest.mark.proves("reprovision", "another vendor"),
            id="another vendor",
        ),
        pytest.param(
            {"model": "another-device"},
            marks=pytest.mark.proves("reprovision", "another class"),
            id="another class",
        ),
    ],
)
def test_other_update_resources(
    attempts: Attempts,
    developer: DeveloperCredentials,
    update: UpdateResources,
    pelion: Any,
    change: dict[str, str],
    board: LeasedBoard,
    eventually: Callable[..., None],
) -> None:
    """Vendor and class are read anew when the device registers: the same device, described otherwise."""
    first = attempts(developer, update)
    other = update_resources("other", **change)  # type: ignore[arg-type]

    assert board.driver.provision(developer, other).ok
    view = board.driver.wait_until_registered(20.0, after=board.driver.restart_client())

    assert view.device_id == first.device.id
    ids = {"vendor_id": other.vendor_id.hex(), "device_class": other.class_id.hex()}
    eventually(lambda: bool(pelion.devices(id=first.device.id, **ids)), "vendor and class are the new ones")
    assert (other.vendor_id, other.class_id) != (update.vendor_id, update.class_id)


@pytest.mark.parametrize(
    ("variable", "field"),
    [
        pytest.param(
            Upd.VENDOR_ID,
            "vendor_id",
            marks=pytest.mark.proves("directory", "a vendor's id that was changed on the way is noticed"),
            id="vendor",
        ),
        pytest.param(
            Upd.CLASS_ID,
            "device_class",
            marks=pytest.mark.proves("directory", "a class's id that was changed on the way is noticed"),
            id="class",
        ),
    ],
)
def test_wrong_id_is_noticed(
    attempts: Attempts, developer: DeveloperCredentials, update: UpdateResources, variable: Upd, field: str
) -> None:
    """The chain of evidence breaks at the directory when the device has another id than was meant."""
    from dataclasses import replace

    from harness_pelion.evidence import judge

    changed = update.with_file(variable, bytes(16))
    facts = attempts(developer, changed).evidence.facts

    broken = judge(replace(facts, update=update, items=None)).first_broken()

    assert broken is not None
    assert (broken.name, field in broken.why) == ("directory", True)
