"""One trial: a session whose tests say where they are, and somebody or something that goes away meanwhile."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Self

from harness.inventory.locks import close_lock, is_locked, open_lock_file
from tests.soak.support.four_accounts import FourAccounts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from random import Random

SESSION_SECONDS = 120.0
MARK = "HARNESS_TRIAL"
#: Whoever goes away: a worker for good, a board for good or for a while, or a board that answers no more.
WORKER, CABLE, BLINK, HANG = "worker", "cable", "blink", "hang"
VICTIMS = (WORKER, CABLE, WORKER, BLINK, WORKER, CABLE, WORKER, BLINK, WORKER, HANG)
PHASES = ("setup", "lent", "call", "teardown")
TESTS = (
    *(f"test_on_the_pair[{number}]" for number in range(4)),
    *(f"test_on_the_single[{number}]" for number in range(2)),
    *(f"test_anywhere[{number}]" for number in range(2)),
    *(f"test_together[{number}]" for number in range(2)),
    "test_both",
    "test_without_a_board",
)
_QUIET = ("randomly", "cacheprovider", "pytest_cov", "hypothesispytest", "anyio", "timeout", "rerunfailures")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What happens in a trial; what it hits is left to chance.

    :ivar after: the tests say so many words first.
    :ivar phase: the next one that is in this phase is struck.
    :ivar delay: after so many seconds, when it may be in another one.
    :ivar pause: how long a test stays in each phase, at the least.
    :ivar away: after how many seconds a cable that is pulled for a while is put in again.
    :ivar until: what brings a board back that answers no more.
    :ivar options: more of the command line.
    """

    victim: str
    after: int
    phase: str
    delay: float
    pause: float
    away: float
    until: str
    options: tuple[str, ...] = ()

    @classmethod
    def make(cls, number: int, random: Random) -> Self:
        """Make the plan of a trial: the victims in turn, all else by chance."""
        victim = VICTIMS[number % len(VICTIMS)]
        choices: tuple[tuple[str, ...], ...] = ((), (), ("--rig-retries", "1"), ("-x",))
        if victim == WORKER:
            choices += (("--max-worker-restart", "0"), ("--max-worker-restart", "1"))
        workers = "auto" if victim == WORKER else random.choice(("auto", "auto", "0"))
        return cls(
            victim=victim,
            after=random.randrange(30),
            phase=random.choice(PHASES),
            delay=random.choice((0.0, random.uniform(0, 0.05))),
            pause=random.uniform(0.01, 0.06),
            away=random.uniform(0.01, 0.8),
            until=random.choice(("reset", "power", "never")),
            options=("-n", workers, *random.choice(choices)),
        )

    @property
    def may_end_early(self) -> bool:
        """Whether tests may be left over."""
        return "-x" in self.options or "--max-worker-restart" in self.options

    def __str__(self) -> str:
        """Say it in a line."""
        victim = f"{HANG} until {self.until}" if self.victim == HANG else self.victim
        moment = f"{self.delay * 1000:.0f} ms after the first {self.phase} from word {self.after} on"
        return f"{victim} {moment}, {' '.join(self.options)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a test said: where it was, when, in which process and with which boards."""

    at: float
    pid: int
    test: str
    phase: str
    boards: tuple[str, ...] = ()

    @classmethod
    def read(cls, line: str) -> Self:
        """Read what ``trial_tests.say`` wrote."""
        data = json.loads(line)
        return cls(**{**data, "boards": tuple(data["boards"])})

    def __str__(self) -> str:
        """Say where the test is."""
        return f"{self.phase} of {self.test} on {', '.join(self.boards) or 'no board yet'}"


@dataclass(slots=True, kw_only=True)
class Strike:
    """What was done to whom.

    :ivar pid: of the worker that was killed.
    :ivar board: id of the board that went away.
    :ivar before: when it had not happened yet.
    :ivar after: when it had.
    """

    pid: int | None = None
    board: str | None = None
    before: float = field(default_factory=time.monotonic)
    after: float = 0.0


class Trial:
    """A session of pytest in a directory of its own.

    :ivar directory: where its tests and reports are.
    :ivar output: what it printed, once it has ended.
    """

    def __init__(
        self, directory: Path, plan: Plan, *, kinds: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        """Write the tests; nothing runs yet.

        :param kinds: of the two equal boards, and of the single one.
        :param environment: of the session.
        """
        self.directory = directory
        self.plan = plan
        self.output = ""
        self._environment = {**environment, MARK: str(directory)}
        self._words: list[Word] = []
        self._resources = ExitStack()
        self._process: subprocess.Popen[str]
        self._partial = b""
        (directory / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n", encoding="utf-8")
        shutil.copy(Path(__file__).with_name("trial_tests.py"), directory / "test_it.py")
        settings = {"kinds": list(kinds), "pause": plan.pause}
        (directory / "plan.json").write_text(json.dumps(settings), encoding="utf-8")
        (directory / "log").touch()
        os.mkfifo(directory / "events")
        self._events = os.open(directory / "events", os.O_RDWR | os.O_NONBLOCK)

    def __enter__(self) -> Self:
        """Return it."""
        self._resources.callback(os.close, self._events)
        return self

    def __exit__(self, *_error: object) -> None:
        """Kill what still runs, by its process id."""
        self._resources.close()
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def begin(self, *arguments: str) -> None:
        """Start the session."""
        quiet = [word for name in _QUIET for word in ("-p", f"no:{name}")]
        reports = ["--alluredir", "allure", "--junitxml", "junit.xml", "--summary", "s.html"]
        command = [sys.executable, "-m", "pytest", "-rA", *quiet, "test_it.py"]
        output = self._resources.enter_context((self.directory / "output").open("w", encoding="utf-8"))
        self._process = subprocess.Popen(
            [*command, *arguments, *reports, "--test-deadline", "6", *self.plan.options],
            cwd=self.directory,
            env=self._environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        ended = os.pidfd_open(self._process.pid)
        self._resources.callback(os.close, ended)
        self._ended = ended

    def wait_for_moment(self) -> Word | None:
        """Wait until a test is where the plan says; ``None`` when the session ends before."""
        end = time.monotonic() + SESSION_SECONDS
        while True:
            spoken = [word for word in self._words[self.plan.after :] if word.phase == self.plan.phase]
            if spoken:
                select.select([self._ended], [], [], self.plan.delay)
                self._hear()
                return spoken[0]
            ready, _, _ = select.select([self._events, self._ended], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"the tests said nothing more:\n{self.killed()}"
            if self._events in ready:
                self._hear()
            elif self._ended in ready:
                return None

    def _hear(self) -> None:
        with suppress(BlockingIOError):
            *lines, self._partial = (self._partial + os.read(self._events, 65536)).split(b"\n")
            self._words += [Word.read(line.decode()) for line in lines]

    @property
    def running(self) -> list[Word]:
        """The last word of each process that is in a test, as far as it was heard."""
        last = {word.pid: word for word in self._words}
        return [word for word in last.values() if word.phase != "over"]

    @property
    def pids(self) -> list[int]:
        """Every process that has said anything."""
        return list({word.pid: None for word in self._words})

    def killed(self) -> str:
        """Kill the controller and return what it had said."""
        self._process.kill()
        self._process.wait()
        return (self.directory / "output").read_text(encoding="utf-8")

    def end(self) -> int:
        """Wait for the end and return the exit status."""
        ready, _, _ = select.select([self._ended], [], [], SESSION_SECONDS)
        assert ready, f"the session hangs:\n{self.killed()}"
        status = self._process.wait()
        self.output = (self.directory / "output").read_text(encoding="utf-8")
        return status

    # -- afterwards ---------------------------------------------------------------------------------------

    def words(self) -> list[Word]:
        """Return everything that the tests said."""
        return [Word.read(line) for line in (self.directory / "log").read_text("utf-8").splitlines()]

    def accounts(self) -> FourAccounts:
        """Read the four accounts."""
        here = self.directory
        return FourAccounts(
            self.output, junit=here / "junit.xml", allure=here / "allure", summary=here / "s.json"
        )

    def processes(self) -> dict[int, str]:
        """Return every process of the trial, by its environment, with its command line."""
        mark = f"{MARK}={self.directory}\0".encode()
        found = {}
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                zombie = (directory / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
                if not zombie and mark in (directory / "environ").read_bytes():
                    found[int(directory.name)] = (directory / "cmdline").read_bytes().decode()
            except OSError:
                continue
        return found

    def wait_for_no_process(self, seconds: float) -> dict[int, str]:
        """Wait for the end of every process of the trial, by the kernel's notice of each.

        :return: those that are still there after so many seconds.
        """
        end = time.monotonic() + seconds
        for pid in self.processes():
            with suppress(ProcessLookupError), ExitStack() as stack:
                descriptor = os.pidfd_open(pid)
                stack.callback(os.close, descriptor)
                select.select([descriptor], [], [], max(0.0, end - time.monotonic()))
        return self.processes()


def locked_files(*directories: Path) -> list[str]:
    """Return the lease files that somebody has locked."""
    locked = []
    for file in (each for directory in directories for each in directory.glob("**/*.lease")):
        descriptor = open_lock_file(file)
        try:
            locked += [file.name] if is_locked(descriptor) else []
        finally:
            close_lock(descriptor)
    return locked


class Judge:
    """What came of a trial, beside what had to come of it."""

    def __init__(self, trial: Trial, strike: Strike, status: int) -> None:
        """Read the accounts and what the tests said."""
        self._plan = trial.plan
        self._strike = strike
        self._status = status
        self._output = trial.output
        self._words: dict[str, list[Word]] = defaultdict(list)
        for word in trial.words():
            self._words[word.test].append(word)
        self.accounts = trial.accounts()

    @property
    def hit(self) -> Word | None:
        """The last word before the strike of the test that was hit, if one was.

        Only a test counts that was surely running: it was before the strike, and not over after it.
        """
        for words in self._words.values():
            for run in _runs(words):
                before = [word for word in run if word.at < self._strike.before]
                if before and not any(word.phase == "over" and word.at < self._strike.after for word in run):
                    boards = {board for word in before for board in word.boards}
                    if self._strike.pid == before[-1].pid or self._strike.board in boards:
                        return before[-1]
        return None

    def complaints(self) -> Iterator[str]:
        """Give what is wrong."""
        yield from self.accounts.complaints(TESTS)
        if "INTERNALERROR" in self._output or "\nTraceback (most recent" in self._output:
            yield "a traceback of our own on the terminal"
        ends = set(self.accounts.outcomes.values())
        expected = {0} if ends <= {"passed", "skipped"} else {1, 2} if "-x" in self._plan.options else {1}
        if self._status not in expected:
            yield f"exit status {self._status}, outcomes {sorted(ends)}"
        for test in TESTS:
            yield from self._complaints_of(test)
        yield from self._two_at_once()
        outcome = self.accounts.outcomes.get(self.hit.test) if self.hit is not None else None
        if outcome != "failed" and self.hit is not None and self._strike.pid is not None:
            yield f"the test whose worker was killed: {outcome}"

    def _complaints_of(self, test: str) -> Iterator[str]:
        outcome = self.accounts.outcomes.get(test, "missing")
        runs = _runs(self._words[test])
        attempts = self.accounts.attempts(test)
        if test == "test_without_a_board" or outcome == "failed":
            least = 0  # it was killed before its first word, or given up
        else:
            least = attempts if outcome == "passed" else 0
        most = attempts if outcome != "not run" else 0
        if not least <= len(runs) <= most:
            yield f"{test} ({outcome}) ran {len(runs)} times, {attempts} attempts are reported"
        if attempts > 1 and "--rig-retries" not in self._plan.options:
            yield f"{test} was tried again, which nobody asked for"
        if outcome == "passed" and runs and [word.phase for word in runs[-1]][-1] != "over":
            yield f"{test} passed and was not over: {runs[-1]}"
        if outcome == "not run" and not self._plan.may_end_early:
            yield f"{test} did not run: {self.accounts.reasons.get(test)}"
        if outcome == "skipped":
            yield f"{test} was skipped: {self.accounts.reasons[test]}"
        if outcome == "failed":
            yield from self._blame(test, runs)

    def _blame(self, test: str, runs: Sequence[Sequence[Word]]) -> Iterator[str]:
        """Say what is wrong with a failure: nobody fails but those whose worker or board went away."""
        verdict, reason = self.accounts.verdicts[test], self.accounts.reasons[test]
        if self._strike.pid is not None:
            if not any(word.pid == self._strike.pid for run in runs for word in run) and runs:
                yield f"{test} failed in a process that nobody killed: {verdict}: {reason}"
            if verdict != "suite":
                yield f"{test}: its process died, and the verdict is {verdict}: {reason}"
            return
        boards = {board for run in runs for word in run for board in word.boards}
        if verdict != "rig":
            yield f"{test}: a board went away, and the verdict is {verdict}: {reason}"
        if boards and self._strike.board not in boards:
            yield f"{test} failed on {sorted(boards)}, and {self._strike.board} went away: {reason}"

    def _two_at_once(self) -> Iterator[str]:
        """Say which board was in two tests at once."""
        spans: dict[str, list[tuple[float, float, str]]] = defaultdict(list)
        for test, words in self._words.items():
            for run in _runs(words):
                lent = next((word for word in run if word.boards), None)
                if lent is not None:  # who was killed had its boards at its last word, at the least
                    for board in lent.boards:
                        spans[board].append((lent.at, run[-1].at, test))
        for board, those in spans.items():
            those.sort()
            for (_, end, earlier), (begin, _, later) in pairwise(those):
                if begin < end:
                    yield f"board {board} was in {earlier} and {later} at once"


def _runs(words: Sequence[Word]) -> list[list[Word]]:
    """Part what a test said by its runs: each begins with its set-up."""
    runs: list[list[Word]] = []
    for word in words:
        if word.phase == "setup":
            runs.append([])
        runs[-1].append(word)
    return runs
