"""The door to reporting: its options, and who reports what in which process of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from harness.pytest_plugin.report_allure import AllureReport
    from harness.pytest_plugin.state import ActiveSession


def add_report_options(parser: pytest.Parser) -> None:
    """Declare the options of reporting; nothing is imported for them."""
    group = parser.getgroup("harness", "provisioning tests on boards (harness)")
    group.addoption(
        "--summary",
        metavar="FILE",
        help="Write a short summary of the session as one HTML page, and as JSON beside it.",
    )
    group.addoption(
        "--expected",
        metavar="FILE",
        help="Fail when a suite passes fewer tests, proves fewer pairs or skips more than FILE (TOML) says.",
    )


def register_reports(config: pytest.Config, session: ActiveSession) -> None:
    """Register what reports an active session in this process; call it before ``pytest_configure`` ends.

    :raises UsageError: an option of reporting does not fit.
    """
    from harness.pytest_plugin.report_redaction import InnerRedaction
    from harness.pytest_plugin.report_terminal import OutputGuard

    allure = _allure_report(config, session)
    manager = config.pluginmanager
    if allure is not None:
        manager.register(allure, "harness-report-allure")
    manager.register(InnerRedaction(session), "harness-report-redaction")
    manager.register(OutputGuard(config, session), "harness-report-output")
    if session.runs_tests:
        from harness.pytest_plugin.report_tests import TestReports

        manager.register(TestReports(config, session, allure), "harness-report-tests")
    if hasattr(config, "workerinput"):
        # A worker that is started late must not sweep away what the others have written.
        config.option.clean_alluredir = False
    else:
        from harness.pytest_plugin.report_session import SessionReports

        manager.register(SessionReports(config, session, allure), "harness-report-session")


def _allure_report(config: pytest.Config, session: ActiveSession) -> AllureReport | None:
    if not config.getoption("allure_report_dir", None):
        return None
    from harness.pytest_plugin.report_allure import AllureReport

    return AllureReport(config, session)
