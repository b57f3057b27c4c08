"""What terminal, JUnit, Allure and summary say of the tests of a session, each read on its own."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

OUTCOMES = ("passed", "failed", "skipped", "not run")
_ALLURE = {
    "passed": "passed",
    "failed": "failed",
    "broken": "failed",
    "skipped": "skipped",
    "unknown": "not run",
}
_NOT_RUN = "harness.not_run"
_LINE = re.compile(
    r"^(\d+) collected = (\d+) passed \+ (\d+) failed \+ (\d+) skipped \+ (\d+) not run", re.MULTILINE
)


@dataclass
class Book:
    """What one of the four says.

    :ivar outcomes: by the name of each test.
    :ivar attempts: how many attempts it shows of each test that has more than one.
    """

    name: str
    outcomes: dict[str, str] = field(default_factory=dict)
    attempts: Counter[str] = field(default_factory=Counter)

    @property
    def sums(self) -> tuple[int, ...]:
        """How many there are of each outcome."""
        counted = Counter(self.outcomes.values())
        return tuple(counted[outcome] for outcome in OUTCOMES)


class FourAccounts:
    """The books of one session.

    :ivar terminal: the sums that the terminal prints.
    :ivar books: JUnit's, Allure's and the summary's, test by test.
    :ivar verdicts: who is to blame for each test that failed, from the summary.
    :ivar reasons: why each test failed or was skipped, from the summary.
    """

    def __init__(self, output: str, *, junit: Path, allure: Path, summary: Path) -> None:
        """Read them.

        :param output: what the terminal showed.
        :param junit: the XML file.
        :param allure: the directory of results.
        :param summary: the JSON file.
        """
        lines = _LINE.findall(output)
        assert len(lines) == 1, f"{len(lines)} accounts on the terminal:\n{output}"
        self.collected, *sums = map(int, lines[0])
        self.terminal = tuple(sums)
        self._junit_line = ""
        self.verdicts: dict[str, str] = {}
        self.reasons: dict[str, str] = {}
        self.summed: tuple[int, ...] = ()
        self.books = (self._read_junit(junit), self._read_allure(allure), self._read_summary(summary))

    @property
    def outcomes(self) -> dict[str, str]:
        """How each test ended, as JUnit says."""
        return self.books[0].outcomes

    def attempts(self, test: str) -> int:
        """Return how often a test is said to have been tried."""
        return max(1, *(book.attempts[test] for book in self.books))

    def complaints(self, tests: Iterable[str]) -> Iterator[str]:
        """Give what does not agree.

        :param tests: what was collected, by name.
        """
        expected = set(tests)
        if self.collected != len(expected):
            yield f"the terminal counts {self.collected} collected; they are {len(expected)}"
        if sum(self.terminal) != self.collected:
            yield f"the terminal's sum is {self.terminal}, of {self.collected}"
        if self.summed != (self.collected, *self.terminal):
            yield f"the summary's sum is {self.summed}"
        told = _LINE.findall(self._junit_line)
        if [tuple(map(int, line)) for line in told] != [(self.collected, *self.terminal)]:
            yield f"JUnit's property accounts is {self._junit_line!r}"
        for book in self.books:
            if set(book.outcomes) != expected:
                missing, more = expected - set(book.outcomes), set(book.outcomes) - expected
                yield f"{book.name}: missing {sorted(missing)}, unknown {sorted(more)}"
            if book.sums != self.terminal:
                yield f"{book.name} has {book.sums}, the terminal {self.terminal}"
            if book.outcomes != self.outcomes:
                yield f"{book.name}: {book.outcomes}; JUnit: {self.outcomes}"

    def _read_junit(self, file: Path) -> Book:
        book = Book("JUnit")
        root = ET.parse(file).getroot()  # noqa: S314 - pytest wrote it a moment ago
        lines = [each.get("value", "") for each in root.iter("property") if each.get("name") == "accounts"]
        self._junit_line = lines[0] if lines else ""
        for case in root.iter("testcase"):
            if any(each.get("message") == "collection failure" for each in case.iter("error")):
                continue  # a module, and no test
            name = case.get("name", "")
            outcome = _outcome_of(case)
            if book.outcomes.get(name) not in {None, outcome}:
                # Whoever failed and could not be torn down has two cases; so has one that passed before.
                outcome = "failed"
            book.outcomes[name] = outcome
            retried = [each for each in case.iter("property") if each.get("name") == "retried"]
            book.attempts[name] = max(book.attempts[name], 1 + len(retried))
        return book

    def _read_allure(self, directory: Path) -> Book:
        book = Book("Allure")
        results: dict[str, list[tuple[int, str]]] = defaultdict(list)
        histories: dict[str, set[str]] = defaultdict(set)
        for file in directory.glob("*-result.json"):
            result = json.loads(file.read_text(encoding="utf-8"))
            name = _name_of(result)
            results[name].append((result["stop"], result["status"]))
            histories[name].add(result["historyId"])
        for name, those in results.items():
            book.outcomes[name] = _ALLURE[max(those)[1]]
            book.attempts[name] = len(those)
            assert len(histories[name]) == 1, f"attempts of {name} have several histories"
        return book

    def _read_summary(self, file: Path) -> Book:
        book = Book("summary")
        data = json.loads(file.read_text(encoding="utf-8"))
        self.summed = tuple(
            data["accounts"][name] for name in ("collected", "passed", "failed", "skipped", "not_run")
        )
        for test in data["tests"]:
            name = test["nodeid"].rpartition("::")[2]
            assert name not in book.outcomes, f"the summary has {name} twice"
            book.outcomes[name] = test["outcome"]
            self.verdicts[name] = test["verdict"]
            self.reasons[name] = test["reason"]
        for each in data["not_run"]:
            nodeid = each if isinstance(each, str) else each["nodeid"]
            book.outcomes[nodeid.rpartition("::")[2]] = "not run"
        return book


def _name_of(result: Mapping[str, Any]) -> str:
    """Return the name of the test that an Allure result is of: its own is a title for people."""
    case = next((each["value"] for each in result.get("parameters", ()) if each["name"] == "case"), None)
    function = str(result["fullName"]).rpartition("#")[2]
    return function if case is None else f"{function}[{case}]"


def _outcome_of(case: ET.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    skipped = case.find("skipped")
    if skipped is None:
        return "passed"
    return "not run" if skipped.get("type") == _NOT_RUN else "skipped"
