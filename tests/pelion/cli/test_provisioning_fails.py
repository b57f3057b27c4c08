"""``harness pelion provision`` when the device or the connection fails: exit codes, and what is left."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from harness_pelion.key_forms import is_in
from tests.pelion.cli.spelling import DEADLINE, KEY_FILE, SEED
from tests.pelion.cli.test_api_key import shown_by_processes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pelion.cli.conftest import Person, Service
    from tests.pelion.driver.device_double import DeviceDouble


@pytest.mark.parametrize("code", [1, 2, 77])
def test_the_utility_fails(person: Person, service: Service, device: DeviceDouble, code: int) -> None:
    """A utility that fails is our 1; its own code and words are shown, and no key stays in the folder."""
    device.write_util(f"echo 'Error status is: no space' >&2; exit {code}")
    person.keep_key()

    done = person.run(*SEED)

    assert (done.code, done.out) == (1, "")
    assert (
        "mbed-linux-os-1: pelion-provisioning-util --provision ended with exit code"
        f" {code}: Error status is: no space\n" in done.err
    )
    assert not device.folder.exists()


def test_the_utility_says_the_opposite(person: Person, device: DeviceDouble) -> None:
    """A utility that ends with 0 and does not say that it is done is not believed."""
    device.write_util("echo 'Provisioning device.'; exit 0")
    person.keep_key()

    done = person.run(*SEED)

    assert done.code == 1
    assert "ended with exit code 0" in done.err


def test_what_a_device_says_is_no_command_to_a_terminal(person: Person, device: DeviceDouble) -> None:
    """Control characters of a device are shown, and not obeyed."""
    device.write_util("printf '\\033[2Jhello\\nProvisioning process completed without error.\\n'; exit 0")
    person.keep_key()

    done = person.run(*SEED)

    assert done.out == "\\x1b[2Jhello\nProvisioning process completed without error.\n"


def test_what_a_device_complains_of_is_no_command_either(person: Person, device: DeviceDouble) -> None:
    """The words of a utility that failed are shown in the error, and not obeyed."""
    device.write_util("printf '\\033]0;owned\\007busy\\n' >&2; exit 1")
    person.keep_key()

    done = person.run(*SEED)

    assert done.code == 1
    assert done.err.endswith("ended with exit code 1: \\x1b]0;owned\\x07busy\n")


def test_lost_connection(person: Person, device: DeviceDouble) -> None:
    """A connection that breaks while the utility runs is our 1, and the folder is removed all the same."""
    device.cut = lambda _number, command: command.endswith("--provision")
    person.keep_key()

    done = person.run(*SEED)

    assert done.code == 1
    assert "Traceback" not in done.err
    assert not device.folder.exists()


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=["Ctrl-C", "SIGTERM", "SIGHUP"]
)
def test_interrupted(person: Person, device: DeviceDouble, tmp_path: Path, number: signal.Signals) -> None:
    """Who ends the command while the utility runs leaves no key on the device, nor in a list of processes."""
    running, go = tmp_path / "running", tmp_path / "go"
    os.mkfifo(running)
    os.mkfifo(go)
    device.write_util(f"echo ready > {running}; read line < {go}; exit 1")
    person.keep_key()
    with subprocess.Popen(
        person.words(*SEED), env=person.environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        with running.open() as said:  # the utility is running
            assert said.read() == "ready\n"
        key = (device.folder / KEY_FILE).read_bytes()
        assert shown_by_processes("pelion provision-pelion my-device")
        assert shown_by_processes(person.key) == []
        assert not any(is_in(key, words) for words in shown_by_processes(""))
        process.send_signal(number)
        out, err = process.communicate(timeout=DEADLINE)
    with go.open("w") as end:
        end.write("end\n")

    assert (process.returncode, out) == (1, "")
    assert err.endswith("harness: interrupted\n")
    assert "Traceback" not in err
    assert not device.folder.exists()
    assert device.connections[-1] == ["rm -r -f /scratch/provisioning-certs"]


def test_device_that_stays_away(
    person: Person, device: DeviceDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device that goes away for good may still have the key: that is said."""
    from harness_pelion.driver_steps import RemoteDevice

    monkeypatch.setitem(RemoteDevice.__init__.__kwdefaults__ or {}, "cleanup_seconds", 0.2)

    def go_away(_number: int, command: str) -> bool:
        device.refuses = device.refuses or command.endswith("--provision")
        return device.refuses

    device.cut = go_away
    person.keep_key()

    done = person.run(*SEED)

    assert done.code == 1
    assert device.folder.exists()
    warning, failure = done.err.splitlines()[-2:]
    assert warning == (
        "harness: warning: mbed-linux-os-1: remove /scratch/provisioning-certs:"
        " there may be a private key in it"
    )
    assert failure.startswith("harness: mbed-linux-os-1: ")
