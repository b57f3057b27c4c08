"""The steps of provisioning on a real shell: exact commands, four connections, cleanup whatever happens."""

from __future__ import annotations

import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from harness.errors import BoardFault, BoardLost, UsageError
from harness_pelion.driver_models import Outcome, RemoteCommandFailed
from harness_pelion.driver_steps import RemoteDevice
from tests.pelion.driver.conftest import SECRET

if TYPE_CHECKING:
    from harness_pelion.driver import MblDriver
    from harness_pelion.resources import DeveloperCredentials, UpdateResources
    from tests.pelion.driver.conftest import Session
    from tests.pelion.driver.device_double import DeviceDouble

FOLDER = "/scratch/provisioning-certs"
REMOVE = f"rm -r -f {FOLDER}"
PROVISION = "/opt/arm/pelion-provisioning-util --provision"
BROKEN_STEPS = (1, 2, 3)


def test_provisioning_is_four_connections(
    driver: MblDriver, double: DeviceDouble, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """Folder, files, utility, cleanup: each a connection of its own, with the words of MBL CLI (1.6)."""
    outcome = driver.provision(developer, update)

    assert outcome.ok
    assert outcome.contradiction == ""
    made, copied, ran, removed = double.connections
    assert made == [REMOVE, f"mkdir -p {FOLDER}"]
    assert all(each.startswith("scp ") for each in copied if not each.startswith(("mkdir", "mv")))
    assert copied[-2:] == [f"mv '{FOLDER}/a developer'\"'\"'s'/* {FOLDER}", f"mv {FOLDER}/update/* {FOLDER}"]
    assert ran == [PROVISION]
    assert removed == [REMOVE]
    assert double.held == {**developer.bin_files, **update.bin_files}
    assert not double.folder.exists()
    assert not driver.folder_exists()


def test_files_are_for_their_owner_alone(
    driver: MblDriver, double: DeviceDouble, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """On the device nobody but its owner may read them, and empty directories stay as with MBL CLI."""
    driver.prepare()
    driver.device.make_folder()
    driver.device.transfer({developer.name: developer.bin_files, update.name: update.bin_files})

    files = [each for each in double.folder.iterdir() if each.is_file()]
    assert {each.name: each.read_bytes() for each in files} == {**developer.bin_files, **update.bin_files}
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}
    assert {each.name for each in double.folder.iterdir() if each.is_dir()} == {developer.name, update.name}
    driver.restore()
    assert not double.folder.exists()


def test_key_is_in_no_argument(
    driver: MblDriver, double: DeviceDouble, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """While the utility runs, neither a command nor any process has the key among its arguments."""
    double.write_util(f"ps -eo args > {double.root}/seen; echo Provisioning process completed without error.")

    assert driver.provision(developer, update).ok

    seen = (double.root / "seen").read_bytes()
    assert SECRET not in seen
    assert SECRET.hex().encode() not in seen
    assert not any("private key" in command for commands in double.connections for command in commands)


@pytest.mark.parametrize(
    ("script", "status", "problem"),
    [
        ("echo Provisioning device.; echo broken >&2; exit 1", 1, ""),
        ("exit 2", 2, ""),
        ("echo Provisioning device.; exit 0", 0, "exit status 0, and it does not say"),
        ("echo Provisioning process completed without error.; exit 1", 1, "exit status 1, and it says"),
        ("kill -9 $$", 137, ""),
    ],
)
def test_utility_that_fails(
    driver: MblDriver,
    double: DeviceDouble,
    developer: DeveloperCredentials,
    update: UpdateResources,
    script: str,
    status: int,
    problem: str,
) -> None:
    """Its exit status is kept and its words are held against it; the folder goes all the same."""
    double.write_util(script)

    outcome = driver.provision(developer, update)

    assert (outcome.status, outcome.ok) == (status, False)
    assert outcome.contradiction.startswith(problem)
    assert bool(outcome.contradiction) is bool(problem)
    assert not double.folder.exists()
    assert len(double.connections) == 4


def test_utility_that_is_not_there(
    driver: MblDriver, double: DeviceDouble, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """A shell says 127; so does the outcome."""
    (double.root / "opt/arm/pelion-provisioning-util").unlink()

    outcome = driver.provision(developer, update)

    assert (outcome.status, outcome.ok) == (127, False)


@pytest.mark.parametrize("step", BROKEN_STEPS)
@pytest.mark.parametrize("when", ["cut", "cut_after"])
def test_lost_connection_is_told_and_cleaned_up(
    driver: MblDriver,
    double: DeviceDouble,
    developer: DeveloperCredentials,
    update: UpdateResources,
    step: int,
    when: str,
) -> None:
    """Whichever connection breaks, and at whichever end of a command: the folder goes by another one."""
    setattr(double, when, lambda number, _command: number == step)

    with pytest.raises(BoardLost):
        driver.provision(developer, update)

    assert not double.folder.exists()
    assert double.connections[-1][-1] == REMOVE
    setattr(double, when, lambda _number, _command: False)
    assert driver.provision(developer, update).ok


@pytest.mark.parametrize("when", ["cut", "cut_after"])
def test_cleanup_that_is_cut_is_tried_again(
    driver: MblDriver,
    double: DeviceDouble,
    developer: DeveloperCredentials,
    update: UpdateResources,
    when: str,
) -> None:
    """A connection that breaks in the fourth step costs a fifth, and no more."""
    setattr(double, when, lambda number, _command: number == 4)

    assert driver.provision(developer, update).ok

    assert not double.folder.exists()
    assert [each for each in double.connections[4:] if each] == [[REMOVE]]


def test_device_that_does_not_come_back(
    driver: MblDriver, double: DeviceDouble, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """The error names what broke first, and a note the folder that is left; restore removes it later."""

    def vanish(number: int, _command: str) -> bool:
        double.refuses = double.refuses or number == 3
        return double.refuses

    double.cut = vanish
    with pytest.raises(BoardLost) as caught:
        driver.provision(developer, update)

    assert any(f"{FOLDER} could not be removed" in note for note in caught.value.__notes__)
    assert double.folder.exists()
    with pytest.raises(BoardLost):
        driver.restore()
    double.refuses = False
    double.cut = lambda _number, _command: False
    driver.restore()
    assert not double.folder.exists()


def test_cleanup_that_fails_is_told(
    driver: MblDriver, double: DeviceDouble, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """A device that provisions and cannot remove the folder has not done all: the exit status is noted."""
    double.write_util("printf broken > {folder}/../fails; echo Provisioning process completed without error.")
    double.write_program(
        "rm", f'test ! -e {double.root}/scratch/fails || {{ echo busy >&2; exit 1; }}; exec /bin/rm "$@"'
    )

    with pytest.raises(RemoteCommandFailed, match=r"rm -r -f .* exit status 1: busy") as caught:
        driver.provision(developer, update)

    assert any("ended with status 0" in note for note in caught.value.__notes__)
    assert driver.device.folder_left


def test_folder_that_cannot_be_made(
    driver: MblDriver, double: DeviceDouble, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """The device's own words and exit status are told, nothing is copied, and cleanup runs."""
    double.write_program("mkdir", "echo mkdir: read-only >&2; exit 30")

    with pytest.raises(RemoteCommandFailed, match="read-only") as caught:
        driver.provision(developer, update)

    assert caught.value.code == 30
    assert double.connections == [[REMOVE, f"mkdir -p {FOLDER}"], [REMOVE]]


def test_files_that_are_not_taken(
    driver: MblDriver, double: DeviceDouble, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """A device that is full is the product's fault, in its own words; the utility is not run."""
    double.write_program("scp", "printf '\\001scp: No space left on device\\n'; exit 1")

    with pytest.raises(BoardFault, match="No space left on device"):
        driver.provision(developer, update)

    assert not any(PROVISION in commands for commands in double.connections)
    assert not double.folder.exists()


def test_interrupted_run_is_cleaned_up(
    driver: MblDriver,
    double: DeviceDouble,
    developer: DeveloperCredentials,
    update: UpdateResources,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also Ctrl-C leaves no private key on the device."""

    def interrupt(_device: RemoteDevice) -> Outcome:
        raise KeyboardInterrupt

    monkeypatch.setattr(RemoteDevice, "run_provisioning", interrupt)

    with pytest.raises(KeyboardInterrupt):
        driver.provision(developer, update)

    assert not double.folder.exists()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\nb", "a\x00b"])
def test_name_that_is_no_directory(
    driver: MblDriver,
    double: DeviceDouble,
    developer: DeveloperCredentials,
    update: UpdateResources,
    name: str,
) -> None:
    """A name that would lead elsewhere is refused before the device is asked for anything."""
    with pytest.raises(UsageError, match="no name of a directory"):
        driver.provision(developer.named(name), update)

    assert double.connections == []


@pytest.mark.parametrize("name", ["-rf", "$(reboot)", "`id`", "*", "~", "a;b", "a b", "é", "'", '"', "\\"])
def test_names_that_a_shell_would_read(
    driver: MblDriver,
    double: DeviceDouble,
    developer: DeveloperCredentials,
    update: UpdateResources,
    name: str,
) -> None:
    """Names are quoted: whatever they say, they are names and nothing else."""
    assert driver.provision(developer.named(name), update).ok

    assert double.held == {**developer.bin_files, **update.bin_files}


def test_two_sets_of_one_name(
    driver: MblDriver, double: DeviceDouble, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """They share a directory (fact sheet, section 1.4) and are provisioned all the same."""
    assert driver.provision(developer.named("x"), update.named("x")).ok

    assert double.held == {**developer.bin_files, **update.bin_files}


def test_old_folder_is_made_anew(
    driver: MblDriver, double: DeviceDouble, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """What somebody left in the folder does not get into the device."""
    double.folder.mkdir()
    (double.folder / "stale.bin").write_bytes(b"x")

    driver.provision(developer, update)

    assert "stale.bin" not in double.held


def test_double_is_a_real_ssh_server(double: DeviceDouble, session: Session) -> None:
    """OpenSSH's own client is served by the double as our driver is: it favours nobody."""
    settings = ("BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR")
    options = [word for setting in settings for word in ("-o", setting)]
    done = subprocess.run(
        ["ssh", "-F", "none", *options, "-p", str(double.port), "root@127.0.0.1", f"test -e {FOLDER}"],
        capture_output=True,
        timeout=20,
        check=False,
    )

    assert done.returncode == 1
    assert session.board(allow_destructive=True).driver.folder_exists() is False
