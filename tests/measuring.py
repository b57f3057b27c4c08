"""Which processes that tests start are measured by coverage: those in which something is run nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def unmeasured(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment whose processes are not measured.

    Measuring nearly doubles what a session costs. Where whole suites run to show what is left of them, their
    code is measured by the tests of that code.

    :param environment: of a process that is measured when this one is.
    """
    return {name: value for name, value in environment.items() if not name.startswith("COVERAGE_")}
