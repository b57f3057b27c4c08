"""The rig file: read, checked, found, and in force while a session runs."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.rig import Rig, find_rig, load_rig
from tests.rig_texts import BY_SSH, EXAMPLE, ON_A_PATH, ON_USB

if TYPE_CHECKING:
    from pathlib import Path

SHARED = '[[board]]\nid = "a"\nusb_serial = "7"\n{}\n[[board]]\nid = "b"\nusb_serial = "7"\n{}\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the file is written."""
    return tmp_path / "rig.toml"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this machine's user has set does not count."""
    for name in ("HARNESS_RIG", "HARNESS_PLUGINS", "HARNESS_LEASE_DIR"):
        monkeypatch.delenv(name, raising=False)


def test_everything_of_the_example_arrives() -> None:
    """Each key of the documented example is in the result."""
    rig = load_rig(EXAMPLE)

    assert (rig.file, rig.name, rig.plugins) == (EXAMPLE, "left shelf", ("my_boards",))
    assert (rig.sec_tags, rig.lease_directory) == ("910000000-910000004", "/run/lock/harness-leases")
    shelf, second, twin, cellar, gateway = rig.boards
    assert (shelf.name, shelf.profile, shelf.usb_serial) == ("shelf-1", None, "001051200001")
    assert shelf.capabilities.remove == ["provisioning-agent"]
    assert shelf.properties == {"shelf": "left"}
    assert (second.name, second.endpoints["trace"].baud) == ("000960012345", 1_000_000)
    assert (twin.name, twin.usb_serial) == ("shelf-2", "001050912345")
    assert (twin.identity, twin.location) == ("359404230261381", "1-1.2")
    assert twin.endpoints["console"].interface == 0
    assert cellar.capabilities.add == ["outdoors"]
    console = cellar.endpoints["console"]
    assert (console.url, console.discipline) == ("socket://192.0.2.10:2001", "at-host")
    assert (console.rtscts, console.dtr, console.rts) == (False, True, True)
    assert cellar.control == {"relay": {"host": "192.0.2.11", "outlet": 3}}
    assert gateway.ssh is not None
    assert (gateway.ssh.host, gateway.ssh.port, gateway.ssh.user) == ("192.0.2.12", 22, "root")
    assert gateway.ssh.key_file == "keys/gateway"
    assert gateway.ssh.host_key.startswith("ssh-ed25519 AAAA")


def test_empty_file_is_a_rig_without_boards(file: Path) -> None:
    """Nothing has to be said; the rig is called as its directory."""
    file.write_text("")

    assert load_rig(file) == Rig(file=file, name=file.parent.name)


def test_endpoint_may_be_its_url_alone(file: Path) -> None:
    """A text stands for a table of which only the URL is given."""
    file.write_text(ON_A_PATH)
    short = load_rig(file).boards[0].endpoints["console"]
    file.write_text(ON_A_PATH.replace('"/dev/x"', '{ url = "/dev/x" }'))

    assert short == load_rig(file).boards[0].endpoints["console"]
    assert short.url == "/dev/x"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = 1\nname =\n", r"is not TOML: Invalid value \(at line 2, column 7\)"),
        ("\n\nboards = 3\n", r"boards: unknown key; expected board \(the nearest key\)"),
        ("name = 3", r"name: does not fit \(got 3\); expected a valid string"),
        ('name = ""', r"name: does not fit \(got ''\); expected have at least 1 character"),
        ('plugins = "one"', r"plugins: does not fit \(got 'one'\); expected a valid list"),
        ("plugins = [1]", r"plugins\[0\]: does not fit \(got 1\); expected a valid string"),
        ('[leases]\ndirectry = "/x"', r"leases.directry: unknown key; expected directory \(the nearest"),
        ('[leases]\ndirectory = "x"', r"leases.directory: does not fit \(got 'x'\); expected match pattern"),
        ('sec_tags = "9"', r"sec_tags: does not fit \(got '9'\); expected match pattern"),
        ('sec_tags = "9-8"', r"sec_tags: not a range of security tags \(got '9-8'\); expected FIRST-LAST"),
        (
            'sec_tags = "0-2147483648"',
            r"sec_tags: not a range of security tags \(got '0-2147483648'\); expected .*, 0 to 2147483647",
        ),
        ("[board]", r"board: does not fit \(got \{\}\); expected a valid list"),
        ("[[board]]", r"board\[0\].id: missing key; expected this key, or usb_serial"),
        (
            '[[board]]\nid = "b"\nendpoints.console = "/dev/x"',
            r"board\[0\].profile: missing key; expected this key, or usb_serial",
        ),
        ('[[board]]\nid = "b"\nprofile = "p"', r"board\[0\].endpoints: missing key; expected this key"),
        ('[[board]]\nid = "a b"\nusb_serial = "1"', r"board\[0\].id: does not fit \(got 'a b'\)"),
        ('[[board]]\nusb_seril = "1"', r"board\[0\].usb_seril: unknown key; expected usb_serial"),
        (ON_A_PATH + "endpoints.trace = 3", r"board\[0\].endpoints.trace: does not fit \(got 3\)"),
        (
            ON_A_PATH + 'endpoints.trace = {url = "/dev/y", bauds = 1}',
            r"board\[0\].endpoints.trace.bauds: unknown key; expected baud \(the nearest key\)",
        ),
        (
            ON_A_PATH + 'endpoints.trace = {url = "/dev/y", baud = 1}',
            r"board\[0\].endpoints.trace.baud: does not fit \(got 1\); expected greater than or equal to 50",
        ),
        (ON_A_PATH + "endpoints.trace = {}", r"board\[0\].endpoints.trace.url: missing key"),
        (
            ON_A_PATH + "endpoints.trace.interface = 2",
            r"board\[0\].endpoints.trace.url: missing key; expected this key, or usb_serial",
        ),
        (
            ON_USB + 'endpoints.trace = { url = "/dev/y", interface = 2 }',
            r"board\[0\].endpoints.trace.interface: is said beside url; expected one of the two",
        ),
        (
            ON_USB + "endpoints = { console.interface = 2, trace.interface = 2 }",
            r"board\[0\].endpoints.trace.interface: is the interface of 'console' already \(got 2\)",
        ),
        (
            ON_USB + "endpoints.console.interface = 256",
            r"board\[0\].endpoints.console.interface: does not fit \(got 256\); expected less than or equal",
        ),
        (ON_USB + 'identity = ""', r"board\[0\].identity: does not fit \(got ''\)"),
        (ON_USB + 'identity = "a b"', r"board\[0\].identity: does not fit \(got 'a b'\)"),
        (ON_USB + 'location = "1-1:1.0"', r"board\[0\].location: does not fit \(got '1-1:1.0'\)"),
        ('[[board]]\nlocation = "1-1"', r"board\[0\].id: missing key; expected this key, or usb_serial"),
        (
            '[[board]]\nidentity = "5"\n[[board]]\nid = "b"\nidentity = "5"',
            r"board\[1\].identity: is that of board\[0\] already \(got '5'\); expected a board once",
        ),
        (
            '[[board]]\nid = "a"\nlocation = "1-1"\n[[board]]\nid = "b"\nlocation = "1-1"',
            r"board\[1\].location: is that of board\[0\] already \(got '1-1'\)",
        ),
        (
            SHARED.format("", 'location = "1-2"'),
            r"board\[1\].usb_serial: is that of board\[0\] already \(got '7'\); .*with an id and an identity",
        ),
        (
            SHARED.format('location = "1-2"', 'location = "1-2"'),
            r"board\[1\].location: is that of board\[0\] already \(got '1-2'\)",
        ),
        (
            ON_A_PATH + 'endpoints.trace = {url = "/dev/y", dtr = 1}',
            r"board\[0\].endpoints.trace.dtr: does not fit \(got 1\); expected a valid boolean",
        ),
        (
            ON_A_PATH + 'capabilities.ad = ["x"]',
            r"board\[0\].capabilities.ad: unknown key; expected add \(the nearest key\)",
        ),
        (ON_A_PATH + "properties.shelf = 3", r"board\[0\].properties.shelf: does not fit \(got 3\)"),
        (ON_A_PATH + "control.relay = 3", r"board\[0\].control.relay: does not fit \(got 3\)"),
        (
            ON_A_PATH + 'capabilities.add = ["virtual"]',
            r"board\[0\].capabilities.add: no file gives this capability.* \(got 'virtual'\); expected other",
        ),
        (
            ON_A_PATH + 'capabilities.add = ["destructive"]',
            r"board\[0\].capabilities.add: no file gives this capability.* \(got 'destructive'\)",
        ),
        (BY_SSH.replace("host =", "hots ="), r"board\[0\].ssh.(host: missing key|hots: unknown key)"),
        (BY_SSH.replace("gate", "a@gate"), r"board\[0\].ssh.host: does not fit \(got 'a@gate'\)"),
        (BY_SSH + "port = 0", r"board\[0\].ssh.port: does not fit \(got 0\); expected greater than or equal"),
        (BY_SSH + 'user = ""', r"board\[0\].ssh.user: does not fit \(got ''\)"),
        (BY_SSH.replace("ssh-ed25519 ", ""), r"board\[0\].ssh.host_key: does not fit \(got 'AAAA'\)"),
        (BY_SSH.replace("host_key", "#"), r"board\[0\].ssh.host_key: missing key"),
        (BY_SSH + 'password_env = "a b"', r"board\[0\].ssh.password_env: does not fit \(got 'a b'\)"),
        (BY_SSH + 'password = "s3cret"', r"board\[0\].ssh.password: unknown key; expected password_"),
        (
            BY_SSH + 'password_env = "P"\npassword_file = "p"',
            r"board\[0\].ssh.password_env: is said beside password_file; expected one of the two",
        ),
        (
            BY_SSH + BY_SSH.replace('"g"', '"h"'),
            r"board\[1\].ssh.host: is that of board\[0\] already \(got 'gate:22'\); expected a board once",
        ),
        (ON_A_PATH * 2, r"board\[1\].id: is that of board\[0\] already \(got 'b1'\); expected a board"),
        (
            ON_A_PATH + ON_A_PATH.replace("b1", "b2"),
            r"board\[1\].endpoints.console: is that of board\[0\] already \(got '/dev/x'\)",
        ),
        (
            '[[board]]\nid = "a"\nusb_serial = "1"\n[[board]]\nid = "b"\nusb_serial = "1"',
            r"board\[1\].usb_serial: is that of board\[0\] already \(got '1'\)",
        ),
        (
            '[[board]]\nusb_serial = "1"\n[[board]]\nid = "1"\nusb_serial = "2"',
            r"board\[1\].id: is that of board\[0\] already \(got '1'\)",
        ),
    ],
)
def test_mistake_is_one_message(file: Path, text: str, message: str) -> None:
    """The message names the file, the key, the value, and what was expected."""
    file.write_text(text)

    with pytest.raises(UsageError, match=message) as caught:
        load_rig(file)

    assert str(caught.value).startswith(str(file))
    assert "\n" not in str(caught.value)


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A directory, a file that is missing and one that is no text are one message each."""
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")

    for file, message in (
        (tmp_path, "cannot read"),
        (tmp_path / "no.toml", "cannot read"),
        (binary, "not TOML"),
    ):
        with pytest.raises(UsageError, match=message):
            load_rig(file)


@given(
    st.recursive(
        st.one_of(st.text(max_size=5), st.integers(), st.booleans(), st.floats()),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "name",
                        "board",
                        "id",
                        "profile",
                        "endpoints",
                        "url",
                        "console",
                        "capabilities",
                        "control",
                        "é",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_anything_else_is_refused_or_read(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    """Whatever a file of TOML holds, it is a rig or a usage error of one line, and never anything else."""
    file = tmp_path_factory.getbasetemp() / "any-rig.toml"
    file.write_text(f"{toml_of({'board': [data], 'name': data})}")

    try:
        said = str(load_rig(file).file)
    except UsageError as error:
        said = str(error)
    assert said.startswith(str(file))


def toml_of(value: Any) -> str:
    """Write a value of TOML's types as the keys of a file; JSON's texts are TOML's, and tables are inline."""
    if isinstance(value, dict):
        return "\n".join(f"{json.dumps(key)} = {inline(one)}" for key, one in value.items())
    raise TypeError(value)


def inline(value: Any) -> str:
    """Write a value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {inline(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    if isinstance(value, float):
        return {"inf": "inf", "-inf": "-inf", "nan": "nan"}.get(str(value), f"{value:.10f}")
    return json.dumps(value).replace("\x7f", "\\u007f")


# -- which file counts ---------------------------------------------------------------------------------------


def test_no_file_is_no_rig(tmp_path: Path) -> None:
    """Without any file there is no rig, and that is no error."""
    assert find_rig(None, [tmp_path]) is None


def test_named_file_counts_before_all_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The option counts, then the variable, then the directories in their order."""
    for name in ("option", "variable", "here", "root"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rig.toml").write_text(f'name = "{name}"')
    places = [tmp_path / "nowhere", tmp_path / "here", tmp_path / "root"]

    def found(named: Path | None = None) -> str:
        rig = find_rig(named, places)
        return rig.name if rig is not None else ""

    assert found() == "here"
    monkeypatch.setenv("HARNESS_RIG", str(tmp_path / "variable/rig.toml"))
    assert found() == "variable"
    assert found(tmp_path / "option/rig.toml") == "option"


def test_variable_that_names_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that somebody named has to be there; the message names the variable."""
    monkeypatch.setenv("HARNESS_RIG", str(tmp_path / "gone.toml"))

    with pytest.raises(UsageError, match=r"HARNESS_RIG: no such file \(got '.*gone.toml'\); expected a rig"):
        find_rig(None, [])


# -- in force ------------------------------------------------------------------------------------------------


def test_plugins_and_leases_reach_other_processes(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the rig is in force its plugins join those of the environment; afterwards all is as before."""
    monkeypatch.setenv("HARNESS_PLUGINS", "first, second")
    rig = Rig(file=file, name="r", plugins=("second", "third"), lease_directory="/leases")

    with rig.in_force():
        assert os.environ["HARNESS_PLUGINS"] == "first,second,third"
        assert os.environ["HARNESS_LEASE_DIR"] == "/leases"

    assert os.environ["HARNESS_PLUGINS"] == "first, second"
    assert "HARNESS_LEASE_DIR" not in os.environ


def test_environment_counts_before_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sets the variable of the leases gets these, whatever the file says."""
    monkeypatch.setenv("HARNESS_LEASE_DIR", "/mine")

    with Rig(file=file, name="r", lease_directory="/leases").in_force():
        assert os.environ["HARNESS_LEASE_DIR"] == "/mine"

    assert os.environ["HARNESS_LEASE_DIR"] == "/mine"


# -- the published schema ------------------------------------------------------------------------------------
