"""The way onto the device: SSH that is not there or breaks, and a storage that takes nothing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from harness.errors import BoardFault, BoardLost, HarnessError
from harness_pelion.driver_models import FOLDER
from harness_pelion.power_trials import Left, ProvisioningTrial, TrialFailed

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard
    from harness_pelion.resources import DeveloperCredentials, UpdateResources

pytestmark = pytest.mark.board(driver="mbl", destructive=True, needs={"virtual"})

#: What each of the four connections does (pelion fact sheet, section 1.6).
STEPS = {
    1: "the folder is made",
    2: "the files are copied",
    3: "the utility runs",
    4: "the folder is removed",
}


@pytest.fixture
def quickly(board: LeasedBoard) -> None:
    """Wait for a device that went away no longer than a test may take."""
    board.driver.cleanup_seconds = 1.0


@pytest.fixture(params=["first", "again"])
def trial(
    request: pytest.FixtureRequest,
    board: LeasedBoard,
    developer: DeveloperCredentials,
    update: UpdateResources,
) -> ProvisioningTrial:
    """A device that is blank, or that was provisioned before."""
    if request.param == "again":
        assert board.driver.provision(developer, update).ok
    return ProvisioningTrial(board, developer, update)


@pytest.mark.usefixtures("quickly")
@pytest.mark.proves("transfer", "SSH is refused")
def test_ssh_is_refused(board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources) -> None:
    """Where nobody listens the device is lost, and nothing of it is changed."""
    before = board.driver.items()
    board.virtual.call("set_ssh", mode="refusing")

    with pytest.raises(BoardLost, match=r"refused|connect"):
        board.driver.provision(developer, update)

    assert board.driver.items() == before
    board.virtual.call("set_ssh", mode="open")
    assert board.driver.provision(developer, update).ok
    assert board.driver.status().configured


@pytest.mark.usefixtures("quickly")
@pytest.mark.proves("transfer", "SSH says nothing")
def test_ssh_says_nothing(
    board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """A port without a banner is given up in time: what a command may take counts for connecting, too."""
    board.virtual.call("set_ssh", mode="silent")
    began = time.monotonic()

    with pytest.raises(BoardLost):
        board.driver.device.execute("true", timeout=0.5)

    assert time.monotonic() - began < 5
    board.virtual.call("set_ssh", mode="open")
    assert board.driver.provision(developer, update).ok
    assert not board.driver.folder_exists()


def cuts(when: str, counts: range | tuple[int, ...]) -> list[object]:
    """Return a case for each time that SSH comes to something."""
    return [
        pytest.param(
            when,
            nth,
            marks=pytest.mark.proves("transfer", f"cut at {when} {nth}: {STEPS[nth]}"),
            id=f"{when} {nth}",
        )
        for nth in counts
    ]


@pytest.mark.parametrize(("when", "nth"), [*cuts("connection", range(1, 5)), *cuts("login", range(1, 5))])
def test_connection_is_cut(trial: ProvisioningTrial, when: str, nth: int) -> None:
    """Each of the four may break: the folder goes all the same, and trying again succeeds."""
    recovery = trial.cut_ssh(nth, when)

    expected = {Left.NEW} if nth == 4 else {Left.OLD, Left.NEW}
    assert recovery.left in expected


@pytest.mark.parametrize(
    ("when", "nth", "left"),
    [
        pytest.param(
            "command",
            nth,
            left,
            marks=pytest.mark.proves("transfer", f"cut before {what}"),
            id=f"before {what}",
        )
        for nth, what, left in [
            (1, "the old folder is removed", Left.OLD),
            (2, "the folder is made", Left.OLD),
            (3, "the directory of a set is made", Left.OLD),
        ]
    ]
    + [
        pytest.param(
            "answer",
            nth,
            None,
            marks=pytest.mark.proves("transfer", f"answer {nth} is lost"),
            id=f"answer {nth}",
        )
        for nth in (1, 2)
    ]
    + [
        pytest.param(
            "file", nth, Left.OLD, marks=pytest.mark.proves("transfer", f"cut in {what}"), id=f"in {what}"
        )
        for nth, what in [(1, "the first file"), (12, "the last developer file"), (19, "the last file")]
    ],
)
def test_step_is_cut(
    board: LeasedBoard,
    developer: DeveloperCredentials,
    update: UpdateResources,
    when: str,
    nth: int,
    left: Left | None,
) -> None:
    """A blank device that lost the connection within a step is blank, and its folder is gone."""
    recovery = ProvisioningTrial(board, developer, update).cut_ssh(nth, when)

    assert left in {None, recovery.left}
    assert not board.driver.folder_exists()


@pytest.mark.proves("transfer", "the answer of the utility is lost")
def test_answer_of_the_utility_is_lost(
    board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """Nobody knows how the utility ended; the device is as it was or new, and says which."""
    device = board.driver.device
    board.driver.prepare()
    device.make_folder()
    device.transfer({developer.name: developer.bin_files, update.name: update.bin_files})
    board.virtual.call("cut_ssh_at", nth=1, when="answer")

    with pytest.raises(BoardLost):
        device.run_provisioning()

    device.remove_folder()
    assert board.driver.status().configured
    assert not board.driver.folder_exists()


STORAGES = [
    pytest.param(
        "fill_disk",
        {"mount": "/scratch"},
        marks=pytest.mark.proves("transfer", "/scratch is full"),
        id="scratch is full",
    ),
    pytest.param(
        "fill_disk",
        {"mount": "/scratch", "left": 600},
        marks=pytest.mark.proves("transfer", "/scratch gets full"),
        id="scratch gets full",
    ),
    pytest.param(
        "set_read_only",
        {"on": True, "mount": "/scratch"},
        marks=pytest.mark.proves("transfer", "/scratch is read-only"),
        id="scratch is read-only",
    ),
]


@pytest.mark.parametrize(("control", "how"), STORAGES)
@pytest.mark.usefixtures("quickly")
def test_no_room_for_the_files(
    board: LeasedBoard,
    developer: DeveloperCredentials,
    update: UpdateResources,
    control: str,
    how: dict[str, object],
) -> None:
    """The device says what it cannot write; nothing is configured, nothing is left."""
    before = board.driver.items()
    board.virtual.call(control, **how)

    with pytest.raises((BoardFault, BoardLost), match=r"(?i)space|read-only"):
        board.driver.provision(developer, update)

    board.virtual.clear_faults()
    assert board.driver.items() == before
    assert not board.driver.folder_exists()
    assert not board.driver.status().configured
    assert board.driver.provision(developer, update).ok
    assert board.driver.status().configured


@pytest.mark.parametrize("before", ["blank", "provisioned"])
@pytest.mark.parametrize(
    ("control", "how"),
    [
        pytest.param(
            "fill_disk",
            {"mount": "/"},
            marks=pytest.mark.proves("provision", "the store is full"),
            id="full",
        ),
        pytest.param(
            "fill_disk",
            {"mount": "/", "left": 600},
            marks=pytest.mark.proves("provision", "the store gets full"),
            id="gets full",
        ),
        pytest.param(
            "set_read_only",
            {"on": True, "mount": "/"},
            marks=pytest.mark.proves("provision", "the store is read-only"),
            id="read-only",
        ),
    ],
)
def test_store_takes_nothing(
    board: LeasedBoard,
    developer: DeveloperCredentials,
    update: UpdateResources,
    pelion: object,
    before: str,
    control: str,
    how: dict[str, object],
) -> None:
    """The utility names the item and ends with 1; never a mixture that claims to be configured."""
    other = pelion.create_developer_certificate(pelion.own_name("other")).credentials()  # type: ignore[attr-defined]
    if before == "provisioned":
        assert board.driver.provision(other, update).ok
    found = board.driver.snapshot()
    board.virtual.call(control, **how)

    outcome = board.driver.provision(developer, update)

    assert (outcome.status, outcome.ok) == (1, False)
    assert " KCM Item! Item name: mbed." in outcome.errors
    now = board.driver.snapshot()
    assert not now.folder
    assert not now.configured or now == found
    board.virtual.clear_faults()
    assert board.driver.provision(developer, update).ok
    assert board.driver.status().configured


@pytest.mark.proves("transfer", "a cut that does not come is noticed")
def test_trial_that_cuts_nothing(
    board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """A trial whose cut never came is no proof, and fails."""
    with pytest.raises(TrialFailed, match="ended before SSH came to"):
        ProvisioningTrial(board, developer, update).cut_ssh(99, "file")

    assert board.driver.status().configured


@pytest.mark.usefixtures("quickly")
@pytest.mark.proves("transfer", "the device stays away: the folder may still be there")
def test_device_stays_away(
    board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """Who cannot remove the folder says so, and removes it when the device is back."""
    device = board.driver.device
    board.driver.prepare()
    device.make_folder()
    board.virtual.call("set_ssh", mode="refusing")

    with pytest.raises(HarnessError):
        device.remove_folder()

    assert device.folder_left
    assert board.virtual.call("files", path=FOLDER) == []
    board.virtual.call("set_ssh", mode="open")
    assert board.driver.provision(developer, update).ok
    assert not board.driver.folder_exists()
