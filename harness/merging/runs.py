"""What one session left in a directory, and how such directories are named."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.errors import UsageError
from harness.merging.junit import read_report
from harness.sharding import SHARD_PROPERTY, Share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.merging.junit import Report

JUNIT: Final = "junit.xml"
ALLURE: Final = "allure-results"
HISTORY: Final = "history.sqlite3"
ACCOUNTS_PROPERTY: Final = "accounts"
RUN_PROPERTY: Final = "run_id"
_EXPECTED = f"a directory with {JUNIT}, {ALLURE} and {HISTORY}, as a session wrote them there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A directory that somebody named.

    :ivar runner: the name that was given to whoever filled it; empty for none.
    """

    directory: Path
    runner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """One session.

    :ivar directory: where its results are.
    :ivar runner: who ran it. Runs of one runner are shards of one collection, or one is the other once more.
        Shards to whose directories nobody gave a name are all of one runner, whose name is empty.
    :ivar report: its JUnit report; ``None`` when there is none.
    :ivar share: which part of a collection it had; ``None`` for all of it.
    """

    directory: Path
    runner: str
    report: Report | None = field(repr=False)
    share: Share | None = None

    @property
    def name(self) -> str:
        """What tells it from the others, for a person."""
        words = [self.runner or self.directory.resolve().name]
        if self.share is not None:
            words.append(self.share.name)
        return " ".join(words)

    @property
    def run_id(self) -> str:
        """Id of the session; empty when it does not say."""
        return self.report.properties.get(RUN_PROPERTY, "") if self.report is not None else ""

    @property
    def allure(self) -> Path | None:
        """Its Allure results, if there are any."""
        return _there(self.directory / ALLURE, directory=True)

    @property
    def history(self) -> Path | None:
        """Its history, if there is one."""
        return _there(self.directory / HISTORY, directory=False)


def parse_source(text: str) -> Source:
    """Parse ``DIR`` or ``RUNNER=DIR``; a directory that has such a name itself is taken as it is.

    :raises UsageError: there is no such directory.
    """
    runner, equals, place = text.partition("=")
    if equals and not Path(text).exists():
        if not runner or not place or any(not each.isprintable() for each in runner):
            raise UsageError("malformed", key="DIR", value=text, expected="DIR or RUNNER=DIR")
        source = Source(directory=Path(place), runner=runner)
    else:
        source = Source(directory=Path(text))
    if not source.directory.is_dir():
        raise UsageError("there is no such directory", key="DIR", value=text, expected=_EXPECTED)
    return source


def read_runs(sources: Sequence[Source]) -> list[Run]:
    """Read what sessions left.

    :raises UsageError: a directory has nothing of a session, or a damaged report; two cannot be told apart.
    """
    seen: dict[Path, Path] = {}
    for source in sources:
        there = source.directory.resolve()
        if there in seen:
            raise UsageError("named twice", key="DIR", value=str(source.directory), expected="each one once")
        seen[there] = source.directory
    runs = [_read(source) for source in sources]
    _refuse_copies(runs)
    _refuse_namesakes(runs, sources)
    return runs


def _read(source: Source) -> Run:
    directory = source.directory
    junit = _there(directory / JUNIT, directory=False)
    report = None if junit is None else read_report(junit)
    if report is None and _there(directory / ALLURE, directory=True) is None:
        raise UsageError("has no results of a session", file=directory, expected=_EXPECTED)
    share = None
    if report is not None and SHARD_PROPERTY in report.properties:
        text = report.properties[SHARD_PROPERTY]
        share = Share.parse(text)
        if share is None or not 1 <= share.part <= share.parts:
            raise UsageError(
                "not a shard",
                file=junit,
                key=SHARD_PROPERTY,
                value=text[:80],
                expected="as --shard writes it",
            )
    own_name = directory.resolve().name
    if not source.runner and not own_name.isprintable():
        raise UsageError(
            "has a name that cannot be shown",
            file=repr(str(directory)),
            expected="RUNNER=DIR, with another name",
        )
    named = source.runner or ("" if share is not None else own_name)
    return Run(directory=directory, runner=named, report=report, share=share)


def _there(path: Path, *, directory: bool) -> Path | None:
    """Return a path when something is there.

    :raises UsageError: what is there came from elsewhere and leads elsewhere, or is something else.
    """
    if path.is_symlink() or (path.exists() and not (path.is_dir() if directory else path.is_file())):
        what = "directory" if directory else "file"
        raise UsageError(f"is no {what} of its own", file=path, expected=f"a {what}, and no link")
    return path if path.exists() else None


def _refuse_copies(runs: Sequence[Run]) -> None:
    seen: dict[str, Run] = {}
    for run in runs:
        other = seen.setdefault(run.run_id, run) if run.run_id else run
        if other is not run:
            raise UsageError(
                f"has the results of the same session as {other.directory}",
                file=run.directory,
                key=RUN_PROPERTY,
                value=run.run_id[:80],
                expected="each session once",
            )


def _refuse_namesakes(runs: Sequence[Run], sources: Sequence[Source]) -> None:
    seen: dict[str, Path] = {}
    for run, source in zip(runs, sources, strict=True):
        if source.runner or run.share is not None:
            continue
        other = seen.setdefault(run.runner, source.directory)
        if other is not source.directory:
            raise UsageError(
                f"has the same name as {other}",
                file=source.directory,
                expected=f"RUNNER={source.directory}, with a name that tells whose results these are",
            )
