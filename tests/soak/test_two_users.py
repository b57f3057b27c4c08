"""Two sessions of two users on one bench never meet: not on a board, not in a byte on a console.

As root the two sessions run as two different users of the host; else as one user under two names, which is
said in what each round prints. ``HARNESS_SOAK_TWO_USERS=required`` makes it an error if two real users
cannot be had.
"""

from __future__ import annotations

import json
import os
import pwd
import select
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.inventory.board import Board
from harness.inventory.leases import holder
from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.virtual.launcher import RunningBench

REPOSITORY = Path(__file__).parents[2]
ROUNDS = max(2, round(30 * float(os.environ.get("HARNESS_SOAK_SCALE", "0.001"))))
BOARDS = 6
NEEDED = 4
SECONDS = 180.0
CANDIDATES = ("nobody", "daemon", "games", "bin")

# What each session runs. Every byte that a board says while the test has it must be an answer to this
# session; what is set on the board must still be there at the end. The first test of each worker waits at
# the gate, so that the first session holds its boards until the second one waits for them.
SUITE = """
import json, os, time
from pathlib import Path
import pytest

HERE = Path(__file__).parent
SESSION = os.environ["LOGNAME"]

@pytest.mark.parametrize("number", range(10))
def test_nothing_foreign(board, number):
    with open(os.environ["TWO_USERS_GATE"]):
        pass
    began = time.monotonic()
    console = board.console
    start, expected = console.position, b""
    console.write(f"SET {SESSION} {number}\\\\n".encode())
    expected += f"= {SESSION} {number}\\\\r\\\\n".encode()
    for turn in range(25):
        token = f"{SESSION}/{board.id}/{number}/{turn}"
        console.write(f"SAY {token}\\\\n".encode())
        console.expect(f"{token}\\\\r\\\\n", timeout=30, reason="our own token")
        expected += f"{token}\\\\r\\\\n".encode()
    console.write(b"GET\\\\n")
    console.expect(f"= {SESSION} {number}\\\\r\\\\n", timeout=30, reason="what we set is still there")
    expected += f"= {SESSION} {number}\\\\r\\\\n".encode()
    assert console.slice(start) == expected
    record = {"board": board.id, "began": began, "ended": time.monotonic(), "bytes": len(expected)}
    with (HERE / "record.jsonl").open("a") as file:
        file.write(json.dumps(record) + "\\\\n")
""".replace("\\\\", "\\")


@dataclass(frozen=True)
class User:
    """Whom a session runs as.

    :ivar uid: ``None``: as we do ourselves, under another name.
    """

    name: str
    uid: int | None = None
    gid: int | None = None


def two_users() -> tuple[User, User]:
    """Return two real users of the host if we may become them and they may use this Python."""
    real = []
    if os.getuid() == 0:
        for name in CANDIDATES:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            user = User(name, entry.pw_uid, entry.pw_gid)
            if can_run(user):
                real.append(user)
    if len(real) >= 2:
        return real[0], real[1]
    assert os.environ.get("HARNESS_SOAK_TWO_USERS") != "required", "two users who can run this cannot be had"
    return User("alice"), User("bob")


def can_run(user: User) -> bool:
    """Tell whether a user reaches this Python and the harness."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", "import harness, xdist"],
            cwd="/",
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)},
            user=user.uid,
            group=user.gid,
            extra_groups=[],
            capture_output=True,
            check=False,
        )
    except PermissionError:  # the interpreter is in somebody's home
        return False
    return done.returncode == 0


@dataclass
class Session:
    """A pytest session of one user, with a home, a runtime directory and a state directory of its own."""

    user: User
    home: Path
    bench: RunningBench
    gate: Path
    told: str = ""
    process: subprocess.Popen[str] = field(init=False)

    def prepare(self) -> None:
        """Make what it needs, its user's own."""
        for name in ("run", "state", "suite"):
            (self.home / name).mkdir(parents=True, mode=0o700)
        (self.home / "suite" / "test_tokens.py").write_text(SUITE)
        (self.home / "suite" / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
        if self.user.uid is not None:
            for path in (self.home, *self.home.rglob("*")):
                os.chown(path, self.user.uid, self.user.gid or -1)

    def start(self) -> None:
        """Start it."""
        others = ("randomly", "cacheprovider", "allure_pytest", "hypothesispytest")
        mine = {} if self.user.uid is None else {"user": self.user.uid, "group": self.user.gid}
        self.process = subprocess.Popen(  # type: ignore[call-overload]  # mypy loses the text mode
            [
                *(sys.executable, "-P", "-m", "pytest", "-q", *(f"-pno:{name}" for name in others)),
                *("--bench", f"virtual={self.bench.socket}"),
                *("--boards", str(NEEDED), "-n", str(NEEDED), "--lease-deadline", str(SECONDS)),
            ],
            cwd=self.home / "suite",
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(REPOSITORY),
                "PYTHONPYCACHEPREFIX": str(self.home.parent / f"pycache-{self.user.name}"),
                "HARNESS_PLUGINS": "tests.pytest_plugin.toy.vendor",
                "TOY_LOG": str(self.home / "toy.log"),
                "TWO_USERS_GATE": str(self.gate),
                "HOME": str(self.home),
                "LOGNAME": self.user.name,
                "USER": self.user.name,
                "XDG_RUNTIME_DIR": str(self.home / "run"),
                "XDG_STATE_HOME": str(self.home / "state"),
                "PYTEST_DEBUG_TEMPROOT": str(self.home),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
            extra_groups=None if self.user.uid is None else [],
            **mine,
        )

    @property
    def errors(self) -> int:
        """The descriptor of its standard error."""
        assert self.process.stderr is not None
        return self.process.stderr.fileno()

    @property
    def records(self) -> list[dict[str, float | str]]:
        """What its tests recorded."""
        lines = (self.home / "suite" / "record.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def periods(self) -> dict[str, tuple[float, float]]:
        """From when to when it used each board: from its first test on it to the end of the last."""
        found: dict[str, tuple[float, float]] = {}
        for record in self.records:
            board, began, ended = str(record["board"]), float(record["began"]), float(record["ended"])
            first, last = found.get(board, (began, ended))
            found[board] = (min(first, began), max(last, ended))
        return found


def who_waits(sessions: tuple[Session, Session]) -> tuple[Session, Session]:
    """Return the session that has its boards and the one that says that it waits for some."""
    deadline = time.monotonic() + SECONDS
    poller = select.poll()
    by_fd = {session.errors: session for session in sessions}
    for descriptor in by_fd:
        poller.register(descriptor, select.POLLIN)
    while time.monotonic() < deadline:
        for descriptor, _event in poller.poll(1000):
            session = by_fd[descriptor]
            data = os.read(descriptor, 65536).decode()
            assert data, f"{session.user.name} ended: {session.told}{session.process.communicate()}"
            session.told += data
            if "waiting for boards" in session.told and session.told.endswith("\n"):
                (first,) = (other for other in sessions if other is not session)
                return first, session
    raise AssertionError("nobody waited")


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that every user reaches."""
    path = Path(tempfile.mkdtemp(prefix="h2u"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def bench(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningBench]:
    """A bench for all users, with toys of two kinds."""
    monkeypatch.setenv("HARNESS_PLUGINS", "tests.pytest_plugin.toy.vendor")
    monkeypatch.setenv("TOY_LOG", str(place / "toy.log"))
    monkeypatch.syspath_prepend(REPOSITORY)
    kinds: list[tuple[str, str | None, dict[str, str]]] = [("toy-a", None, {}), ("toy-b", None, {})]
    with start_bench(place / "bench", kinds * (BOARDS // 2), shared=True) as running:
        yield running


def test_two_sessions_of_two_users_never_meet(
    bench: RunningBench, place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Six boards, four needed by each: no board is shared, the second waits and says for whom."""
    users = two_users()
    with BenchClient(bench.socket) as client:
        states = client.boards()
    boards = [Board(id=state.id, kind=state.kind, driver="toy", bench=str(bench.socket)) for state in states]
    for number in range(ROUNDS):
        line = play_round(number, users, bench, boards, place)
        with capfd.disabled():
            sys.stderr.write(f"{line}\n")


def play_round(
    number: int, users: tuple[User, User], bench: RunningBench, boards: list[Board], place: Path
) -> str:
    """Run the two sessions beside each other; return what is to be printed of it."""
    gate = place / f"gate-{number}"
    os.mkfifo(gate)
    gate.chmod(0o644)
    order = users if number % 2 == 0 else users[::-1]
    for user in users:
        cache = place / f"pycache-{user.name}"
        cache.mkdir(exist_ok=True)
        if user.uid is not None:
            os.chown(cache, user.uid, user.gid or -1)
    sessions = tuple(Session(user, place / f"{number}-{user.name}", bench, gate) for user in order)
    assert len(sessions) == 2
    began = time.monotonic()
    with ExitStack() as undo:
        for session in sessions:
            session.prepare()
        for session in sessions:
            session.start()
            undo.callback(session.process.kill)
        first, second = who_waits(sessions)
        found = [holder(board) for board in boards]
        assert [one.user for one in found if one is not None] == [first.user.name] * NEEDED
        # Whoever opens the gate for reading comes through from now on.
        undo.callback(os.close, os.open(gate, os.O_RDWR))
        outputs = [session.process.communicate(timeout=SECONDS) for session in sessions]
    for session, (out, err) in zip(sessions, outputs, strict=True):
        session.told += err
        assert session.process.returncode == 0, f"{session.user.name}: {out}{session.told}"
        assert len(session.records) == 10, session.user.name
    waited = next(line for line in second.told.splitlines() if "waiting for boards" in line)
    assert f"of {first.user.name} (pid {first.process.pid} on " in waited
    assert "the boards are free, after" in second.told
    assert "waiting for boards" not in first.told
    assert [holder(board) for board in boards] == [None] * BOARDS
    ours, theirs = first.periods(), second.periods()
    shared = ours.keys() & theirs.keys()
    assert all(ours[board][1] < theirs[board][0] for board in shared), (ours, theirs)
    total = sum(int(record["bytes"]) for session in sessions for record in session.records)
    who = " and ".join(
        f"{session.user.name} ({f'uid {session.user.uid}' if session.user.uid is not None else 'same uid'})"
        for session in (first, second)
    )
    return (
        f"round {number + 1} of {ROUNDS}: {who}; {len(ours)} and {len(theirs)} boards used, {len(shared)} of"
        f" them one after the other, none at once; {total} bytes, none foreign;"
        f" {time.monotonic() - began:.1f} s\n"
        f"  {second.user.name} was told: {waited}"
    )
