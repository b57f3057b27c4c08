"""Allure's results of tests that no process has written: it died before it could, or never began.

Whatever the controller knows of such a test is its id, so everything by which Allure takes it for the same
test as in other runs, or as another try in this one, is made from that.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from typing import TYPE_CHECKING

from allure_commons.model2 import Label, Parameter, Status, StatusDetails, TestResult

from harness.pytest_plugin.report_labels import blame, case_of, labels_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.pytest_plugin.report_records import TestRecord


def result_of_lost_test(record: TestRecord, *, epic: str, clean: Callable[[str], str]) -> TestResult:
    """Return the result of a test that ended, and whose process could not write it any more."""
    result = _result(record.nodeid, epic=epic, clean=clean)
    result.status = Status.SKIPPED if record.outcome == "skipped" else Status.BROKEN
    result.statusDetails = StatusDetails(message=record.reason, trace=record.details)
    result.labels += labels_of(record.facts)
    if record.outcome != "skipped":
        result.labels.append(Label(name="verdict", value=record.facts.verdict))
        blame(result, record.facts)
    return result


def result_of_test_not_run(
    nodeid: str, reason: str, record: TestRecord | None, *, epic: str, clean: Callable[[str], str]
) -> TestResult:
    """Return the result of a test that came to no outcome.

    :param reason: why.
    :param record: what was heard of it, if it began.
    """
    result = _result(nodeid, epic=epic, clean=clean)
    result.status = Status.UNKNOWN
    result.statusDetails = StatusDetails(message=f"not run: {reason}")
    if record is not None:
        result.labels += labels_of(record.facts)
    return result


def _result(nodeid: str, *, epic: str, clean: Callable[[str], str]) -> TestResult:
    file, name, case = _parts(nodeid)
    *classes, function = name.split("::")
    full_name = ".".join([file.removesuffix(".py").replace("/", "."), *classes]) + f"#{function}"
    shown = None if case is None else case_of(case, clean)
    now = int(time.time() * 1000)
    return TestResult(
        uuid=str(uuid.uuid4()),
        name=function if case is None else f"{function}[{case}]",
        fullName=full_name,
        testCaseId=_digest(full_name),
        historyId=_digest(full_name, *([] if shown is None else [shown])),
        parameters=[] if shown is None else [Parameter(name="case", value=shown)],
        start=now,
        stop=now,
        labels=[Label(name="epic", value=epic)],
    )


def _parts(nodeid: str) -> tuple[str, str, str | None]:
    """Return file, name and case of a test; what is in brackets may be anything."""
    whole, bracket, case = nodeid.partition("[")
    file, _, name = whole.partition("::")
    return file, name, case.removesuffix("]") if bracket else None


def _digest(*texts: str) -> str:
    """Return what allure-pytest makes of the same texts."""
    return hashlib.md5("".join(texts).encode(), usedforsecurity=False).hexdigest()
