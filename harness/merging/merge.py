"""Merging: what is read, judged, and written whole or not at all."""

from __future__ import annotations

import json
import secrets
import shutil
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError, UsageError
from harness.merging.accounts import Accounts
from harness.merging.allure import AllureMerge
from harness.merging.histories import merge_histories
from harness.merging.judging import complaints, runners_of
from harness.merging.junit import accounts_of
from harness.merging.junit_writing import write_report
from harness.merging.runs import ALLURE, HISTORY, JUNIT, read_runs
from harness.merging.standing import run_again

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.merging.accounts import Outcome
    from harness.merging.junit import Key
    from harness.merging.runs import Run, Source
    from harness.merging.standing import Again

ACCOUNTS = "accounts.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one session adds to the sum.

    :ivar accounts: of the tests whose outcome in this session stands.
    :ivar again: how many of its tests stand in another session.
    """

    name: str
    run_id: str
    directory: str
    accounts: Accounts
    again: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What came of merging.

    :ivar lines: one for each session.
    :ivar again: tests that ran again, in words.
    :ivar complaints: what is wrong with the whole, in words.
    :ivar allure_results: how many Allure results there are; ``None`` when no session had any.
    :ivar attempts: how many attempts the history has; ``None`` when no session had one.
    """

    lines: tuple[Line, ...]
    again: tuple[str, ...]
    complaints: tuple[str, ...]
    allure_results: int | None
    attempts: int | None

    @property
    def accounts(self) -> Accounts:
        """Where all tests ended up: the sum of the lines."""
        return sum((line.accounts for line in self.lines), Accounts())

    @property
    def is_good(self) -> bool:
        """Whether nothing is missing, everything ran and nothing failed."""
        return not (self.complaints or self.accounts.failed or self.accounts.not_run)


def merge(sources: Sequence[Source], output: Path) -> Merged:
    """Make one directory of results of several.

    :param sources: the directories.
    :param output: the directory to make; it must not exist, or be empty.
    :raises UsageError: a directory has no results, or damaged ones, or the output is there already.
    :raises HarnessError: a file cannot be read or written.
    """
    _refuse_output(sources, output)
    runs = read_runs(sources)
    runners = runners_of(runs)
    with ExitStack() as undo:
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
            partial = output.parent / f".{output.name}.{secrets.token_hex(4)}.partial"
            partial.mkdir()
            undo.callback(shutil.rmtree, partial, ignore_errors=True)
            merged = _write(runners, partial)
            partial.rename(output)
        except OSError as error:
            where = error.filename if error.filename is not None else output
            raise HarnessError(f"the results cannot be merged: {where}: {error.strerror}") from error
        undo.pop_all()
    return merged


def _refuse_output(sources: Sequence[Source], output: Path) -> None:
    expected = "a directory that does not exist yet"
    if output.is_symlink() or (output.exists() and not output.is_dir()):
        raise UsageError("is there already, and is no directory", file=output, expected=expected)
    if output.is_dir() and any(output.iterdir()):
        raise UsageError("is there already, with something in it", file=output, expected=expected)
    there = output.resolve()
    for source in sources:
        directory = source.directory.resolve()
        if there == directory or there.is_relative_to(directory / ALLURE):
            raise UsageError(f"is inside of {source.directory}", file=output, expected="another directory")


def _write(runners: Mapping[str, Sequence[Run]], target: Path) -> Merged:
    runs = [run for theirs in runners.values() for run in theirs]
    left_out: dict[Run, frozenset[Key]] = {}
    remarks: dict[Run, dict[Key, list[str]]] = {}
    later: dict[Run, dict[str, Outcome]] = {}
    told: list[str] = []
    for known in _attempts(runs):
        cases = [run.report.cases.values() if run.report is not None else () for run in known]
        for again in run_again(cases):
            told.append(_tell(again, known, left_out, remarks))
            for number, case in again.others:
                if number > again.stands:
                    later.setdefault(known[number], {})[case.name] = case.outcome
    write_report(target / JUNIT, runs, left_out=left_out, remarks=remarks)
    allure = _merge_allure(runs, target, later, _benches_own(runners))
    histories = [run.history for run in runs if run.history is not None]
    merged = Merged(
        lines=tuple(_line(run, left_out.get(run, frozenset())) for run in runs),
        again=tuple(told),
        complaints=(*complaints(runners), *(allure.complaints if allure is not None else ())),
        allure_results=None if allure is None else allure.results,
        attempts=merge_histories(target / HISTORY, histories) if histories else None,
    )
    (target / ACCOUNTS).write_text(json.dumps(_data(merged), indent=2) + "\n", encoding="utf-8")
    return merged


def _attempts(runs: Sequence[Run]) -> Iterator[list[Run]]:
    """Give the sessions that are attempts at the same tests: of one runner, and of one shard of its tests."""
    found: dict[tuple[str, int], list[Run]] = {}
    for run in runs:
        if run.report is not None:
            found.setdefault((run.runner, run.share.part if run.share is not None else 0), []).append(run)
    yield from found.values()


def _benches_own(runners: Mapping[str, Sequence[Run]]) -> dict[str, frozenset[str]]:
    """Return by runner the names of tests that several shards have, each on its own bench."""
    own = {}
    for runner, runs in runners.items():
        parts: dict[str, set[int]] = {}
        for run in runs:
            if run.report is not None and run.share is not None:
                for case in run.report.cases.values():
                    parts.setdefault(case.name, set()).add(run.share.part)
        own[runner] = frozenset(name for name, there in parts.items() if len(there) > 1)
    return own


def _tell(
    again: Again,
    runs: Sequence[Run],
    left_out: dict[Run, frozenset[Key]],
    remarks: dict[Run, dict[Key, list[str]]],
) -> str:
    """Note where a test is left out and what is said of it where it stands; return that in words."""
    standing = runs[again.stands]
    assert standing.report is not None  # noqa: S101 - only such runs are asked about; tells mypy so
    stands = standing.report.cases[again.key]
    said = []
    for number, case in again.others:
        run = runs[number]
        left_out[run] = left_out.get(run, frozenset()) | {again.key}
        verdict = f" ({case.verdict})" if case.verdict else ""
        first_line = case.reason.strip().partition("\n")[0]
        text = f"{'earlier' if number < again.stands else 'later'}, in {run.name} {run.run_id}".rstrip()
        said.append(f"{text}: {case.outcome}{verdict}{f': {first_line}' if first_line else ''}")
    remarks.setdefault(standing, {})[again.key] = said
    return f"{stands.name}: {stands.outcome} in {standing.name}; {'; '.join(said)}"


def _merge_allure(
    runs: Sequence[Run],
    target: Path,
    later: Mapping[Run, Mapping[str, Outcome]],
    own: Mapping[str, frozenset[str]],
) -> AllureMerge | None:
    places = [(run, run.allure) for run in runs]
    if not any(place is not None for _, place in places):
        return None
    directory = target / ALLURE
    directory.mkdir()
    allure = AllureMerge(directory)
    for run, place in places:
        if place is not None:
            allure.add(run, place, later=later.get(run), own=own[run.runner])
    allure.finish()
    return allure


def _line(run: Run, left_out: frozenset[Key]) -> Line:
    cases = {} if run.report is None else run.report.cases
    return Line(
        name=run.name,
        run_id=run.run_id,
        directory=str(run.directory),
        accounts=accounts_of(case for key, case in cases.items() if key not in left_out),
        again=len(left_out),
    )


def _data(merged: Merged) -> dict[str, Any]:
    return {
        "accounts": _numbers(merged.accounts),
        "runs": [
            {
                "name": line.name,
                "run_id": line.run_id,
                "again": line.again,
                "accounts": _numbers(line.accounts),
            }
            for line in merged.lines
        ],
        "again": list(merged.again),
        "complaints": list(merged.complaints),
    }


def _numbers(accounts: Accounts) -> dict[str, int]:
    return {"collected": accounts.collected, **asdict(accounts)}
