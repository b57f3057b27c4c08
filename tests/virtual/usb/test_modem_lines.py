"""What clients do to a tty of the lab by ioctl, and what of it reaches the board."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.virtual.contract import UsbPresentation, VirtualKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Lab = Any

KIND = VirtualKind(
    kind="lines",
    factory="usb_toy_boards:make",
    roles=("console", "trace"),
    usb=UsbPresentation(
        vendor_id=0x303A,
        product_id=0x1001,
        manufacturer="Toy",
        product="Lines",
        serial="T{number}",
        interfaces={"console": 0, "trace": 1},
        port_driver="ftdi_sio",
    ),
)


@pytest.fixture(scope="module")
def shared_usb_lab(
    usb_lab_factory: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """A lab that hosts boards with modem lines."""
    modules = tmp_path_factory.mktemp("modules")
    (modules / "usb_toy_boards.py").symlink_to(Path(__file__).with_name("toy_boards.py"))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(modules))
        with usb_lab_factory(tmp_path_factory.mktemp("u"), extra_kinds=[KIND]) as lab:
            yield lab


def seen(lab: Lab, method: str) -> list[Any]:
    """Return what the board ``a`` has seen since the last question."""
    board = lab.client.board("a")
    found: list[Any] = board.call(method)
    board.clear_faults()
    return found


def test_dtr_and_rts_reach_the_board(usb_lab: Lab) -> None:
    """Both rise at the first open, follow the client, and fall at the last close; CTS, DSR and DCD are up."""
    usb_lab.client.add("lines", id="a")
    said = usb_lab.python("""
import serial
port = serial.Serial("/dev/ttyUSB0", 115200, timeout=10)
print(port.cts, port.dsr, port.cd, port.ri)
port.dtr = False
port.rts = False
port.rts = True
port.dtr = True
port.close()
""")
    assert said.split() == ["True", "True", "True", "False"]
    assert seen(usb_lab, "lines") == [
        ["console", True, True],
        ["console", False, True],
        ["console", False, False],
        ["console", False, True],
        ["console", True, True],
        ["console", False, False],
    ]


def test_a_port_can_be_opened_without_a_line_moving_by_itself(usb_lab: Lab) -> None:
    """TIOCMSET sets both lines at once, and with HUPCL off they stay when the port is closed."""
    usb_lab.client.add("lines", id="a")
    usb_lab.python("""
import fcntl, os, struct, termios
fd = os.open("/dev/ttyUSB1", os.O_RDWR | os.O_NOCTTY)
settings = termios.tcgetattr(fd)
settings[2] &= ~termios.HUPCL
termios.tcsetattr(fd, termios.TCSANOW, settings)
fcntl.ioctl(fd, termios.TIOCMSET, struct.pack("i", termios.TIOCM_RTS))
assert struct.unpack("i", fcntl.ioctl(fd, termios.TIOCMGET, bytes(4)))[0] & 6 == termios.TIOCM_RTS
os.close(fd)
""")
    assert seen(usb_lab, "lines") == [["trace", True, True], ["trace", False, True]]


def test_speeds_and_waiting_bytes_are_real(usb_lab: Lab) -> None:
    """Any speed is taken, ``in_waiting`` counts, exclusive use is granted: umockdev would refuse it all."""
    usb_lab.client.add("lines", id="a")
    said = usb_lab.python("""
import fcntl, select, serial, termios
with serial.Serial("/dev/ttyUSB0", 1234567, timeout=10, exclusive=True) as port:
    fcntl.ioctl(port.fd, termios.TIOCEXCL)
    port.write(b"seven b")
    while port.in_waiting < 7:
        select.select([port.fd], [], [], 10)
    print(port.in_waiting, port.read(7).decode(), port.baudrate)
    port.baudrate = 74880
""")
    assert said.split() == ["7", "seven", "b", "1234567"]


def test_the_auto_reset_circuit(usb_lab: Lab) -> None:
    """The loader's sequence boots the loader, RTS alone the application, both lines together do nothing."""
    usb_lab.client.add("lines", id="a", usb={"auto_reset": True})
    seen(usb_lab, "boots")
    said = usb_lab.python("""
import serial
port = serial.Serial()
port.port, port.timeout = "/dev/ttyUSB0", 10
port.open()                               # both lines rise: nothing is pulled
port.write(b"x"); assert port.read(1) == b"x"
port.dtr = False; port.rts = True         # reset is pulled
port.write(b"unheard")
port.dtr = True; port.rts = False         # boot pin low, reset let go
print(port.read(7))
""")
    assert said.strip() == "b'loader\\n'"
    usb_lab.python("""
import fcntl, serial, struct, termios
port = serial.Serial("/dev/ttyUSB0", timeout=10)
def lines(dtr, rts):
    bits = dtr * termios.TIOCM_DTR | rts * termios.TIOCM_RTS
    fcntl.ioctl(port.fd, termios.TIOCMSET, struct.pack("i", bits))
lines(0, 1); lines(0, 0)
print(port.read(12))
""")
    assert seen(usb_lab, "boots") == ["dark", "loader", "dark", "application"]


def test_who_has_the_port_open_survives_its_end(usb_lab: Lab) -> None:
    """Every kind of call on a port that was pulled fails as on a real one; the process lives on."""
    usb_lab.client.add("lines", id="a")
    words = [
        sys.executable,
        "-c",
        """
import errno, os, serial, sys
port = serial.Serial("/dev/ttyUSB0", 115200, timeout=10)
print("open", flush=True)
sys.stdin.readline()
drop = lambda: setattr(port, "dtr", False)
for attempt in (lambda: port.in_waiting, lambda: port.cts, drop, lambda: port.read(1)):
    try:
        attempt()
    except OSError as error:
        print(type(error).__name__, flush=True)
port.close()
failed = 0
for _ in range(60):
    try: os.open("/dev/ttyUSB0", os.O_RDWR)
    except FileNotFoundError: failed += 1
print(failed, flush=True)
""",
    ]
    with usb_lab.open(words, stdin=-1, stdout=-1) as process:
        assert process.stdout.readline() == "open\n"
        usb_lab.client.board("a").unplug()
        # Nobody opens the name any more for a while: the socket of its ioctls has gone, too.
        gone = usb_lab.bench.directory / "usb" / "ioctl" / "dev" / "ttyUSB0"
        usb_lab.wait_until(lambda: not gone.exists(), "the socket of a pulled tty goes")
        said, _ = process.communicate("now\n", timeout=60)
    assert process.returncode == 0
    assert said.split() == ["OSError", "OSError", "OSError", "SerialException", "60"]
