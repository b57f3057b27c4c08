"""What pytest's JUnit writer leaves out: tests that did not run, tries before the last one, dead workers.

It has a test case for each test that was reported, and one without a name for each that only began. Of a
test that was tried several times it has one case a try, of which the first ones look as if they had passed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from xml.etree.ElementTree import Element

import pytest
from _pytest.junitxml import bin_xml_escape, xml_key

from harness.pytest_plugin.report_records import RERUN

if TYPE_CHECKING:
    from collections.abc import Iterator

NOT_RUN_TYPE: Final = "harness.not_run"


class JunitBook:
    """Keeps the test cases of a session in order: one for each test."""

    def __init__(self, config: pytest.Config) -> None:
        """Keep them if there are any.

        :param config: of the process that the user started.
        """
        self._config = config
        self._tried_again: set[tuple[object, object]] = set()

    @property
    def _xml(self) -> Any:
        """Pytest's writer; ``None`` without ``--junit-xml``. It may be configured after us."""
        return self._config.stash.get(xml_key, None)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Iterator[None]:
        """Take out the test case of a try that does not count, and complete that of a dead worker's test."""
        if self._xml is None:
            return (yield)
        key = (report.id, getattr(report, "node", None))  # as the writer tells its test cases apart
        case = self._xml.node_reporters.get(key)
        result = yield
        case = case or self._xml.node_reporters.get(key)
        if report.outcome == RERUN:
            self._tried_again.add(key)
        elif report.failed:
            self._tried_again.discard(key)
        if report.when in {"setup", "call"}:
            return result
        if report.when != "teardown" and key in self._xml.node_reporters:
            self._xml.finalize(report)  # after a crash no tear-down follows, at which the properties are read
        if key in self._tried_again:
            self._tried_again.discard(key)
            self._take_out(case)
        return result

    def _take_out(self, case: Any) -> None:
        """Forget a test case, also where the writer has counted what its parts came to."""
        self._xml.node_reporters_ordered.remove(case)
        for node in case.to_xml():
            if node.tag in self._xml.stats:
                self._xml.stats[node.tag] -= 1

    def add_property(self, name: str, value: str) -> None:
        """Say something of the whole session."""
        if self._xml is not None:
            self._xml.add_global_property(name, value)

    def add_test_not_run(self, nodeid: str, reason: str) -> None:
        """Add a test case for a test that came to no outcome.

        :param reason: why.
        """
        if self._xml is None:
            return
        file, _, name = nodeid.partition("::")
        report = pytest.TestReport(
            nodeid=nodeid,
            location=(file, None, name.replace("::", ".")),
            keywords={},
            outcome="skipped",
            longrepr=None,
            when="setup",
        )
        report.node = self  # type: ignore[attr-defined]  # nobody else's: a worker may have begun the test
        case = self._xml.node_reporter(report)
        case.record_testreport(report)
        message = bin_xml_escape(f"not run: {reason}")
        case.append(Element("skipped", type=NOT_RUN_TYPE, message=message))
        self._xml.finalize(report)

    def close(self) -> None:
        """Take out the test cases of which the writer does not know more than that they began."""
        if self._xml is not None:
            cases = self._xml.node_reporters_ordered
            cases[:] = [case for case in cases if vars(case).get("attrs", True)]
