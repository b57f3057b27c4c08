"""A power cut at every step: the device holds what it held, or all that is new, or says that it is not.

Each test lets a device be provisioned and sees which points it passes; then the power goes at each of them,
trial after trial. :mod:`harness_pelion.power_trials` judges: never a mixture that claims to be configured,
the temporary folder gone, a retry that succeeds (pelion fact sheet, sections 1.6 and 2). The cuts of its
client's exchanges are judged at both ends: however often it is tried, it is one device.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import BoardLost
from harness.evidence import step
from harness_pelion.enums import DeviceState
from harness_pelion.power_trials import ProvisioningTrial, TrialFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.inventory.leased_board import LeasedBoard
    from harness_pelion.resources import DeveloperCredentials, UpdateResources

    CutAtEach = Callable[..., int]

pytestmark = pytest.mark.board(driver="mbl", destructive=True, needs={"virtual"})

SECONDS = 20.0


def wrong(trial: ProvisioningTrial, point: str, nth: int, detail: str) -> str:
    """Let one trial be made; return what was wrong."""
    with step(f"Power cut {point} {detail[:60]}"):
        try:
            trial.cut_power(point, nth)
        except TrialFailed as failed:
            return f"{point} {detail}: {failed}"
    return ""


@pytest.fixture
def cut_at_each_first(
    board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources
) -> CutAtEach:
    """Cut the power at each point of one kind in a first provisioning; return how many there are."""

    def cut(point: str, part: str = "", *, only_last: bool = False) -> int:
        board.virtual.call("set_link", up=False)  # its client has points of its own
        trial = ProvisioningTrial(board, developer, update)
        places = numbered(trial, point, part)
        for nth, detail in places[-1:] if only_last else places:
            board.virtual.call("forget")
            assert wrong(trial, point, nth, detail) == ""
        return len(places)

    return cut


@pytest.fixture
def cut_at_each_further(
    board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources, pelion: Any
) -> CutAtEach:
    """Cut the power at each point of one kind while a certificate takes the other's place; likewise."""
    another = pelion.create_developer_certificate(pelion.own_name("another")).credentials()

    def cut(point: str, part: str = "", *, only_last: bool = False) -> int:
        board.virtual.call("set_link", up=False)
        there, back = (ProvisioningTrial(board, each, update) for each in (another, developer))
        assert board.driver.provision(developer, update).ok
        places = numbered(there, point, part)
        trial, other = back, there
        for nth, detail in places[-1:] if only_last else places:
            assert wrong(trial, point, nth, detail) == ""
            trial, other = other, trial  # the end of one trial is the beginning of the next
        return len(places)

    return cut


def numbered(trial: ProvisioningTrial, point: str, part: str) -> list[tuple[int, str]]:
    """Return the points of one kind with something in their details: their numbers, and the details."""
    all_of_kind = enumerate((detail for name, detail in trial.points() if name == point), 1)
    return [(nth, detail) for nth, detail in all_of_kind if part in detail]


@pytest.mark.proves("power cut, first", "at each item that is stored")
def test_items(cut_at_each_first: CutAtEach) -> None:
    """Fifteen items, one by one: a device with some of them does not claim to be configured."""
    assert cut_at_each_first("before store", "mbed.") == 15


# Behind one item a device is as before the next one: there is only one more state, behind the last.


@pytest.mark.proves("power cut, first", "behind the last item")
def test_last_item(cut_at_each_first: CutAtEach) -> None:
    """Everything is stored, and nobody has heard of it."""
    assert cut_at_each_first("after store", "mbed.", only_last=True) == 15


@pytest.mark.proves("power cut, first", "at each command")
def test_commands(cut_at_each_first: CutAtEach) -> None:
    """Whatever command the device was at, its folder is gone."""
    assert cut_at_each_first("before command") >= 6


@pytest.mark.proves("power cut, first", "behind the last command")
def test_last_command(cut_at_each_first: CutAtEach) -> None:
    """The folder is gone already, and nobody has heard of it."""
    assert cut_at_each_first("after command", only_last=True) >= 6


@pytest.mark.parametrize("point", ["before write", "after write"])
@pytest.mark.proves("power cut, first", "at a file that is copied")
def test_files(cut_at_each_first: CutAtEach, point: str) -> None:
    """What was copied is in memory only: the power takes it."""
    assert cut_at_each_first(point, "PRIVATE_KEY", only_last=True) >= 1


@pytest.mark.proves("power cut, another certificate", "at each item that is removed")
def test_further_removals(cut_at_each_further: CutAtEach) -> None:
    """The items before it are new, it and those behind it are old: that is no certificate to use."""
    assert cut_at_each_further("before delete", "mbed.") == 15


@pytest.mark.proves("power cut, another certificate", "at each item that is stored")
def test_further_items(cut_at_each_further: CutAtEach) -> None:
    """Each item is removed before it is stored anew; in between it is missing."""
    assert cut_at_each_further("before store", "mbed.") == 15


@pytest.mark.proves("power cut, another certificate", "behind the last item")
def test_further_last_item(cut_at_each_further: CutAtEach) -> None:
    """All items are new."""
    assert cut_at_each_further("after store", "mbed.", only_last=True) == 15


@pytest.fixture
def cut_in_exchanges(
    board: LeasedBoard,
    developer: DeveloperCredentials,
    update: UpdateResources,
    pelion: Any,
    eventually: Callable[..., None],
) -> CutAtEach:
    """Cut the power at each exchange of the client's first run; each time it is one device at the end."""
    board.virtual.call("configure", client_timeout_s=2.0, retry_first_s=0.1, retry_longest_s=0.3)

    def registered() -> None:
        board.driver.wait_until_registered(SECONDS)
        pelion.wait_for_device(ca_id=developer.endpoint_name, state=DeviceState.REGISTERED)

    def cut(point: str, *, only_last: bool = False) -> int:
        assert board.driver.provision(developer, update).ok
        board.virtual.call("clear_points")
        board.driver.restart_client()
        registered()
        count = [name for name, _detail in board.virtual.call("points")].count(point)
        for nth in range(count if only_last else 1, count + 1):
            with step(f"Power cut {point} exchange {nth}"):
                one_cut(point, nth)
        return count

    def one_cut(point: str, nth: int) -> None:
        board.virtual.call("forget")
        pelion.forget_devices()
        assert board.driver.provision(developer, update).ok
        boot = board.driver.boot_id()
        board.virtual.call("cut_power_at", point=point, nth=nth, comes_back=True)
        with suppress(BoardLost):  # it may be gone before it says how the command ended
            board.driver.device.execute("systemctl restart mbl-cloud-client")
        eventually(lambda: booted_since(board, boot), "it boots")
        registered()
        assert len(pelion.devices(ca_id=developer.endpoint_name)) == 1

    return cut


def booted_since(board: LeasedBoard, boot: str) -> bool:
    """Tell whether the device has booted since."""
    try:
        return bool(board.driver.boot_id() != boot)
    except BoardLost:
        return False


@pytest.mark.proves("power cut, client", "at each exchange with a server")
@pytest.mark.backend("pelion", needs={"server-log"})
def test_exchanges(cut_in_exchanges: CutAtEach) -> None:
    """A bootstrap that broke off is begun again, and nothing is counted twice."""
    assert cut_in_exchanges("before exchange") >= 9


@pytest.mark.proves("power cut, client", "behind the last exchange")
@pytest.mark.backend("pelion", needs={"server-log"})
def test_last_exchange(cut_in_exchanges: CutAtEach) -> None:
    """The server knows the device, which does not know it yet."""
    assert cut_in_exchanges("after exchange", only_last=True) >= 9


@pytest.mark.proves("power cut, client", "at the commit of its credentials")
@pytest.mark.backend("pelion", needs={"server-log"})
def test_commit(cut_in_exchanges: CutAtEach) -> None:
    """What a bootstrap gives is there together, or not at all; the device is counted once."""
    assert cut_in_exchanges("before store") == 1


@pytest.mark.proves("power cut, client", "behind the commit of its credentials")
@pytest.mark.backend("pelion", needs={"server-log"})
def test_behind_the_commit(cut_in_exchanges: CutAtEach) -> None:
    """The server has not heard that the device has them; it is let in with them all the same."""
    assert cut_in_exchanges("after store") == 1
