"""What is attached to a host: boards on USB, boards of the rig file, absent boards, and ports of nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import UsageError
from harness.inventory.attached import Survey, survey_host
from harness.inventory.board import Endpoint
from harness.inventory.profiles import UsbMatch, load_profiles
from harness.rig import load_rig
from harness.shipped import shipped_directory
from tests.inventory.usb_ports import SEGGER, usb_port

if TYPE_CHECKING:
    from pathlib import Path

    from harness.inventory.serial_ports import SerialPort

PROFILES = load_profiles([shipped_directory("boards")])
DK = usb_port("/dev/ttyACM0", SEGGER, 0x1069, "001051200001", "1-1", 0)
SECOND_PORT = usb_port("/dev/ttyACM1", SEGGER, 0x1069, "001051200001", "1-1", 2)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the rig file is written."""
    return tmp_path / "rig.toml"


def survey(file: Path, text: str, *ports: SerialPort) -> Survey:
    """Look at a host with some ports and a rig file."""
    file.write_text(text)
    return survey_host(PROFILES, ports, load_rig(file))


def test_host_without_a_rig_file() -> None:
    """What profiles find on USB is there, and nothing is absent."""
    found = survey_host(PROFILES, [SECOND_PORT, DK], None)

    assert [board.id for board in found.boards] == ["001051200001"]
    assert found.absent == ()
    assert found.strangers == ()


def test_what_the_file_says_of_a_board_on_usb_counts(file: Path) -> None:
    """One board: ports and profile as on USB, name, capabilities and properties as in the file."""
    found = survey(
        file,
        """
        [[board]]
        id = "shelf-1"
        usb_serial = "001051200001"
        capabilities = { add = ["outdoors"], remove = ["provisioning-agent"] }
        properties = { shelf = "left", title = "Ours" }
        endpoints.trace = { url = "/dev/ttyACM1", baud = 1000000 }
        control.relay = { outlet = 3 }
        """,
        DK,
        SECOND_PORT,
    )

    (board,) = found.boards
    assert (board.id, board.kind, board.driver) == ("shelf-1", "nrf9151dk", "nrf91")
    assert board.hardware_identity == "001051200001"
    assert board.capabilities == {"attestation", "keygen", "jwt", "certificate-check", "outdoors"}
    assert board.endpoints["console"].url == "/dev/ttyACM0"
    assert board.endpoints["console"].rtscts
    assert board.endpoints["trace"] == Endpoint(role="trace", url="/dev/ttyACM1", baud=1_000_000)
    assert board.properties["shelf"] == "left"
    assert board.properties["title"] == "Ours"
    assert board.properties["vendor"] == "Nordic Semiconductor"
    assert board.control == {"relay": {"outlet": 3}}
    assert not board.virtual
    assert found.strangers == ()


def test_file_may_say_the_profile_that_no_serial_number_tells(file: Path) -> None:
    """A board whose serial number fits no profile is used as the file says."""
    strange = usb_port("/dev/ttyUSB0", 0x0403, 0x6001, "A50285BI", "1-2")

    found = survey(file, '[[board]]\nusb_serial = "A50285BI"\nprofile = "nrf9160dk"', strange)

    assert [(board.id, board.kind) for board in found.boards] == [("A50285BI", "nrf9160dk")]
    assert found.boards[0].endpoints["console"].url == "/dev/ttyUSB0"
    assert found.strangers == ()
    assert found.boards[0].kind_named  # when it comes back, it is not taken for what it looks like


def test_board_that_is_named_by_the_path_of_its_port_is_the_one_on_usb(file: Path, tmp_path: Path) -> None:
    """A link to a port of a board on USB does not make a second board of it."""
    device = tmp_path / "ttyACM0"
    device.touch()
    link = tmp_path / "by-id"
    link.symlink_to(device)
    port = usb_port(str(device), SEGGER, 0x1069, "001051200001", "1-1", 0)

    found = survey(
        file, f'[[board]]\nid = "b"\nprofile = "nrf9151dk"\nendpoints.console = "{link}"', port, SECOND_PORT
    )

    (board,) = found.boards
    assert (board.id, board.hardware_identity) == ("b", "001051200001")
    assert board.endpoints["console"].url == str(link)


def test_board_by_url_is_there_until_it_is_opened(file: Path) -> None:
    """Of a URL nobody knows more without opening it; its profile gives what the file does not say."""
    found = survey(
        file,
        """
        [[board]]
        id = "cellar-1"
        profile = "nrf9161dk"
        endpoints.console = { url = "socket://192.0.2.10:2001", rtscts = false, dtr = false }
        """,
    )

    (board,) = found.boards
    assert board.endpoints["console"] == Endpoint(
        role="console",
        url="socket://192.0.2.10:2001",
        baud=115200,
        discipline="at-host",
        rtscts=False,
        dtr=False,
        rts=True,
    )
    assert board.hardware_identity == "cellar-1"


@pytest.mark.parametrize(
    ("text", "identity", "kind", "reason"),
    [
        (
            '[[board]]\nid = "a"\nusb_serial = "77"',
            "a",
            "unknown",
            "no serial port has the USB serial number 77",
        ),
        (
            '[[board]]\nusb_serial = "77"\nprofile = "nrf9160dk"',
            "77",
            "nrf9160dk",
            "no serial port has the USB serial number 77",
        ),
        (
            '[[board]]\nid = "b"\nprofile = "nrf9160dk"\nendpoints.console = "/dev/nope"',
            "b",
            "nrf9160dk",
            "there is no /dev/nope",
        ),
    ],
)
def test_absent_boards_say_what_was_looked_for(
    file: Path, text: str, identity: str, kind: str, reason: str
) -> None:
    """A board of the file that is not there is no error, and is known to be missing."""
    found = survey(file, text, DK)

    assert [board.id for board in found.boards] == ["001051200001"]
    assert [(one.board.id, one.board.kind, one.reason) for one in found.absent] == [(identity, kind, reason)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[[board]]\nusb_serial = "001051200001"\nprofile = "nrf9151d"',
            r"rig.toml: board\[0\].profile: no such profile \(got 'nrf9151d'\); expected nrf9151dk",
        ),
        (
            '[[board]]\nid = "b"\nprofile = "nrf9151dk-virtual"\nendpoints.console = "/dev/x"',
            r"board\[0\].profile: is a kind of virtual board.*'nrf9151dk-virtual'\); expected nrf9151dk \(",
        ),
        (
            '[[board]]\nusb_serial = "A50285BI"',
            r"board\[0\].profile: no profile fits the ports of this board; expected the name of its profile",
        ),
        (
            '[[board]]\nid = "001051200001"\nusb_serial = "A50285BI"\nprofile = "nrf9160dk"',
            r"board: belongs to two boards, 001051200001 and 001051200001 \(got '001051200001'\)",
        ),
        (
            '[[board]]\nusb_serial = "A50285BI"\nprofile = "nrf9160dk"\nendpoints.trace = "/dev/ttyACM0"',
            r"board: belongs to two boards, A50285BI and 001051200001 \(got 'endpoint /dev/ttyACM0'\)",
        ),
    ],
)
def test_what_the_ports_contradict_is_refused(file: Path, text: str, message: str) -> None:
    """A file that cannot be true of this host is one message."""
    with pytest.raises(UsageError, match=message):
        survey(file, text, DK, usb_port("/dev/ttyUSB0", 0x0403, 0x6001, "A50285BI", "1-2"))


@pytest.mark.parametrize(
    ("port", "text"),
    [
        (usb_port("/dev/ttyS0"), "/dev/ttyS0: is not on USB"),
        (
            usb_port("/dev/ttyUSB0", 0x1A86, 0x7523, None, "1-2", 0, "CH340"),
            "/dev/ttyUSB0 (1a86:7523 CH340): no profile has the vendor id 1a86; if a board is behind it: ",
        ),
        (
            usb_port("/dev/ttyACM0", SEGGER, 0x1069, None, "1-1", 0),
            "/dev/ttyACM0 (1366:1069): shows no serial number, by which nRF9131 EK, nRF9151 DK, nRF9160 DK, ",
        ),
        (
            usb_port("/dev/ttyACM0", SEGGER, 0x1069, "0010599", "1-1", 0),
            "/dev/ttyACM0 (1366:1069 0010599): its serial number begins as that of none of nRF9131 EK, ",
        ),
    ],
)
def test_strangers_say_why_they_fit_nothing(port: SerialPort, text: str) -> None:
    """A port of nobody is shown with what is known of it and why no profile fits."""
    found = survey_host(PROFILES, [port], None)

    assert found.boards == ()
    assert [str(stranger)[: len(text)] for stranger in found.strangers] == [text]


@pytest.mark.parametrize(
    ("port", "reason"),
    [
        (usb_port("/dev/ttyACM0", 0x0403, 1, "1"), "no profile has the vendor id 0403"),
        (usb_port("/dev/ttyACM0", SEGGER, 9, "1"), "no profile has the product id 0009 of the vendor 1366"),
    ],
)
def test_strangers_ids_are_compared_one_by_one(port: SerialPort, reason: str) -> None:
    """The first id that no profile has is named."""
    usb = PROFILES["nrf9151dk"].usb[0].model_copy(update={"pid": 7})
    profiles = {"one": PROFILES["nrf9151dk"].model_copy(update={"usb": [usb]})}

    (stranger,) = survey_host(profiles, [port], None).strangers

    assert stranger.reason == reason


@pytest.mark.parametrize(
    ("match", "reason"),
    [
        ({"vid": SEGGER, "product": "Toaster"}, "its product fits none of nRF9151 DK"),
        ({"vid": SEGGER, "manufacturer": "Acme*"}, "its manufacturer fits none of nRF9151 DK"),
        ({"vid": SEGGER, "properties": {"ID_PATH": "x"}}, "what udev says of it fits none of nRF9151 DK"),
        ({"vid": SEGGER, "ancestors": {"ID_PATH": "x"}}, "what it is plugged into fits none of nRF9151 DK"),
        ({"serial_prefixes": ["0010513"]}, "no profile has the vendor id 1366"),
    ],
)
def test_strangers_name_the_key_that_does_not_fit(match: dict[str, Any], reason: str) -> None:
    """Of the match that comes nearest the first key that does not fit is named."""
    usb = [UsbMatch(vid=1), UsbMatch(**match)]
    profiles = {"one": PROFILES["nrf9151dk"].model_copy(update={"usb": usb})}

    (stranger,) = survey_host(profiles, [DK], None).strangers

    assert stranger.reason == reason


def test_nothing_is_a_board_where_no_profile_is_on_usb() -> None:
    """Without a profile that says how its boards show up, strangers say that."""
    (stranger,) = survey_host({}, [DK], None).strangers

    assert stranger.reason == "no profile is looked for on USB"


@pytest.mark.parametrize(
    ("port", "advice"),
    [
        (
            usb_port("/dev/ttyS0"),
            'rig.toml, id, profile and endpoints.console = "/dev/ttyS0"',
        ),
        (
            usb_port("/dev/ttyUSB0", 1, 1, "A5", "1-2", 0),
            'rig.toml, usb_serial = "A5" and its profile',
        ),
        (
            usb_port("/dev/ttyUSB0", 1, 1, None, "1-2", 0),
            'rig.toml, id and location = "1-2" and its profile',
        ),
        (
            usb_port("/dev/cu.x", 1, 1),
            'rig.toml, id and endpoints.console = "/dev/cu.x" and its profile',
        ),
    ],
)
def test_strangers_say_what_makes_them_known(port: SerialPort, advice: str) -> None:
    """By what a board behind a port would be found: serial number, place, or the port itself."""
    (stranger,) = survey_host(PROFILES, [port], None).strangers

    drafting = f" ('harness profile new {port.device}' drafts one)" if port.vid is not None else ""
    assert stranger.advice == f"if a board is behind it: {advice}{drafting}"
    assert str(stranger).endswith(f"{stranger.reason}; {stranger.advice}")


def test_what_is_looked_for_is_said_in_words() -> None:
    """Each kind of hardware with the USB ids and serial numbers by which it is known."""
    said = survey_host(PROFILES, [], None).looked_for

    assert "nRF9151 DK (USB 1366:* with serial number 0010512... or 0010520...)" in said
    assert not any("virtual" in one for one in said)
