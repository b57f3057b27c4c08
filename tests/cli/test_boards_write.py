"""``harness boards`` and the rig file that it writes, character by character, in a virtual USB lab.

What is shown and written is compared with ``tests/cli/golden``: what was printed, read line by line before it
was kept. ``by_hand_before.toml`` is a file as a person has it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.rig import load_rig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Lab = Any

GOLDEN = Path(__file__).with_name("golden")
KITS = {
    "dk60": ("nrf9160dk-virtual", {"port": "1-1.2", "serial": "000960012345"}),
    "dk51": ("nrf9151dk-virtual", {"port": "1-1.3", "serial": "001051212345"}),
    "thingy": ("thingy91x-virtual", {"port": "1-2", "serial": "THINGY91X_0123456789A"}),
}
#: Devices that nobody may write to; a profile may make a board of the first.
OTHERS: dict[str, dict[str, Any]] = {
    "cp210x": {
        "vendor_id": 0x10C4,
        "product_id": 0xEA60,
        "manufacturer": "Silicon Labs",
        "product": "CP2102N USB to UART Bridge Controller",
        "serial": "6a1f2b3c4d5e",
        "port": "2-1",
        "port_driver": "cp210x",
    },
    "stranger": {
        "vendor_id": 0x0403,
        "product_id": 0x6001,
        "manufacturer": "FTDI",
        "product": "FT232R USB UART",
        "serial": "A50285BI",
        "port": "2-2",
        "port_driver": "ftdi_sio",
    },
}
PLUGIN = """
from pathlib import Path

def harness_board_profiles():
    return [Path(__file__).with_name("kinds")]
"""


class Desk:
    """Somebody with a terminal in the lab.

    :ivar directory: where they are.
    :ivar transcript: the commands, and what they said.
    """

    def __init__(self, lab: Lab, directory: Path, stack: ExitStack) -> None:
        self._lab = lab
        self.directory = directory
        self.transcript = ""
        (directory / "kinds").mkdir(parents=True)
        (directory / "desk_kinds.py").write_text(PLUGIN)
        environment = {
            **lab.environment,
            "HARNESS_LEASE_DIR": str(directory / "leases"),
            "HARNESS_PLUGINS": "desk_kinds",
            "PYTHONPATH": str(directory),
        }
        environment.pop("HARNESS_RIG", None)
        shell = Path(__file__).with_name("shell_in_lab.py")
        self._shell = stack.enter_context(
            subprocess.Popen(
                [sys.executable, str(shell)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
                cwd=directory,
            )
        )
        assert self._shell.stdin is not None
        stack.callback(self._shell.stdin.close)

    def plug(self, name: str) -> None:
        """Plug a device in."""
        if name in KITS:
            kind, usb = KITS[name]
            self._lab.client.add(kind, id=name, usb=usb)
        else:
            self._lab.client.add_stranger(id=name, **OTHERS[name])

    def board(self, name: str) -> Any:
        """A device that is plugged in."""
        return self._lab.client.board(name)

    def harness(self, *arguments: str) -> None:
        """Run a command of the harness; what it says goes into the transcript."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        print(json.dumps(arguments), file=self._shell.stdin, flush=True)
        code, out, err = json.loads(self._shell.stdout.readline())
        assert code == 0, f"{arguments}: {out}\n{err}"
        self.transcript += f"$ harness {' '.join(arguments)}\n{out}"
        self.transcript += "".join(f"stderr: {line}\n" for line in err.splitlines()) + "\n"

    def text(self, name: str) -> str:
        """What is in a file, with its own line ends."""
        return (self.directory / name).read_bytes().decode()


def golden(name: str) -> str:
    """What ought to be there."""
    return (GOLDEN / name).read_bytes().decode()


@pytest.fixture(scope="module")
def desk(usb_lab_factory: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Boards that were plugged in one by one, then looked at together, then moved after the file was edited.

    The lab is this module's own, so that the boards' numbers are known.
    """
    with ExitStack() as stack:
        lab = stack.enter_context(usb_lab_factory(tmp_path_factory.mktemp("u")))
        desk = Desk(lab, tmp_path_factory.mktemp("desk") / "shelf", stack)
        for name in KITS:
            desk.plug(name)
            desk.harness("boards")
            desk.harness("boards", "--write", "rig.toml")
        desk.plug("cp210x")
        desk.harness("boards")
        desk.harness("profile", "new", "/dev/ttyUSB0", "--name", "bridge", "-o", "kinds/bridge.toml")
        desk.harness("boards", "--write", "rig.toml")
        desk.plug("stranger")
        desk.harness("boards")
        desk.harness("boards", "--write", "rig.toml")
        desk.harness("boards", "--write", "together.toml")
        desk.harness("rig", "check", "together.toml")
        (desk.directory / "by_hand.toml").write_text(golden("by_hand_before.toml"))
        desk.board("dk51").unplug()
        desk.board("dk60").replug(port="1-1.4", names={"console": "ttyACM7", "trace": "ttyACM6"})
        desk.board("thingy").replug(port="1-1.2", names={"console": "ttyACM0", "trace": "ttyACM1"})
        desk.harness("boards", "--write", "by_hand.toml")
        desk.harness("boards", "--write", "by_hand.toml")
        yield desk


def test_boards_and_files_are_shown_as_they_are(desk: Desk) -> None:
    """Each command says, character by character, what is there: boards as they come, and the stranger."""
    assert desk.transcript == golden("transcript.txt")


def test_file_grows_with_the_boards(desk: Desk) -> None:
    """The file that was written after each board is complete, and loads."""
    assert desk.text("rig.toml") == golden("one_by_one.toml")
    boards = load_rig(desk.directory / "rig.toml").boards
    assert [board.name for board in boards] == [
        "000960012345",
        "001051212345",
        "THINGY91X_0123456789A",
        "6a1f2b3c4d5e",
    ]
    said = {name: desk.board(name).state().properties["imei"] for name in KITS}
    assert [board.identity for board in boards] == [said["dk60"], said["dk51"], said["thingy"], None]


def test_file_of_all_boards_at_once(desk: Desk) -> None:
    """Boards that are all there at once are written in the order of their names."""
    assert desk.text("together.toml") == golden("together.toml")


def test_what_is_by_hand_survives(desk: Desk) -> None:
    """Comments, order, unusual keys and settings stay; places that changed are brought up to date."""
    assert desk.text("by_hand.toml") == golden("by_hand_after.toml")
    assert load_rig(desk.directory / "by_hand.toml").name == "left shelf"


def test_nothing_was_written_to_what_nobody_asked(desk: Desk) -> None:
    """The stranger and the bridge, of whose driver no plugin can ask, were never even opened."""
    heard = [desk.board(name).call("heard") for name in OTHERS]

    assert heard == [{"opens": 0, "written": "", "settings": 0}] * 2
