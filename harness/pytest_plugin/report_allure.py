"""Allure results that a person can read: title, labels, steps, console slices, evidence.

Only with ``--alluredir``. Everything that allure-pytest is about to write passes the redactor once more, a
second line of defence behind the redaction of reports: :meth:`AllureReport.guard`.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import allure
import allure_commons
import attr
import pytest
from allure_commons.logger import AllureFileLogger
from allure_commons.model2 import (
    Attachment,
    Label,
    Parameter,
    Status,
    StatusDetails,
    TestResult,
    TestStepResult,
)
from allure_commons.types import AttachmentType

from harness.backends.contract import known_backends
from harness.evidence import collect_with
from harness.pytest_plugin.report_console import shorten, slices
from harness.pytest_plugin.report_evidence import collected_evidence, console_marks
from harness.pytest_plugin.report_exchanges import exchange_name, exchange_text, exchange_title
from harness.pytest_plugin.state import EXCHANGES_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from contextlib import AbstractContextManager

    from harness.backends.contract import Exchange
    from harness.inventory.leased_board import LeasedBoard
    from harness.pytest_plugin.report_records import TestFacts, TestRecord
    from harness.pytest_plugin.state import ActiveSession

LISTENER: Final = "allure_listener"
TEXT: Final = "text/plain"


class AllureReport:
    """Writes what the harness knows into the results that allure-pytest makes."""

    def __init__(self, config: pytest.Config, session: ActiveSession) -> None:
        """Report a session; nothing is touched before :meth:`guard`."""
        self.directory = Path(config.getoption("allure_report_dir")).absolute()
        self._config = config
        self._session = session
        self._clean = session.redactor.redact
        self._shown: dict[str, int] = {}
        self._titles = {name: spec.title for name, spec in known_backends(session.plugins).items()}

    # -- redaction in front of the writers ----------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection(self) -> Generator[None, object, object]:
        """Stand guard before the first test; allure-pytest has configured itself by now."""
        self.guard()
        return (yield)

    def guard(self) -> None:
        """Redact each result and each attachment before Allure's own logger writes it; call once."""
        for plugin in allure_commons.plugin_manager.get_plugins():
            if isinstance(plugin, AllureFileLogger) and plugin._report_dir == self.directory:
                vars(plugin)["_report_item"] = self._guarded(plugin._report_item)
                # A hook keeps the function that was there when the logger was registered.
                _put_in_place(plugin, "report_attached_data", self._guarded_data(plugin))
                _put_in_place(plugin, "report_attached_file", self._guarded_file(plugin))

    def _guarded(self, write: Callable[[object], None]) -> Callable[[object], None]:
        return lambda item: write(self._cleaned(item))

    def _cleaned(self, item: Any) -> Any:
        if isinstance(item, str):
            return self._clean(item)
        if isinstance(item, (list, tuple)):
            return [self._cleaned(each) for each in item]
        if isinstance(item, dict):
            return {self._cleaned(key): self._cleaned(value) for key, value in item.items()}
        if attr.has(type(item)):
            for field in attr.fields(type(item)):
                setattr(item, field.name, self._cleaned(getattr(item, field.name)))
        return item

    def _guarded_data(self, logger: AllureFileLogger) -> Callable[..., None]:
        write: Callable[[bytes, str], None] = logger.report_attached_data

        def report(body: str | bytes, file_name: str) -> None:
            data = body.encode("utf-8", "backslashreplace") if isinstance(body, str) else body
            write(self._session.redactor.redact_bytes(data), file_name)

        return report

    def _guarded_file(self, logger: AllureFileLogger) -> Callable[..., None]:
        write: Callable[[bytes, str], None] = logger.report_attached_data

        def report(source: str, file_name: str) -> None:
            clean = self._session.redactor.redact_bytes(Path(source).read_bytes())
            write(clean, file_name)

        return report

    # -- while a test runs --------------------------------------------------------------------------------

    def collecting(self) -> AbstractContextManager[None]:
        """Collect the steps of :mod:`harness.evidence` until the ``with`` ends."""
        return collect_with(self)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show a step."""
        with allure.step(self._clean(title)):
            yield

    def attach(self, name: str, text: str) -> None:
        """Attach a text to the open step, or to the test."""
        allure.attach(shorten(text, self._clean), name, AttachmentType.TEXT)

    def phase_ended(
        self, item: pytest.Item, report: pytest.TestReport, facts: TestFacts, board: LeasedBoard | None
    ) -> None:
        """Take a completed report into the test's result."""
        result = self._running_test()
        if result is None:
            return
        if report.when == "setup":
            self._name(item, result, facts)
        if report.when == "call" or report.failed:
            self._show_exchanges(result, item)
            self._show_consoles(result, item, board, report)
        elif report.when == "teardown":
            self._show_exchanges(result, item)
        if report.failed:
            self._blame(result, facts)
            if board is not None:
                for name, content in collected_evidence(self._session, board, item).items():
                    self._attach_bytes(result, name, content)

    def forget(self, item: pytest.Item) -> None:
        """Write no result of a test that is passed over: somebody else runs it."""
        listener: Any = self._config.pluginmanager.get_plugin(LISTENER)
        begun = listener._cache.pop(item.nodeid)
        if begun is not None:
            listener.allure_logger.drop_test(begun)

    def _running_test(self) -> TestResult | None:
        listener = self._config.pluginmanager.get_plugin(LISTENER)
        found: TestResult | None = None if listener is None else listener.allure_logger.get_test(None)
        return found

    def _name(self, item: pytest.Item, result: TestResult, facts: TestFacts) -> None:
        function = getattr(item, "function", None)
        if not hasattr(function, "__allure_display_name__"):
            result.name = self._clean(title_of(item))
        if not any(label.name == "epic" for label in result.labels):
            result.labels += behaviours(self._titles.get(facts.suite, facts.suite), item, facts)
        result.labels += labels_of(facts)
        self._tell_cases_apart(item, result)
        for board in facts.boards:  # whichever board of a kind ran a test, the test's history is one
            result.parameters.append(Parameter(name="board", value=board.id, excluded=True))
            result.parameters += [
                Parameter(name="remark", value=remark, excluded=True) for remark in board.remarks
            ]

    def _tell_cases_apart(self, item: pytest.Item, result: TestResult) -> None:
        """Let the id of a parametrized test be its parameter in the history.

        Allure 3 tells cases by the parameters as they are shown, and takes equal ones for retries of one
        test, of which it shows the last only. Bytes are all shown alike, and so are redacted values.
        """
        callspec = getattr(item, "callspec", None)
        if callspec is None:
            return
        for parameter in result.parameters:
            parameter.excluded = True
        case = self._clean(callspec.id)
        if case != callspec.id:
            case += f" ({_digest(callspec.id)[:8]})"
        result.parameters.insert(0, Parameter(name="case", value=case))

    def _blame(self, result: TestResult, facts: TestFacts) -> None:
        if any(label.name == "verdict" for label in result.labels):
            return  # the first failure is the one that counts
        result.labels.append(Label(name="verdict", value=facts.verdict))
        blame(result, facts)

    def _show_exchanges(self, result: TestResult, item: pytest.Item) -> None:
        exchanges = item.stash.get(EXCHANGES_KEY, [])
        for exchange in exchanges[self._shown.get(item.nodeid, 0) :]:
            place_step(result, self._step_of(exchange))
        self._shown[item.nodeid] = len(exchanges)

    def _step_of(self, exchange: Exchange) -> TestStepResult:
        stop = int(exchange.ended * 1000)
        start = stop - int(exchange.seconds * 1000)
        step = TestStepResult(
            name=self._clean(exchange_title(exchange)), status=Status.PASSED, start=start, stop=stop
        )
        self._attach(step, exchange_name(exchange), shorten(exchange_text(exchange), self._clean))
        return step

    def _show_consoles(
        self, result: TestResult, item: pytest.Item, board: LeasedBoard | None, report: pytest.TestReport
    ) -> None:
        if board is None:
            return
        when = "" if report.when == "call" else f", {report.when}"
        for each in slices(board.open_consoles, console_marks(item), self._clean):
            self._attach(result, f"Console ({each.role}{when})", each.text)

    # -- in the controller --------------------------------------------------------------------------------

    def add_lost_test(self, record: TestRecord) -> None:
        """Write the result of a test that no worker has written: it died before it could, or never began."""
        file, _, name = record.nodeid.partition("::")
        now = int(time.time() * 1000)
        full_name = f"{file.removesuffix('.py').replace('/', '.')}#{name.partition('[')[0]}"
        result = TestResult(
            uuid=str(uuid.uuid4()),
            name=name,
            fullName=full_name,
            testCaseId=_digest(full_name),
            historyId=_digest(full_name + name),
            status=Status.SKIPPED if record.outcome == "skipped" else Status.BROKEN,
            statusDetails=StatusDetails(message=record.reason, trace=record.details),
            start=now,
            stop=now,
            labels=[Label(name="epic", value=self._titles.get(record.suite, record.suite))],
        )
        result.labels += labels_of(record.facts)
        if record.outcome != "skipped":
            result.labels.append(Label(name="verdict", value=record.facts.verdict))
            blame(result, record.facts)
        allure_commons.plugin_manager.hook.report_result(result=result)

    def write_environment(self, properties: Iterable[tuple[str, str]]) -> None:
        """Write what the whole run has in common."""
        lines = [f"{name} = {self._clean(value)}" for name, value in properties]
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "environment.properties").write_text("\n".join(lines) + "\n", encoding="utf-8")

    # -- attaching ----------------------------------------------------------------------------------------

    def _attach(self, to: Any, name: str, text: str) -> None:
        if text:
            self._attach_bytes(to, name, text.encode("utf-8", "backslashreplace"))

    def _attach_bytes(self, to: Any, name: str, content: bytes) -> None:
        clean = self._session.redactor.redact_bytes(content)
        kind = Path(name).suffix.lstrip(".")
        known = {each.extension: each.mime_type for each in AttachmentType}
        extension = kind if kind in known else "txt"
        source = f"{uuid.uuid4()}-attachment.{extension}"
        to.attachments.append(Attachment(name=name, source=source, type=known[extension]))
        allure_commons.plugin_manager.hook.report_attached_data(body=clean, file_name=source)


def _put_in_place(logger: AllureFileLogger, hook: str, function: Callable[..., None]) -> None:
    for implementation in getattr(allure_commons.plugin_manager.hook, hook).get_hookimpls():
        if implementation.plugin is logger:
            implementation.function = function


def _digest(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def title_of(item: pytest.Item) -> str:
    """Return a test's name for a person: the first sentence of its docstring, and its parameters."""
    documentation = (getattr(getattr(item, "function", None), "__doc__", None) or "").strip()
    if not documentation:
        return item.name
    first_line = documentation.splitlines()[0].rstrip(".")
    callspec = getattr(item, "callspec", None)
    return first_line if callspec is None else f"{first_line} [{callspec.id}]"


def behaviours(epic: str, item: pytest.Item, facts: TestFacts) -> list[Label]:
    """Return where a test stands in the tree of behaviours: suite, operation, outcome."""
    labels = [Label(name="epic", value=epic)]
    for operation, outcome in facts.proves:
        labels += [Label(name="feature", value=operation), Label(name="story", value=outcome)]
    if not facts.proves:
        labels.append(Label(name="feature", value=item.path.stem.removeprefix("test_").replace("_", " ")))
    return labels


def labels_of(facts: TestFacts) -> list[Label]:
    """Return the labels that say what a test ran on."""
    pairs = [
        *(pair for board in facts.boards for pair in (("board", board.id), ("kind", board.kind))),
        *(("bench", bench) for bench in sorted({board.bench for board in facts.boards})),
        *(("remark", remark) for board in facts.boards for remark in board.remarks),
    ]
    for name, _, mode in (backend.partition("=") for backend in facts.backends):
        pairs += [("backend", name), ("mode", mode)]
    return [Label(name=name, value=value) for name, value in pairs]


def blame(result: TestResult, facts: TestFacts) -> None:
    """Begin the message of a failure with the verdict, and end its trace with what helps to look into it."""
    details = result.statusDetails or StatusDetails(message="")
    details.message = f"{facts.verdict}: {details.message or ''}"
    blocks = [("last lines of the console", facts.console_tail), ("to repeat it", facts.repeat)]
    trace = details.trace or ""
    missing = [f"---- {title} ----\n{text}\n" for title, text in blocks if text not in trace]
    details.trace = "\n".join([trace, *missing])
    result.statusDetails = details


def place_step(result: Any, step: TestStepResult) -> None:
    """Put a step where it belongs in time: into the innermost step that was open then, in order."""
    for other in result.steps:
        inside = other.start is not None and other.stop is not None and not other.attachments
        if inside and other.start <= step.start and step.stop <= other.stop:
            place_step(other, step)
            return
    result.steps.append(step)
    result.steps.sort(key=lambda each: each.start or 0)
