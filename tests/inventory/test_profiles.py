"""Profiles: what is accepted, and the message for everything that is not."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.inventory.board import Endpoint
from harness.inventory.profiles import UsbMatch, load_profile, load_profiles
from harness.inventory.serial_ports import SerialPort
from harness.shipped import shipped_directory
from harness.toml_files import nearest

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """
title = "Acme One"
vendor = "Acme"
driver = "acme"
capabilities = ["attestation"]

[[usb]]
vid = 0x1234
serial_prefixes = ["AC"]

[buffers]
rx = 1024
tx = 2048

[endpoints.console]
interface = 0
discipline = "at-host"
baud = 9600
rtscts = true
dtr = true
rts = false
"""


@pytest.fixture
def profile_file(tmp_path: Path) -> Path:
    """A well-formed profile."""
    file = tmp_path / "acme-one.toml"
    file.write_text(GOOD)
    return file


def test_profile_says_what_its_file_says(profile_file: Path) -> None:
    """Every key of the file arrives, and the kind is named after the file."""
    profile = load_profile(profile_file)

    assert profile.name == "acme-one"
    assert profile.title == "Acme One"
    assert profile.vendor == "Acme"
    assert profile.driver == "acme"
    assert profile.capabilities == ["attestation"]
    assert profile.usb[0].vid == 0x1234
    assert not profile.virtual
    assert profile.properties == {
        "title": "Acme One",
        "vendor": "Acme",
        "rx_buffer": "1024",
        "tx_buffer": "2048",
    }


def test_endpoint_is_described_for_a_path(profile_file: Path) -> None:
    """A role and a path become an endpoint with the profile's line settings."""
    endpoint = load_profile(profile_file).endpoint("console", "/dev/ttyACM3")

    assert endpoint == Endpoint(
        role="console",
        url="/dev/ttyACM3",
        baud=9600,
        discipline="at-host",
        rtscts=True,
        dtr=True,
        rts=False,
    )


def test_unknown_role_is_refused(profile_file: Path) -> None:
    """A role that the kind lacks is a usage error that lists the roles there are."""
    with pytest.raises(UsageError, match=r"no endpoint of this role \(got 'trace'\); expected console"):
        load_profile(profile_file).endpoint("trace", "/dev/ttyACM3")


def test_lines_are_left_alone_unless_the_profile_says_otherwise(tmp_path: Path) -> None:
    """Without a word on DTR and RTS nothing is set: opening a port must not reset a board."""
    file = tmp_path / "quiet.toml"
    file.write_text('title="Q"\nvendor="Q"\ndriver="q"\n[endpoints.console]\ninterface=0\n')

    endpoint = load_profile(file).endpoint("console", "/dev/ttyACM0")

    assert (endpoint.dtr, endpoint.rts, endpoint.rtscts, endpoint.baud) == (None, None, False, 115200)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('driver = "acme"', 'drivr = "acme"', r"drivr: unknown key; expected driver \(the nearest key\)"),
        ("baud = 9600", "buad = 9600", r"endpoints\.console\.buad: unknown key; expected baud \(the nearest"),
        ("vid =", "vidd =", r"usb\[0\]\.vidd: unknown key; expected vid \(the nearest key\)"),
        ("rx = 1024", "rx = 1024\nzzz = 1", r"buffers\.zzz: unknown key; expected one of rx, tx"),
        ('title = "Acme One"\n', "", r"title: missing key; expected this key to be there"),
        ("baud = 9600", 'baud = "9600"', r"endpoints\.console\.baud: does not fit \(got '9600'\); .*integer"),
        ("baud = 9600", "baud = 0", r"baud: does not fit \(got 0\); expected greater than or equal to 50"),
        ("rtscts = true", "rtscts = 1", r"rtscts: does not fit \(got 1\); expected a valid boolean"),
        ("interface = 0", "interface = -1", r"interface: does not fit \(got -1\); expected greater than"),
        ("vid = 0x1234", "vid = 0x12345", r"usb\[0\]\.vid: does not fit \(got 74565\)"),
        ('["attestation"]', '["Has Space"]', r"capabilities\[0\]: does not fit \(got 'Has Space'\); .*match"),
        ('["attestation"]', '"attestation"', r"capabilities: does not fit \(got 'attestation'\); .*list"),
        ('vendor = "Acme"', 'vendor = ""', r"vendor: does not fit \(got ''\); expected have at least 1"),
        ('title = "Acme One"', 'name = "x"', r"name: unknown key; expected no such key; the file's name"),
        ("[[usb]]", "virtual = true\n[[usb]]", r"usb: a virtual board is not on USB; expected no"),
        ('driver = "acme"', 'driver = "acme"\ntwin_of = "x"', r"virtual: only a virtual board is a twin"),
        ('driver = "acme"', "driver = ", r"is not TOML: .*line"),
        (
            "rts = false\n",
            "rts = false\n[endpoints.trace]\ninterface = 0\n",
            r"endpoints\.trace\.interface: is the interface of 'console' already \(got 0\); expected one",
        ),
    ],
)
def test_mistake_is_explained(profile_file: Path, old: str, new: str, message: str) -> None:
    """A mistake is one message with file, key, value and what was expected."""
    profile_file.write_text(GOOD.replace(old, new, 1))

    with pytest.raises(UsageError) as caught:
        load_profile(profile_file)

    assert str(caught.value).startswith(f"{profile_file}: ")
    assert re.search(message, str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)


def test_profile_without_an_endpoint_is_refused(tmp_path: Path) -> None:
    """A board that cannot be talked to is of no use to anybody."""
    file = tmp_path / "mute.toml"
    file.write_text('title="M"\nvendor="M"\ndriver="m"\n[endpoints]\n')

    with pytest.raises(UsageError, match=r"mute\.toml: endpoints: does not fit .*at least 1 item"):
        load_profile(file)


def test_file_name_that_is_no_kind_is_refused(tmp_path: Path) -> None:
    """The file's name is the kind's name, so it has to fit options like KIND=N."""
    file = tmp_path / "Acme One.toml"
    file.write_text(GOOD)

    with pytest.raises(
        UsageError, match=r"file's name is the kind's name .*\(got 'Acme One'\); expected lower"
    ):
        load_profile(file)


def test_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A missing file is a usage error, not a traceback."""
    with pytest.raises(UsageError, match=r"gone\.toml: cannot read: No such file"):
        load_profile(tmp_path / "gone.toml")


def test_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are a usage error."""
    file = tmp_path / "binary.toml"
    file.write_bytes(b'title = "\xff\xfe"')

    with pytest.raises(UsageError, match=r"binary\.toml: is not TOML"):
        load_profile(file)


def test_directory_stands_for_its_files(profile_file: Path) -> None:
    """A directory gives all its profiles; naming one of them again changes nothing."""
    (profile_file.parent / "notes.txt").write_text("not a profile")

    assert list(load_profiles([profile_file.parent, profile_file])) == ["acme-one"]


def test_two_files_for_one_kind_are_refused(profile_file: Path) -> None:
    """A vendor cannot replace another's kind by accident; the message names both files."""
    other = profile_file.parent / "other" / "acme-one.toml"
    other.parent.mkdir()
    other.write_text(GOOD)

    with pytest.raises(UsageError) as caught:
        load_profiles([profile_file, other])

    assert str(other) in str(caught.value)
    assert str(profile_file) in str(caught.value)


def test_twin_of_nothing_is_refused(profile_file: Path) -> None:
    """The twin of a kind that does not exist is refused with the nearest kind."""
    twin = profile_file.with_name("acme-one-virtual.toml")
    usb = re.compile(r"\[\[usb\]\].*?\n\n", re.DOTALL)
    twin.write_text(
        usb.sub("", GOOD.replace('driver = "acme"', 'driver = "acme"\nvirtual = true\ntwin_of = "acme-on"'))
    )

    with pytest.raises(UsageError, match=r"twin_of: no such profile \(got 'acme-on'\); expected acme-one"):
        load_profiles([profile_file, twin])
    assert set(load_profiles([twin], complete=False)) == {"acme-one-virtual"}


SHIPPED = {
    "nrf9131ek": ["0010510"],
    "nrf9151dk": ["0010512", "0010520"],
    "nrf9160dk": ["0009600"],
    "nrf9161dk": ["0010509"],
    "thingy91": ["THINGY91", "PCA20035"],
    "thingy91x": ["0010513", "0010550", "0010551", "THINGY91X"],
}


BY_NAME = {"guardian-component", "guardian-gateway", "mbl-device"}


def test_shipped_profiles_are_the_boards_and_their_twins() -> None:
    """Eight boards, each with a virtual twin of the same driver, capabilities and buffers; one has two."""
    profiles = load_profiles([shipped_directory("boards")])

    boards = {*SHIPPED, *BY_NAME}
    twins = {f"{name}-virtual": name for name in boards} | {"nrf9151dk-shell-virtual": "nrf9151dk"}
    assert set(profiles) == {*boards, *twins}
    assert profiles["nrf9151dk-shell-virtual"].endpoints["console"].discipline == "at-shell"
    for twin_name, name in twins.items():
        board, twin = profiles[name], profiles[twin_name]
        assert twin.twin_of == name
        assert (twin.driver, twin.capabilities, twin.buffers) == (
            board.driver,
            board.capabilities,
            board.buffers,
        )
        assert set(twin.endpoints) == ({"console"} if name in BY_NAME else {"console", "trace"})


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_shipped_profiles_take_no_chip_for_a_board(name: str) -> None:
    """Ids of a chip that is in many products tell no board; the names that it was given do."""
    (match,) = load_profiles([shipped_directory("boards")])[name].usb

    assert None not in {match.manufacturer, match.product}


@pytest.mark.parametrize(("name", "prefixes"), SHIPPED.items())
def test_shipped_serial_prefixes(name: str, prefixes: list[str]) -> None:
    """Serial number prefixes are those by which the vendor's own client knows boards (facts 7.6)."""
    profile = load_profiles([shipped_directory("boards")])[name]

    assert [prefix for match in profile.usb for prefix in match.serial_prefixes] == prefixes


def test_only_boards_that_the_service_takes_have_the_agent() -> None:
    """The provisioning service takes nRF91x1; an nRF9160 has tokens only (facts 1)."""
    shipped = load_profiles([shipped_directory("boards")]).values()
    profiles = [profile for profile in shipped if profile.driver == "nrf91"]
    without = {profile.name for profile in profiles if "provisioning-agent" not in profile.capabilities}

    assert without == {"nrf9160dk", "nrf9160dk-virtual", "thingy91", "thingy91-virtual"}
    assert all("attestation" in profile.capabilities for profile in profiles)


@pytest.mark.parametrize(
    ("word", "expected"), [("drivr", "driver"), ("usbb", "usb"), ("qqq", None), ("", None)]
)
def test_nearest(word: str, expected: str | None) -> None:
    """A near word is found; for one that is far from all, none is made up."""
    assert nearest(word, ["driver", "usb", "title"]) == expected


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc_", min_size=1), inner, max_size=3)
    ),
    max_leaves=6,
)


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items() if inner is not None)
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(_toml(inner) for inner in value if inner is not None) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    return '"' + "".join(f"\\U{ord(c):08x}" for c in str(value)) + '"'


@given(
    table=st.dictionaries(
        st.sampled_from(
            ["title", "vendor", "driver", "capabilities", "usb", "endpoints", "buffers", "virtual", "x"]
        ),
        _VALUES,
    )
)
def test_any_table_is_a_profile_or_one_message(
    tmp_path_factory: pytest.TempPathFactory, table: dict[str, object]
) -> None:
    """Whatever a TOML file holds, it is a profile or a usage error that names the file."""
    file = tmp_path_factory.getbasetemp() / "random.toml"
    file.write_text("\n".join(f"{key} = {_toml(value)}" for key, value in table.items() if value is not None))
    tomllib.loads(file.read_text())  # the text above is TOML, so the profile is what is judged

    try:
        profile = load_profile(file)
    except UsageError as error:
        assert str(error).startswith(f"{file}: ")  # noqa: PT017 - both outcomes are right, and differ
    else:
        assert profile.endpoints


ODD = SerialPort(
    device="/dev/ttyUSB0",
    vid=0x10C4,
    pid=0xEA60,
    serial_number="0001",
    manufacturer="Silicon Labs",
    product="CP2102 USB to UART Bridge",
    location="1-1.2",
    interface=0,
    properties={"ID_USB_DRIVER": "cp210x", "ID_PATH": "pci-0000:00:14.0-usb-0:1.2:1.0"},
    ancestors=(
        {"DEVTYPE": "usb_interface"},
        {"idVendor": "10c4"},
        {"idVendor": "2109", "product": "USB2.0 Hub"},
    ),
)


@pytest.mark.parametrize(
    ("match", "strength"),
    [
        (UsbMatch(), 0),
        (UsbMatch(vid=0x10C4), 1),
        (UsbMatch(vid=0x10C4, pid=1), 0),
        (UsbMatch(manufacturer="Silicon*"), 1),
        (UsbMatch(manufacturer="silicon*"), 0),
        (UsbMatch(vid=0x10C4, pid=0xEA60, product="CP210[0-9] *"), 3),
        (UsbMatch(product="CP210"), 0),
        (UsbMatch(serial_prefixes=["9", "000"]), 3 * 64),
        (UsbMatch(serial_prefixes=["9", "000"], product="CP*"), 3 * 64 + 1),
        (UsbMatch(properties={"ID_USB_DRIVER": "cp210?"}), 1),
        (UsbMatch(properties={"ID_USB_DRIVER": "cp210?", "ID_PATH": "*:1.2:*"}), 2),
        (UsbMatch(properties={"ID_USB_DRIVER": "cp210?", "ID_NONE": "*"}), 0),
        (UsbMatch(ancestors={"idVendor": "2109", "product": "*Hub"}), 2),
        (UsbMatch(ancestors={"idVendor": "10c4", "product": "*Hub"}), 0),
    ],
)
def test_every_key_of_a_match_has_to_fit(match: UsbMatch, strength: int) -> None:
    """A match with more keys that fit is closer; one key that does not fit is enough to be nothing."""
    assert match.strength(ODD) == strength


@given(
    st.dictionaries(st.text(min_size=1, max_size=3), st.just("*"), min_size=64, max_size=80),
)
def test_prefix_of_the_serial_number_counts_before_all_other_keys(patterns: dict[str, str]) -> None:
    """However many other keys a match has, one that knows the serial number is closer."""
    port = replace(ODD, properties=dict.fromkeys(patterns, "x"))

    assert UsbMatch(properties=patterns).strength(port) < UsbMatch(serial_prefixes=["0"]).strength(port)


def test_patterns_are_read_from_a_file(profile_file: Path) -> None:
    """Every key of a match can be written in TOML; what is no pattern is refused with its key."""
    text = GOOD.replace(
        'serial_prefixes = ["AC"]',
        'product = "Lamp*"\nmanufacturer = "Acme"\nproperties = { ID_USB_DRIVER = "cdc_acm" }\n'
        'ancestors = { idVendor = "2109" }',
    )
    profile_file.write_text(text)

    assert load_profile(profile_file).usb == [
        UsbMatch(
            vid=0x1234,
            product="Lamp*",
            manufacturer="Acme",
            properties={"ID_USB_DRIVER": "cdc_acm"},
            ancestors={"idVendor": "2109"},
        )
    ]
    profile_file.write_text(text.replace('idVendor = "2109"', "idVendor = 2109"))
    with pytest.raises(UsageError, match=r"usb\[0\]\.ancestors\.idVendor: does not fit \(got 2109\)"):
        load_profile(profile_file)
