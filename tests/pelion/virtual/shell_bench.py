"""The device's shell with what it needs, and no board around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.virtual.calling import Machine
from harness_pelion.virtual.shell import Shell, install_programs
from tests.pelion.virtual.util_bench import UtilBench

if TYPE_CHECKING:
    from harness_pelion.virtual.calling import Call

HOST_NAME = "mbed-linux-os-77"


class PaperService:
    """A service that counts."""

    def __init__(self) -> None:
        self.active = False
        self.starts = 0

    def start(self) -> None:
        """Run."""
        self.active = True
        self.starts += 1

    def stop(self) -> None:
        """Run no more."""
        self.active = False


class ShellBench(UtilBench):
    """A shell, and the parts of the device that it works on."""

    def __init__(self) -> None:
        super().__init__()
        self.service = PaperService()
        install_programs(self.filesystem)
        self.filesystem.show("/dev/null", bytes)
        self.machine = Machine(
            filesystem=self.filesystem,
            util=self.util,
            clock=self.clock,
            points=self.points,
            services={"mbl-cloud-client": self.service},
            host_name=HOST_NAME,
        )
        self.shell = Shell(self.machine)
        self.shell._builtins["show"] = _show

    def sh(self, line: str, stdin: bytes = b"") -> tuple[int, str, str]:
        """Run a line in a session of its own, and return how it ended."""
        ended = Shell(self.machine).run(line, stdin)
        return ended.status, ended.output.decode(), ended.errors.decode()

    def paths(self, where: str) -> list[str]:
        """Return the paths below a directory."""
        return [path for path, _entry in self.filesystem.walk(where) if path != where]


def _show(call: Call) -> None:
    """Write the arguments as ``printf '%s|'`` does."""
    call.write("".join(f"{each}|" for each in call.arguments or [""]).encode() + b"\n")
