"""Two hundred boards plugged in one by one: how soon a session knows that each is back.

A process in a virtual USB lab watches the boards as a session does; another one calls the lab to plug them
in. The floor, in the same run, is a process that only waits for the event with pyudev. The time begins before
the call to the lab, so both have the lab's own share in them: its kernel and its rules of udev. The lab is
laid out in memory, as sysfs and udev's database are. ``--check`` makes a missed target an error.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench

if TYPE_CHECKING:
    from collections.abc import Mapping

TARGET_SECONDS = 0.05
PORTS_A_HUB = 7
WAIT_SECONDS = 120.0
MEMORY = Path("/dev/shm")  # noqa: S108 - the directory in it is ours

SESSION = """
import sys, time
from harness.config import Settings
from harness.inventory.board_watch import BoardWatch
from harness.inventory.builtin import survey
from harness.plugins import load_plugins

def tell(news):
    at = time.monotonic()
    if type(news).__name__ == "Returned":
        print(at, news.board.id, flush=True)

plugins = load_plugins()
boards = survey(plugins, None).boards
with BoardWatch(boards, plugins, Settings(), late=False, tell=tell):
    print("ready", len(boards), flush=True)
    sys.stdin.read()
"""

BARE = """
import select, sys, time, pyudev
monitor = pyudev.Monitor.from_netlink(pyudev.Context())
monitor.filter_by("tty")
monitor.start()
print("ready", 0, flush=True)
waiting = select.poll()
waiting.register(monitor.fileno(), select.POLLIN)
waiting.register(0, select.POLLIN)
while not any(descriptor == 0 for descriptor, _ in waiting.poll()):
    device = monitor.poll(0)
    at = time.monotonic()
    if device is not None and device.action == "add" and device.get("ID_USB_INTERFACE_NUM") == "00":
        print(at, device.get("ID_SERIAL_SHORT"), flush=True)
"""


class Listener:
    """A process in the lab that tells when it knew of a board."""

    def __init__(self, code: str, environment: Mapping[str, str], stack: ExitStack) -> None:
        """Start it, and wait until it listens."""
        self._process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-c", code],
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        stack.callback(self._process.kill)
        too_late = threading.Timer(WAIT_SECONDS, self._process.kill)
        too_late.start()
        stack.callback(too_late.cancel)
        assert self._process.stdout is not None
        self._lines = self._process.stdout
        word, self.boards = self._lines.readline().split()
        assert word == "ready"

    def heard(self, serial: str) -> float:
        """Wait until it knows of a board; return when it did."""
        for line in self._lines:
            at, what = line.split()
            if what == serial:
                return float(at)
        raise SystemExit(f"nobody noticed that {serial} was plugged in")


def measure(boards: int, directory: Path) -> tuple[list[float], list[float]]:
    """Plug boards in one by one.

    :return: seconds until the session knew of each, and until a bare monitor did.
    """
    with ExitStack() as stack:
        bench = stack.enter_context(start_bench(directory / "bench", usb=True))
        client = stack.enter_context(BenchClient(bench.socket))
        serials = {f"b{number}": f"0010512{number:05d}" for number in range(boards)}
        for number, (name, serial) in enumerate(serials.items()):
            hub, at = divmod(number, PORTS_A_HUB)
            port = f"{hub // PORTS_A_HUB + 1}-{hub % PORTS_A_HUB + 1}.{at + 1}"
            client.add("nrf9151dk-virtual", id=name, usb={"port": port, "serial": serial})
        environment = {**os.environ, **bench.usb_environment}
        session, bare = (Listener(code, environment, stack) for code in (SESSION, BARE))
        assert session.boards == str(boards), f"the session found {session.boards} boards"
        for name in serials:
            client.board(name).unplug()
        by_session, by_bare = [], []
        for name, serial in serials.items():
            began = time.monotonic()
            client.board(name).plug()
            by_session.append(session.heard(serial) - began)
            by_bare.append(bare.heard(serial) - began)
        return by_session, by_bare


def p95(seconds: list[float]) -> float:
    """Return the time that 95 of 100 stay below."""
    return statistics.quantiles(seconds, n=20, method="inclusive")[-1]


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boards", type=int, default=200, help="how many are plugged in")
    parser.add_argument("--check", action="store_true", help="exit with 1 when the target is missed")
    parser.add_argument("--json", type=Path, help="write all times there, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        by_session, by_bare = measure(options.boards, Path(name))
    print(f"{options.boards} boards plugged in one by one, ms from the call to the lab until it is known")
    print(f"{'':28}{'median':>9}{'p95':>9}{'max':>9}")
    for title, seconds in (("bare pyudev (floor)", by_bare), ("a session's watch", by_session)):
        row = (statistics.median(seconds), p95(seconds), max(seconds))
        print(f"{title:28}" + "".join(f"{1000 * each:9.1f}" for each in row))
    met = p95(by_session) <= TARGET_SECONDS
    print(f"target: p95 of the watch ≤ {1000 * TARGET_SECONDS:.0f} ms: {'met' if met else 'MISSED'}")
    if options.json is not None:
        options.json.write_text(json.dumps({"session": by_session, "bare": by_bare}))
    return int(options.check and not met)


if __name__ == "__main__":
    sys.exit(main())
