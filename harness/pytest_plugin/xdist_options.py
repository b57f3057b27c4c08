"""Which options of pytest-xdist go with a bench, and how many workers they make."""

from __future__ import annotations

from typing import Final

import pytest

_FITTING_DIST: Final = "load"  # what -n means when nothing else is said
_ELSEWHERE: Final = frozenset({"ssh", "socket", "vagrant_ssh", "via"})


def number_of_workers(config: pytest.Config) -> int:
    """Return how many workers xdist is going to start; 0 when it starts none.

    :raises pytest.UsageError: workers on other machines, or a distribution that cannot respect boards.
    """
    dist = config.getoption("dist", "no")
    if config.option.collectonly or not config.getoption("tx", []) or dist == "no":
        return 0
    if dist != _FITTING_DIST:
        raise pytest.UsageError(
            f"--dist: {dist!r} cannot be used with --bench: tests go where a board fits"
            f" (got {dist!r}); expected {_FITTING_DIST}, or nothing"
        )
    from harness.pytest_plugin.xdist_session import worker_specs

    specs = worker_specs(config)
    for spec in specs:
        if not _is_here(spec):
            raise pytest.UsageError(
                f"--tx: boards are on this host, and so must the workers be (got {spec!r}); expected popen"
            )
    return len(specs)


def _is_here(spec: str) -> bool:
    """Tell whether a worker is a process of this host, and of this user."""
    keys = {part.partition("=")[0] for part in spec.split("//")}
    return "popen" in keys and not keys & _ELSEWHERE


def refuse_loop_on_fail(config: pytest.Config) -> None:
    """Refuse xdist's option to run failed tests again whenever a file changes.

    :raises pytest.UsageError: it is given; each round would be a session of its own that leases boards.
    """
    if config.getoption("looponfail", None):
        raise pytest.UsageError(
            "--looponfail: cannot be used with --bench: every round would lease the boards anew; expected a"
            " session for each round"
        )
