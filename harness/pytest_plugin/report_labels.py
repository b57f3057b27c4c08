"""What Allure shows of a test beyond its outcome: title, labels, who is to blame."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from allure_commons.model2 import Label, StatusDetails

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from allure_commons.model2 import TestResult

    from harness.pytest_plugin.report_records import TestFacts


def case_of(case: str, clean: Callable[[str], str]) -> str:
    """Return the id of a parametrized test's case as it is shown.

    Redacted ids could be equal; a part of their digest tells them apart.

    :param case: what pytest has in brackets.
    :param clean: redaction.
    """
    cleaned = clean(case)
    if cleaned != case:
        cleaned += f" ({hashlib.md5(case.encode(), usedforsecurity=False).hexdigest()[:8]})"
    return cleaned


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
