"""Eight boards leased: by one session, by eight at once; and one board taken over from a killed session.

The floor, in the same run, is the bare kernel: as many files opened and locked, nothing written and nobody
asked. labgrid 26.0.1 is quoted, not run: eight clients that take eight boards at once have the last of them
after 4.2 s, and what a client held that was killed is still held 20 s later (labgrid fact sheet). ``--check``
makes a missed target an error.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from harness.inventory.board import Board
from harness.inventory.leases import Lease, Leases

BOARDS = 8
TARGET_SECONDS = 0.3
LABGRID_SECONDS = 4.2
FLOCK = struct.pack("@hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)

# A session of one board, in a process of its own: it says that it is ready, is told to begin, and says that
# it has its board. Then it holds it until its standard input ends.
SESSION = """
import sys
from harness.inventory.board import Board
from harness.inventory.leases import Leases
with Leases(f"session {sys.argv[1]}") as leases:
    print("ready", flush=True)
    sys.stdin.readline()
    leases.take([Board(id=f"b{sys.argv[1]}", kind="k", driver="d")], deadline=60)
    print("taken", flush=True)
    sys.stdin.read()
"""


def boards() -> list[Board]:
    """The boards to take."""
    return [Board(id=f"b{number}", kind="k", driver="d") for number in range(BOARDS)]


def lock_bare_files(directory: Path) -> float:
    """Open and lock as many files with nothing but the kernel; return the seconds."""
    with ExitStack() as stack:
        began = time.perf_counter()
        for number in range(BOARDS):
            descriptor = os.open(directory / f"bare{number}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            stack.callback(os.close, descriptor)
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, FLOCK)
        return time.perf_counter() - began


def take_by_one() -> float:
    """Take all boards by one session; return the seconds."""
    with Leases("one") as leases:
        began = time.perf_counter()
        leases.take(boards(), deadline=0)
        return time.perf_counter() - began


def take_by_eight() -> tuple[float, float]:
    """Take all boards by as many sessions at once.

    :return: seconds from the moment they are told to begin, and from the start of the first process, until
        the last has its board.
    """
    with ExitStack() as stack:
        started = time.perf_counter()
        sessions = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", SESSION, str(number)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    bufsize=1,
                )
            )
            for number in range(BOARDS)
        ]
        for session in sessions:
            stack.callback(session.kill)
            assert session.stdout is not None
            assert session.stdout.readline() == "ready\n"
        began = time.perf_counter()
        for session in sessions:
            assert session.stdin is not None
            session.stdin.write("go\n")
        for session in sessions:
            assert session.stdout is not None
            assert session.stdout.readline() == "taken\n"
        ended = time.perf_counter()
        return ended - began, ended - started


def take_over() -> float:
    """Kill a session; return the seconds until another one, which waits, has its board."""
    with subprocess.Popen(
        [sys.executable, "-c", SESSION, "0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as session:
        assert session.stdin is not None
        assert session.stdout is not None
        session.stdout.readline()
        session.stdin.write("go\n")
        session.stdout.readline()
        began = time.perf_counter()
        session.kill()
        lease = Lease(boards()[0], "next", deadline=60)
        seconds = time.perf_counter() - began
        lease.release()
    return seconds


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="of each; the median counts")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a target is missed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        os.environ["HARNESS_LEASE_DIR"] = str(place / "leases")
        first = take_by_one()
        bare, again, at_once, with_start, over = [], [], [], [], []
        for _round in range(options.rounds):
            bare.append(lock_bare_files(place))
            again.append(take_by_one())
            taken, whole = take_by_eight()
            at_once.append(taken)
            with_start.append(whole)
            over.append(take_over())
    floor = statistics.median(bare)
    rows = [
        ("one session, the first time", first),
        ("one session", statistics.median(again)),
        (f"{BOARDS} sessions at once", statistics.median(at_once)),
    ]
    print(f"{BOARDS} boards leased, median of {options.rounds} rounds")
    print(f"{'':38}{'ms':>9}{'x floor':>9}{'x labgrid':>11}")
    print(f"{'bare locks (floor)':38}{floor * 1000:9.2f}")
    print(f"{'labgrid 26.0.1 (quoted)':38}{LABGRID_SECONDS * 1000:9.0f}")
    missed = False
    for title, seconds in rows:
        met = seconds <= TARGET_SECONDS
        missed = missed or not met
        print(
            f"{title:38}{seconds * 1000:9.2f}{seconds / floor:9.1f}{seconds / LABGRID_SECONDS:11.5f}"
            f"   target ≤ {TARGET_SECONDS * 1000:.0f} ms: {'met' if met else 'MISSED'}"
        )
    print(f"{'  with the start of their processes':38}{statistics.median(with_start) * 1000:9.0f}")
    print(f"{'a board of a session that was killed':38}{statistics.median(over) * 1000:9.2f}")
    return int(options.check and missed)


if __name__ == "__main__":
    sys.exit(main())
