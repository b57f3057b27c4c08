"""``harness pelion list``, ``select`` and ``which``: what is found, chosen and kept."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from harness_pelion import discovery
from harness_pelion.discovery import FoundDevice

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pelion.cli.conftest import Person

FOUND = [
    FoundDevice(name="mbed-linux-os-9999", address="fe80::21b:63ff:feab:e6a6%enpos623", port=22),
    FoundDevice(name="mbed-linux-os-7", address="127.0.0.7", port=2222),
]
LIST = "1: mbed-linux-os-9999: fe80::21b:63ff:feab:e6a6%enpos623\n2: mbed-linux-os-7: 127.0.0.7 port 2222\n"
LOOKING = "Discovering devices. This will take up to 30 seconds.\n"
PROMPT = "Select a device from the list: "


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[FoundDevice]:
    """Devices around; the network itself is tested with the discovery."""
    devices = list(FOUND)
    monkeypatch.setattr(discovery, "discover", lambda *_, **__: devices)
    return devices


@pytest.mark.usefixtures("found")
def test_list(person: Person) -> None:
    """Devices are listed as MBL CLI lists them."""
    done = person.run("list")

    assert (done.code, done.out, done.err) == (0, LIST, LOOKING)


@pytest.mark.usefixtures("found")
def test_asked_for_the_index(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """The index is read from standard input, as the product's document shows."""
    monkeypatch.setattr("sys.stdin", io.StringIO("1\n"))

    done = person.run("select")

    assert (done.code, done.err) == (0, LOOKING + PROMPT)
    assert done.out == LIST + "selected: mbed-linux-os-9999 (fe80::21b:63ff:feab:e6a6%enpos623)\n"
    assert person.selection == {
        "hostname": "mbed-linux-os-9999",
        "address": "fe80::21b:63ff:feab:e6a6%enpos623",
        "username": "root",
        "password": "",
        "port": 22,
        "host_key": "",
        "key_file": "",
    }


@pytest.mark.usefixtures("found")
@pytest.mark.parametrize("word", ["2", "mbed-linux-os-7", "127.0.0.7"])
def test_named(person: Person, word: str) -> None:
    """A device is selected by its number, its name or its address."""
    assert person.run("select", word).code == 0

    assert (person.selection["address"], person.selection["port"]) == ("127.0.0.7", 2222)
    assert person.run("which").out == "mbed-linux-os-7 (127.0.0.7, port 2222)\n"


@pytest.mark.usefixtures("found")
@pytest.mark.parametrize("word", ["0", "3", "-1", "x", "", "1" * 5000, "\u0661", "mbed-linux-os"])
def test_wrong_index(person: Person, word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in no list is refused with what is; the selection of before stays."""
    (person.home / ".mbl-dev.json").write_text("{}")
    monkeypatch.setattr("sys.stdin", io.StringIO(word))

    done = person.run("select")

    assert done.code == 4
    assert "Enter a valid device index as shown in the list." in done.err
    assert done.err.endswith("expected 1 to 2, or a name\n")
    assert (person.home / ".mbl-dev.json").read_text() == "{}"


def test_nobody_there(person: Person, found: list[FoundDevice]) -> None:
    """No device is a failure, and no wrong use."""
    found.clear()

    for command in ("list", "select"):
        done = person.run(command)
        assert (done.code, done.out) == (1, "")
        assert "harness: No devices found!" in done.err


def test_address(person: Person, tmp_path: Path) -> None:
    """A device at an address is not looked for."""
    key = tmp_path / "key"
    key.write_text("")

    done = person.run("select", "board-1", "--address", "192.0.2.9", "--port", "2200", "--key-file", str(key))

    assert (done.code, done.out, done.err) == (0, "selected: board-1 (192.0.2.9)\n", "")
    assert (person.selection["port"], person.selection["key_file"]) == (2200, str(key))


@pytest.mark.usefixtures("found")
def test_selecting_again_forgets_the_host_key(person: Person) -> None:
    """Who selects a device again trusts it anew."""
    assert person.run("select", "1").code == 0
    file = person.home / ".mbl-dev.json"
    file.write_text(json.dumps({**person.selection, "host_key": "ssh-ed25519 AAAA"}))
    file.chmod(0o644)

    assert person.run("select", "1").code == 0

    assert person.selection["host_key"] == ""
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["select", "--address", "a b"], "--address: no address (got 'a b')"),
        (["select", "--address", "-oProxyCommand=x"], "--address: no address"),
        (["select", "--key-file", "missing"], "missing: --key-file: there is no such file"),
        (["select", "--key-file", "k" * 300], "kkk: --key-file: there is no such file"),
        (["select", "1", "--port", "2222"], "--port: goes with --address only (got 2222)"),
        (["select", "--port", "0"], "--port"),
        (["select", "--timeout", "0"], "--timeout"),
        (["list", "--timeout", "nan"], "--timeout"),
    ],
)
def test_wrong_use(person: Person, arguments: list[str], message: str) -> None:
    """What cannot be meant is one line and 4."""
    done = person.run(*arguments)

    assert (done.code, done.out) == (4, "")
    assert message in done.err
    assert not (person.home / ".mbl-dev.json").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no JSON at line 1; it is left as it is"),
        ("[]", "holds no object"),
        ({}, "address: names no device"),
        ({"address": 5}, "address: is no text"),
        ({"address": "a", "port": 0}, "port: no port (got 0); expected 1 to 65535"),
        ({"address": "a", "port": "22"}, "port: no port (got '22')"),
        ({"address": "a", "port": True}, "port: no port"),
        ({"address": "a", "password": ["x"]}, "password: is no text"),
    ],
)
def test_broken_selection(person: Person, content: Any, message: str) -> None:
    """A file that names no device is named, and stays as it is."""
    file = person.home / ".mbl-dev.json"
    text = content if isinstance(content, str) else json.dumps(content)
    file.write_text(text)

    done = person.run("which")

    assert (done.code, done.out) == (4, "")
    assert f"harness: {file}: {message}" in done.err
    assert file.read_text() == text


def test_selection_of_mbl_cli(person: Person) -> None:
    """What MBL CLI wrote, which forgets the name, is used with port 22."""
    (person.home / ".mbl-dev.json").write_text(
        json.dumps({"hostname": None, "address": "192.0.2.9", "username": "root", "password": ""})
    )

    assert person.run("which").out == "- (192.0.2.9)\n"
