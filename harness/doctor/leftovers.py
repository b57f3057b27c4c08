"""What dead sessions and dead benches left on this host, and in the ledger."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.backends.ledger import FILE_NAME, Ledger
from harness.config import runtime_directory
from harness.doctor.findings import Finding, Level, fine
from harness.session_directory import dead_sessions, sweep_dead_sessions
from harness.state_directory import state_directory
from harness.sweeping import take_inventory
from harness.virtual import wire
from harness.virtual.bench_directory import sweep_abandoned

CHECK = "leftovers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftovers:
    """What is left.

    :ivar sessions: directories of dead sessions.
    :ivar benches: directories of benches that died.
    :ivar in_services: what dead sessions have not undone, as the ledger has it: how many things of which
        sessions.
    """

    sessions: tuple[Path, ...] = ()
    benches: tuple[Path, ...] = ()
    in_services: tuple[tuple[str, int], ...] = ()


def look() -> Leftovers:
    """Look where sessions and benches of this user leave things.

    :raises HarnessError: a directory or the ledger cannot be used.
    """
    counted: dict[str, int] = {}
    if (state_directory() / FILE_NAME).exists():  # or it would be made
        with Ledger() as ledger:
            for entry in take_inventory(ledger).left:
                counted[entry.session] = counted.get(entry.session, 0) + 1
    places = [
        *runtime_directory().glob("bench-*"),
        *Path(tempfile.gettempdir()).glob("harness-bench-*"),
    ]
    return Leftovers(
        sessions=tuple(dead_sessions()),
        benches=tuple(sorted(place for place in places if _is_dead_bench(place))),
        in_services=tuple(sorted(counted.items())),
    )


def _is_dead_bench(directory: Path) -> bool:
    """Tell whether a directory is of a bench of ours that died; while it lives it holds its lock."""
    try:
        lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:  # it is gone, or none of ours
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        # One that is just being made has no log yet; it takes its lock before it writes one.
        return os.fstat(lock).st_uid == os.getuid() and (directory / wire.LOG_NAME).exists()
    finally:
        os.close(lock)


def judge(left: Leftovers) -> list[Finding]:
    """Say what is left, and who takes it away."""
    findings = []
    for what, places in (("session", left.sessions), ("bench", left.benches)):
        if places:
            ending = "" if len(places) == 1 else "es" if what == "bench" else "s"
            findings.append(
                Finding(
                    check=CHECK,
                    level=Level.WARNING,
                    what=f"files of {len(places)} dead {what}{ending}: {', '.join(map(str, places))}",
                    why="They only take room: whoever owned them is gone.",
                    fixable=True,
                )
            )
    if left.in_services:
        number = sum(count for _, count in left.in_services)
        findings.append(
            Finding(
                check=CHECK,
                level=Level.WARNING,
                what=f"{number} thing{'s' if number > 1 else ''} that dead sessions made in services or"
                f" changed on boards (sessions {', '.join(session for session, _ in left.in_services)})",
                why="Nobody undoes them but the next session that meets them, or you.",
                advice="See what they are, and undo them:",
                commands=("harness sweep",),
            )
        )
    return findings or [fine(CHECK, "nothing of dead sessions or benches is left")]


def mend(left: Leftovers) -> list[str]:
    """Remove the files of dead sessions and benches; what is in services and on boards is left alone.

    :return: what was done.
    """
    swept = sweep_dead_sessions() if left.sessions else []
    done = [f"removed the files of dead session {session}" for session in swept]
    for bench in left.benches:
        if _is_dead_bench(bench):
            sweep_abandoned(bench)
            with suppress(OSError):
                shutil.rmtree(bench)
                done.append(f"removed {bench}")
    return done
