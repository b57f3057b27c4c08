"""200 boards on USB: how long it takes to find them.

The boards are in a virtual USB lab, laid out in memory as sysfs is, and what looks for them goes through
unpatched libudev. The floor, in the same rounds, is a bare walk by pyudev of the same devices, each of them
once, that reads the same properties and attributes and makes nothing of them. Beside it: pyserial's list,
which knows less of a port. ``--check`` makes a missed target an error.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.inventory.attached import survey_host
from harness.inventory.builtin import known_profiles
from harness.inventory.serial_ports import list_serial_ports
from harness.plugins import load_plugins
from harness.rig import load_rig
from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = ("nrf9160dk-virtual", "nrf9161dk-virtual", "nrf9151dk-virtual", "thingy91x-virtual")
TARGET = 1.3
MEMORY = Path("/dev/shm")  # noqa: S108 - the directory in it is ours
ATTRIBUTES = {
    "usb_device": ("idVendor", "idProduct", "serial", "manufacturer", "product"),
    "usb_interface": ("bInterfaceNumber", "interface"),
}


def walk_bare() -> int:
    """Read what discovery reads, and make nothing of it; return the number of ttys."""
    import pyudev  # type: ignore[import-untyped]  # it has no types

    read: set[str] = set()
    ttys = 0
    for tty in pyudev.Context().list_devices(subsystem="tty", ID_BUS="usb"):
        ttys += 1
        dict(tty.properties)
        above = tty.parent
        while above is not None and above.sys_path not in read:
            read.add(above.sys_path)
            properties = dict(above.properties)
            for name in ATTRIBUTES.get(properties.get("DEVTYPE", ""), ()):
                above.attributes.get(name)
            above = above.parent
    return ttys


def list_by_pyserial() -> int:
    """List ports as pyserial does; return how many are on USB."""
    from serial.tools.list_ports import comports

    return sum(port.vid is not None for port in comports())


def list_ports() -> int:
    """List ports as discovery does; return how many are on USB."""
    return sum(port.vid is not None for port in list_serial_ports())


def find(rounds: int, rig_file: str) -> None:
    """In the lab: walk bare and find the boards, in turn; print the seconds of both, and what was found.

    Each has a floor of its own, measured just before it: a host is not equally busy all the time.
    """
    profiles = known_profiles(load_plugins())
    rig = load_rig(Path(rig_file))
    ways: dict[str, Callable[[], int]] = {
        "bare": walk_bare,
        "pyserial": list_by_pyserial,
        "ports": list_ports,
        "boards": lambda: len(survey_host(profiles, list_serial_ports(), None).boards),
        "rig": lambda: len(survey_host(profiles, list_serial_ports(), rig).boards),
    }
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    counts: dict[str, int] = {}
    for _round in range(rounds + 1):  # the first one imports
        for name, way in ways.items():
            began = time.perf_counter()
            walk_bare()
            between = time.perf_counter()
            counts[name] = way()
            seconds[name].append((between - began, time.perf_counter() - between))
    print(json.dumps([{name: each[1:] for name, each in seconds.items()}, counts]))


def measure(boards: int, rounds: int) -> tuple[dict[str, list[tuple[float, float]]], dict[str, int]]:
    """Plug boards in and have them found by a process in the lab."""
    with ExitStack() as stack:
        memory = MEMORY if MEMORY.is_dir() else None
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=memory)))
        bench = stack.enter_context(start_bench(directory / "bench", usb=True))
        client = stack.enter_context(BenchClient(bench.socket))
        rig = directory / "rig.toml"
        with rig.open("w") as entries:
            for number in range(boards):
                state = client.add(KINDS[number % len(KINDS)])
                assert state.usb is not None
                entries.write(f'[[board]]\nid = "{state.id}"\nusb_serial = "{state.usb["serial"]}"\n')
        ran = subprocess.run(
            [sys.executable, __file__, "--in-lab", str(rounds), str(rig)],
            env={**os.environ, **bench.usb_environment},
            stdout=subprocess.PIPE,
            check=True,
        )
    found: tuple[dict[str, Any], dict[str, int]] = json.loads(ran.stdout)
    return found


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boards", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=9, help="the median counts")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a target is missed")
    parser.add_argument("--in-lab", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.in_lab is not None:
        find(int(options.in_lab[0]), options.in_lab[1])
        return 0
    seconds, counts = measure(options.boards, options.rounds)
    if not counts["boards"] == counts["rig"] == options.boards or len({*counts.values()}) > 2:
        raise SystemExit(f"not all of {options.boards} boards were found: {counts}")
    print(f"{counts['boards']} boards on {counts['ports']} ports, medians of {options.rounds} rounds")
    print(f"{'':34}{'ms':>8}{'x bare':>8}")
    missed = False
    for name, title in (
        ("bare", "bare walk by pyudev (floor)"),
        ("pyserial", "pyserial's list, which knows less"),
        ("ports", "ports listed"),
        ("boards", "boards found"),
        ("rig", "boards found, all in a rig file"),
    ):
        ratio = statistics.median(way / bare for bare, way in seconds[name])
        line = f"{title:34}{statistics.median(way for _, way in seconds[name]) * 1000:8.0f}{ratio:8.2f}"
        if name in {"boards", "rig"}:
            met = ratio <= TARGET
            missed = missed or not met
            line += f"   target ≤ {TARGET}: {'met' if met else 'MISSED'}"
        print(line)
    return int(options.check and missed)


if __name__ == "__main__":
    sys.exit(main())
