"""The console beside raw pyserial: AT round trip and lossless capture, in interleaved rounds of one run.

Both sides talk to the same responder, a process of its own on a pty. The console captures to a file and
keeps its index; raw pyserial does neither for the round trip, and writes what it reads to a file for the
capture. What counts is the median of the rounds' ratios. ``--check`` makes a missed target an error.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import select
import statistics
import sys
import tempfile
import time
import tty
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import serial

from harness.console import Console
from harness.inventory.board import Endpoint

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

ROUND_TRIP_TARGET = 0.95
CAPTURE_TARGET = 1.0
BULK_BYTES = 16 * 1024 * 1024
END = b"<end>"


@dataclass(frozen=True)
class AtDialect:
    """What the driver's dialect costs at the least."""

    def encode(self, command: str) -> bytes:
        """Return the bytes of a command."""
        return command.encode() + b"\r"

    def is_final(self, line: str) -> bool:
        """Tell the end of a reply."""
        return line in {"OK", "ERROR"} or line.startswith("+CME ERROR")

    def is_unsolicited(self, line: str) -> bool:
        """Tell an unsolicited line."""
        return line.startswith(("+CEREG", "%CESQ"))

    def is_echo(self, line: str, command: str) -> bool:
        """Tell an echo."""
        return line == command


def respond(ready: Connection) -> None:
    """Be the board: answer AT, and pour out bytes on BULK, until the client hangs up the pipe."""
    master, slave = os.openpty()
    tty.setraw(slave)
    ready.send(os.ttyname(slave))
    block = bytes(range(48, 112)) * 64
    received = b""
    while True:
        readable, _, _ = select.select([master, ready.fileno()], [], [])
        if ready.fileno() in readable:
            return
        received += os.read(master, 4096)
        while b"\r" in received:
            command, received = received.split(b"\r", 1)
            if command != b"BULK":
                os.write(master, b"\nOK\r\n")
                continue
            for _block in range(BULK_BYTES // len(block)):
                os.write(master, block)
            os.write(master, END)


def console_round_trips(path: str, directory: Path, count: int) -> float:
    """Return the median seconds of a command through the console."""
    dialect = AtDialect()
    times = []
    with Console.open(Endpoint(role="console", url=path), name="bench", directory=directory) as console:
        for _command in range(count):
            start = time.perf_counter()
            console.command("AT", dialect, timeout=5)
            times.append(time.perf_counter() - start)
    return statistics.median(times)


def pyserial_round_trips(path: str, count: int) -> float:
    """Return the median seconds of a command through raw pyserial."""
    times = []
    with serial.Serial(path, 115200, timeout=5) as port:
        for _command in range(count):
            start = time.perf_counter()
            port.write(b"AT\r")
            port.read_until(b"OK\r\n")
            times.append(time.perf_counter() - start)
    return statistics.median(times)


def console_capture(path: str, directory: Path) -> float:
    """Return bytes a second captured to a file by the console, with its index."""
    with Console.open(Endpoint(role="console", url=path), name="bulk", directory=directory) as console:
        before = console.position
        start = time.perf_counter()
        console.write(b"BULK\r")
        console.expect(END, timeout=120)
        seconds = time.perf_counter() - start
        assert console.position - before == BULK_BYTES + len(END)
    return BULK_BYTES / seconds


def pyserial_capture(path: str, directory: Path) -> float:
    """Return bytes a second written to a file by a plain pyserial loop."""
    total, tail = 0, b""
    with serial.Serial(path, 115200, timeout=5) as port, (directory / "plain.raw").open("wb") as file:
        start = time.perf_counter()
        port.write(b"BULK\r")
        while not tail.endswith(END):
            data = port.read(max(1, port.in_waiting))
            file.write(data)
            total += len(data)
            tail = (tail + data)[-len(END) :]
        seconds = time.perf_counter() - start
        assert total == BULK_BYTES + len(END)
    return BULK_BYTES / seconds


def main() -> int:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--commands", type=int, default=3000)
    parser.add_argument("--check", action="store_true", help="exit with 1 when a target is missed")
    options = parser.parse_args()
    near, far = multiprocessing.Pipe()
    board = multiprocessing.get_context("fork").Process(target=respond, args=(far,))
    board.start()
    path = near.recv()
    trips: list[tuple[float, float]] = []
    bulk: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for _round in range(options.rounds):
            trips.append(
                (
                    console_round_trips(path, directory, options.commands),
                    pyserial_round_trips(path, options.commands),
                )
            )
            bulk.append((console_capture(path, directory), pyserial_capture(path, directory)))
            for file in directory.iterdir():
                file.unlink()
    near.send(None)
    board.join()
    trip = statistics.median(ours / theirs for ours, theirs in trips)
    capture = statistics.median(ours / theirs for ours, theirs in bulk)
    ours, theirs = (statistics.median(column) * 1e6 for column in zip(*trips, strict=True))
    print(f"AT round trip  console {ours:7.1f} µs   raw pyserial {theirs:7.1f} µs   ratio {trip:.2f}", end="")
    print(f"   target ≤ {ROUND_TRIP_TARGET}: {'met' if trip <= ROUND_TRIP_TARGET else 'MISSED'}")
    ours, theirs = (statistics.median(column) / 1e6 for column in zip(*bulk, strict=True))
    print(
        f"capture        console {ours:6.1f} MB/s  raw pyserial {theirs:6.1f} MB/s  ratio {capture:.2f}",
        end="",
    )
    print(f"   target ≥ {CAPTURE_TARGET}: {'met' if capture >= CAPTURE_TARGET else 'MISSED'}")
    return int(options.check and (trip > ROUND_TRIP_TARGET or capture < CAPTURE_TARGET))


if __name__ == "__main__":
    sys.exit(main())
