"""Allure results that a person can read: title, labels, steps, console slices, evidence.

Only with ``--alluredir``. Everything that allure-pytest is about to write passes the redactor once more, a
second line of defence behind the redaction of reports: :meth:`AllureReport.guard`.
"""

from __future__ import annotations

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
from harness.pytest_plugin.report_console import name_of_console, shorten, slices
from harness.pytest_plugin.report_evidence import collected_evidence, console_marks
from harness.pytest_plugin.report_exchanges import exchange_name, exchange_text, exchange_title
from harness.pytest_plugin.report_labels import behaviours, blame, case_of, labels_of, title_of
from harness.pytest_plugin.report_lost import result_of_lost_test, result_of_test_not_run
from harness.pytest_plugin.report_records import TestRecord, reason_of_skip
from harness.pytest_plugin.report_redaction import encodable
from harness.pytest_plugin.state import EXCHANGES_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from harness.backends.contract import Exchange
    from harness.inventory.leased_board import LeasedBoard
    from harness.pytest_plugin.report_records import TestFacts
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
        self._decided: set[str] = set()
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
            return encodable(self._clean(item))
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

    # Innermost, so that Allure's own has not closed the result yet.
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Write nothing of a test that was interrupted: Allure's plugin takes a finished set-up for a pass.

        The controller writes that it did not run to its end.
        """
        self._shown.pop(item.nodeid, None)
        self._decided.discard(item.nodeid)
        try:
            return (yield)
        except BaseException:
            if item.nodeid not in self._decided:
                self.forget(item)
            raise

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
        self, item: pytest.Item, report: pytest.TestReport, facts: TestFacts, boards: Sequence[LeasedBoard]
    ) -> None:
        """Take a completed report into the test's result."""
        if report.when == "call" or not report.passed:
            self._decided.add(item.nodeid)
        result = self._running_test()
        if result is None:
            return
        if report.when == "setup":
            self._name(item, result, facts)
        if report.when == "call" or report.failed:
            self._show_exchanges(result, item)
            self._show_consoles(result, item, boards, report)
        elif report.when == "teardown":
            self._show_exchanges(result, item)
            if report.skipped and result.status == Status.PASSED:  # Allure's plugin passes over it
                result.status = Status.SKIPPED
                result.statusDetails = StatusDetails(message=reason_of_skip(report))
        if report.failed:
            self._blame(result, facts)
            for board in boards:
                prefix = f"{board.id} " if len(boards) > 1 else ""
                for name, content in collected_evidence(self._session, board, item).items():
                    self._attach_bytes(result, prefix + name, content)

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
            result.labels += behaviours(self._epic_of(facts.suite), item, facts)
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
        result.parameters.insert(0, Parameter(name="case", value=case_of(callspec.id, self._clean)))

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
        self, result: TestResult, item: pytest.Item, boards: Sequence[LeasedBoard], report: pytest.TestReport
    ) -> None:
        when = "" if report.when == "call" else f", {report.when}"
        for board in boards:
            for each in slices(board.open_consoles, console_marks(item, board), self._clean):
                name = name_of_console(board.id, each.role, of=len(boards))
                self._attach(result, f"Console ({name}{when})", each.text)

    # -- in the controller --------------------------------------------------------------------------------

    def add_lost_test(self, record: TestRecord) -> None:
        """Write the result of a test that no worker has written: it died before it could."""
        self._add(result_of_lost_test(record, epic=self._epic_of(record.suite), clean=self._clean))

    def add_test_not_run(self, nodeid: str, reason: str, record: TestRecord | None) -> None:
        """Write the result of a test that came to no outcome.

        :param reason: why.
        :param record: what was heard of it, if it began.
        """
        epic = self._epic_of((record or TestRecord(nodeid=nodeid)).suite)
        self._add(result_of_test_not_run(nodeid, reason, record, epic=epic, clean=self._clean))

    def _epic_of(self, suite: str) -> str:
        return self._titles.get(suite, suite)

    def _add(self, result: TestResult) -> None:
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


def place_step(result: Any, step: TestStepResult) -> None:
    """Put a step where it belongs in time: into the innermost step that was open then, in order."""
    for other in result.steps:
        inside = other.start is not None and other.stop is not None and not other.attachments
        if inside and other.start <= step.start and step.stop <= other.stop:
            place_step(other, step)
            return
    result.steps.append(step)
    result.steps.sort(key=lambda each: each.start or 0)
