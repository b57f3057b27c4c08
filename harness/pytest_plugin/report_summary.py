"""The short summary of a session: one HTML page without script, and the same as JSON beside it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError
from harness.pytest_plugin.report_pairs import proven_pairs
from harness.pytest_plugin.report_redaction import clean_data
from harness.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from harness.pytest_plugin.pace import Pace
    from harness.pytest_plugin.report_records import BoardUsed, SessionRecords, TestRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchFacts:
    """What the session ran on.

    :ivar bench: ``virtual`` or ``attached``.
    :ivar boards: identity and kind of each board.
    :ivar backends: name, mode and address of each service.
    :ivar versions: what was installed, by name.
    :ivar rules: what might be done with hardware, by name.
    :ivar usb_lab: whether the attached boards are those of a virtual USB lab.
    :ivar story: which boards went away, came back and came late, in lines.
    :ivar shard: which part of the tests it had, and of how many; empty for all.
    :ivar pace: how fast its tests were; ``None`` when nothing was run.
    """

    bench: str
    boards: tuple[tuple[str, str], ...] = ()
    backends: tuple[tuple[str, str, str], ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    rules: tuple[tuple[str, str], ...] = ()
    usb_lab: bool = False
    story: tuple[str, ...] = ()
    shard: str = ""
    pace: Pace | None = None

    @property
    def on_hardware(self) -> bool:
        """Whether there is anything real about the boards."""
        return self.bench != "virtual" and not self.usb_lab

    @property
    def title(self) -> str:
        """What the bench is, in capitals."""
        return "VIRTUAL" if self.bench == "virtual" else "VIRTUAL USB LAB" if self.usb_lab else "HARDWARE"

    @property
    def banner(self) -> str:
        """One line that cannot be misread: no run on virtual boards may pass for one on hardware."""
        number = f"{len(self.boards)} board{'' if len(self.boards) == 1 else 's'}"
        if self.bench == "virtual":
            return f"VIRTUAL BENCH: {number}, all simulated; nothing here was run on hardware"
        if self.usb_lab:
            return f"VIRTUAL USB LAB: {number}, all simulated; nothing here was run on hardware"
        return "; ".join(
            [f"HARDWARE: {number} attached", *(f"{name}: {value}" for name, value in self.rules)]
        )


def write_summary(
    path: Path, bench: BenchFacts, records: SessionRecords, clean: Callable[[str], str]
) -> None:
    """Write the page, and its data as JSON beside it under the same name.

    :param path: the page; its directory is made when it does not exist.
    :param clean: redaction; everything written passes through it once more.
    :raises UsageError: a file cannot be written.
    """
    texts = {
        path.with_suffix(".json"): json.dumps(
            clean_data(summary_data(bench, records), clean), indent=2, ensure_ascii=False
        ),
        path: str(SummaryPage(bench, records, clean)),
    }
    for file, text in texts.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise UsageError(f"cannot be written: {error.strerror}", file=file, key="--summary") from error


def summary_data(bench: BenchFacts, records: SessionRecords) -> dict[str, Any]:
    """Return everything that the page shows, as plain data."""
    return {
        "bench": bench.bench,
        "usb_lab": bench.usb_lab,
        "story": list(bench.story),
        "boards": [{"id": name, "kind": kind} for name, kind in bench.boards],
        "backends": [{"name": name, "mode": mode, "url": url} for name, mode, url in bench.backends],
        "shard": bench.shard,
        "rules": dict(bench.rules),
        "versions": dict(bench.versions),
        "accounts": asdict(records.accounts),
        "pace": None if bench.pace is None else asdict(bench.pace),
        "tests": [_test_data(test) for test in records.tests],
        "not_run": [
            {"nodeid": nodeid, "reason": records.why_not_run.get(nodeid, "")} for nodeid in records.not_run
        ],
        "pairs": [
            {"operation": operation, "outcome": outcome} for operation, outcome in proven_pairs(records.tests)
        ],
    }


def _test_data(test: TestRecord) -> dict[str, Any]:
    return {
        "nodeid": test.nodeid,
        "suite": test.suite,
        "outcome": test.outcome,
        "verdict": test.facts.verdict,
        "seconds": round(test.seconds, 3),
        "worker": test.worker,
        "boards": [asdict(board) for board in test.facts.boards],
        "backends": test.facts.backends,
        "reason": test.reason,
        "repeat": test.facts.repeat,
        "retried": [asdict(attempt) for attempt in test.retried],
    }


class SummaryPage:
    """The page, every text of which is redacted before it is escaped: an escaped secret has another form."""

    def __init__(self, bench: BenchFacts, records: SessionRecords, clean: Callable[[str], str] = str) -> None:
        """Prepare the page of a session.

        :param clean: redaction.
        """
        self._bench = bench
        self._records = records
        self._clean = clean

    def __str__(self) -> str:
        """Return the page as HTML."""
        failed = [test for test in self._records.tests if test.outcome == "failed"]
        not_run = [
            f"{nodeid}: {self._records.why_not_run.get(nodeid, '')}".removesuffix(": ")
            for nodeid in self._records.not_run
        ]
        retried = [f"{record.nodeid}: {attempt}" for record, attempt in self._records.retried]
        colour = "attached" if self._bench.on_hardware else "virtual"
        story = self._bench.story
        parts = [
            f'<p class="banner {colour}">{self._text(self._bench.banner)}</p>',
            "<h1>Provisioning summary</h1>",
            self._counts(),
            self._ground(),
            *self._section("Boards that came and went", [self._list(story)] if story else []),
            *self._section("Failures", [self._failure(test) for test in failed]),
            *self._section("Not run", [self._list(not_run)] if not_run else []),
            *self._section("Retried", [self._list(retried)] if retried else []),
            *self._section("Tests", [self._tests()]),
            *self._section("What was proven", [self._pairs()]),
        ]
        accounts = self._records.accounts
        title = f"{accounts.failed} failed, {accounts.passed} passed of {accounts.collected}"
        title += f", {accounts.retried} retried" if accounts.retried else ""
        return _PAGE.format(style=_STYLE, title=title, body="\n".join(parts))

    def _text(self, text: str) -> str:
        return escape(self._clean(text))

    def _section(self, title: str, contents: Sequence[str]) -> list[str]:
        return [f"<h2>{self._text(title)}</h2>", *contents] if contents else []

    def _counts(self) -> str:
        accounts = self._records.accounts
        cells = "".join(
            f'<li class="{name}"><b>{number}</b> {label}</li>'
            for name, number, label in (
                ("collected", accounts.collected, "collected"),
                ("passed", accounts.passed, "passed"),
                ("failed" if accounts.failed else "none", accounts.failed, "failed"),
                ("skipped" if accounts.skipped else "none", accounts.skipped, "skipped"),
                ("failed" if accounts.not_run else "none", accounts.not_run, "not run"),
                *([("skipped", accounts.retried, "retried")] if accounts.retried else []),
            )
        )
        return f'<ul class="counts">{cells}</ul>'

    def _ground(self) -> str:
        rows = [
            ("Shard", self._bench.shard),
            ("Boards", ", ".join(f"{name} ({kind})" for name, kind in self._bench.boards) or "none"),
            (
                "Services",
                ", ".join(f"{name}={mode} at {url}" for name, mode, url in self._bench.backends) or "none",
            ),
            ("Time", str(self._bench.pace or "")),
            ("Versions", ", ".join(f"{name} {version}" for name, version in self._bench.versions)),
        ]
        lines = "".join(
            f"<dt>{self._text(name)}</dt><dd>{self._text(text)}</dd>" for name, text in rows if text
        )
        return f"<dl>{lines}</dl>"

    def _failure(self, test: TestRecord) -> str:
        verdict = test.facts.verdict
        meaning = Verdict(verdict).meaning if verdict else "no verdict: the test was not under our watch"
        boards = ", ".join(f"{board.id} ({board.kind}, {board.bench})" for board in test.facts.boards)
        others = (("Last lines of the console", test.facts.console_tail), ("Repeat it", test.facts.repeat))
        blocks = [("Failure", test.details), *(each for each in others if each[1] not in test.details)]
        return (
            f"<article><h3>{self._text(test.nodeid)}</h3>"
            f'<p><span class="failed">{self._text(verdict or "failed")}</span> {self._text(meaning)}</p>'
            f"<p>{self._text(test.reason)}</p><p>{self._text(boards)}</p>"
            + "".join(f"<h4>{title}</h4><pre>{self._text(text)}</pre>" for title, text in blocks)
            + "</article>"
        )

    def _tests(self) -> str:
        rows = (
            (
                f'<td class="{test.outcome}">{test.outcome}</td><td>{self._text(test.nodeid)}</td>'
                f"<td>{self._text(', '.join(_with_remarks(board) for board in test.facts.boards))}</td>"
                f"<td>{self._text(test.facts.verdict or '')}</td><td class=number>{test.seconds:.2f}</td>"
                f"<td>{self._text(test.reason)}</td>"
            )
            for test in self._records.tests
        )
        return self._table(("Outcome", "Test", "Board", "Verdict", "Seconds", "Reason"), rows)

    def _pairs(self) -> str:
        pairs = proven_pairs(self._records.tests)
        rows = (
            f"<td>{self._text(operation)}</td><td>{self._text(outcome)}</td>" for operation, outcome in pairs
        )
        return f"<p>{len(pairs)} distinct (operation, outcome) pairs</p>" + self._table(
            ("Operation", "Outcome"), rows
        )

    def _list(self, texts: Iterable[str]) -> str:
        return "<ul>" + "".join(f"<li>{self._text(text)}</li>" for text in texts) + "</ul>"

    def _table(self, head: Iterable[str], rows: Iterable[str]) -> str:
        header = "".join(f"<th>{self._text(name)}</th>" for name in head)
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        return f'<div class="wide"><table><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table></div>'


def _with_remarks(board: BoardUsed) -> str:
    return "; ".join((board.id, *board.remarks))


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>"""

_STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem }
.banner { font-weight: 700; padding: .6rem 1rem; border: 3px solid; text-align: center }
.banner.virtual { color: #7a4b00; background: #ffe9b8; border-color: #b87400 }
.banner.attached { color: #063b1c; background: #cdf3da; border-color: #1a7f45 }
.counts { display: flex; flex-wrap: wrap; gap: 1.5rem; padding: 0; list-style: none }
.counts b { font-size: 1.8rem }
.passed { color: #1a7f45 } .failed { color: #c62828; font-weight: 700 } .skipped { color: #a36a00 }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem }
dt { font-weight: 600 } dd { margin: 0 }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem; border-bottom: 1px solid #8884 }
td:nth-child(2) { overflow-wrap: anywhere } .number { text-align: right }
article { border-left: 4px solid #c62828; padding-left: 1rem; margin-bottom: 1.5rem }
h3 { overflow-wrap: anywhere; margin-bottom: 0 } h4 { margin: .5rem 0 0 }
pre { background: #8882; padding: .6rem; overflow-x: auto; font-size: 13px }
"""
