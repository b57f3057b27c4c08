"""The ledger against a model: whatever sessions, sweepers and deaths come in whatever order."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from harness.backends.ledger import Ledger
from harness.session_lock import SessionLock

NAMES = st.sampled_from(["a", "b", "c"])


@dataclass
class Row:
    """What the model knows of an entry."""

    session: str
    subject: str
    details: dict[str, str] = field(default_factory=dict)
    taken_by: str | None = None


class LedgerMachine(RuleBasedStateMachine):
    """Sessions that begin, note, amend, settle, sweep and die."""

    numbers = Bundle("numbers")

    def __init__(self) -> None:
        super().__init__()
        self._directory = tempfile.TemporaryDirectory(prefix="lm-")
        self._before = os.environ.get("HARNESS_STATE_DIR")
        os.environ["HARNESS_STATE_DIR"] = self._directory.name
        self._ledger = Ledger(Path(self._directory.name))
        self._alive: dict[str, SessionLock] = {}
        self._rows: dict[int, Row] = {}

    def teardown(self) -> None:
        self._ledger.close()
        for lock in self._alive.values():
            lock.close()
        if self._before is None:
            del os.environ["HARNESS_STATE_DIR"]
        else:
            os.environ["HARNESS_STATE_DIR"] = self._before
        self._directory.cleanup()

    @rule(session=NAMES)
    def begin_or_end(self, session: str) -> None:
        """A session that is not there begins, one that is dies and leaves its file behind or not."""
        if session in self._alive:
            self._alive.pop(session).close(keep=bool(self._rows))
            (Path(self._directory.name) / "sessions" / f"{session}.lock").unlink(missing_ok=True)
        else:
            self._alive[session] = SessionLock(session)

    @rule(target=numbers, session=NAMES, subject=st.text(max_size=5).filter(lambda text: "\0" not in text))
    def note(self, session: str, subject: str) -> int:
        """A session notes something."""
        entry = self._ledger.note(
            session=session, worker="", backend="", mode="", url="", kind="thing", subject=subject
        )
        assert entry.number not in self._rows
        self._rows[entry.number] = Row(session, subject)
        return entry.number

    @rule(number=numbers, key=NAMES, value=st.text(max_size=3))
    def amend(self, number: int, key: str, value: str) -> None:
        """Somebody amends an entry that is there."""
        if number in self._rows:
            self._ledger.amend(number, **{key: value})
            self._rows[number].details[key] = value

    @rule(target=numbers, number=consumes(numbers), again=st.booleans())
    def settle(self, number: int, *, again: bool) -> object:
        """Somebody settles an entry, once or twice."""
        self._ledger.settle(number)
        self._rows.pop(number, None)
        return number if again else multiple()

    @rule(number=numbers, by=NAMES)
    def take(self, number: int, by: str) -> None:
        """A session that lives tries to take an entry."""
        if by not in self._alive:
            return
        row = self._rows.get(number)
        others = set() if row is None else {row.session, row.taken_by} - {by, None}
        expected = row is not None and not others & set(self._alive)
        assert self._ledger.take(number, by) == expected
        if row is not None and expected:
            row.taken_by = by

    @rule(number=numbers)
    def give_back(self, number: int) -> None:
        """Whoever has it gives it back."""
        self._ledger.give_back(number)
        if number in self._rows:
            self._rows[number].taken_by = None

    @rule()
    def reopen(self) -> None:
        """The process ends and another opens the ledger."""
        self._ledger.close()
        self._ledger = Ledger(Path(self._directory.name))

    @invariant()
    def says_what_the_model_says(self) -> None:
        """The entries are those of the model, oldest first."""
        found = [
            (entry.number, entry.session, entry.subject, dict(entry.details))
            for entry in self._ledger.entries()
        ]
        assert found == [
            (number, row.session, row.subject, row.details) for number, row in sorted(self._rows.items())
        ]


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
