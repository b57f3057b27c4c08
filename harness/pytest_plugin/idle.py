"""What an idle plugin says to tests that need a bench."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.state import SESSION_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

NO_BENCH = (
    "this test asks for a board and no bench was chosen: add --bench virtual (boards are simulated) or"
    " --bench attached (boards on this host)"
)
_BOARD = ("board", "boards")


def fail_tests_that_need_a_bench(
    config: pytest.Config, items: list[pytest.Item], *, our_fixtures: str
) -> None:
    """Make each test fail that takes a board of ours or, unresolved, the name of a backend.

    A fixture of the same name that a suite defines itself is left alone.

    :param config: whose session is idle; nothing happens in one that is not.
    :param items: the collected tests.
    :param our_fixtures: name of the module that has our fixtures.
    """
    if SESSION_KEY in config.stash:
        return
    backends: frozenset[str] | None = None
    for item in items:
        found: Mapping[str, object] = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
        takes = [name for name in _BOARD if name in found]
        if takes:
            if any(_module_of(found[name]) == our_fixtures for name in takes):
                _fail(item, NO_BENCH)
            continue
        unresolved = [name for name in getattr(item, "fixturenames", ()) if name not in found]
        if not unresolved or unresolved == ["request"]:
            continue
        if backends is None:
            backends = _backend_names()
        for name in unresolved:
            if name in backends:
                _fail(
                    item,
                    f"this test uses the backend {name!r} and no bench was chosen: add --bench virtual and"
                    f" --backend {name}=fake (or {name}=URL)",
                )


def _module_of(definitions: object) -> str | None:
    assert isinstance(definitions, (tuple, list))  # noqa: S101 - pytest's own; tells mypy so
    return getattr(definitions[-1].func, "__module__", None)


def _backend_names() -> frozenset[str]:
    from harness.backends.contract import known_backends
    from harness.errors import HarnessError
    from harness.plugins import load_plugins

    try:
        plugins = load_plugins()
    except HarnessError:  # a broken plugin is no business of a session that does not use us
        return frozenset()
    return frozenset(known_backends(plugins))


def _fail(item: pytest.Item, reason: str) -> None:
    from harness.pytest_plugin.placement import fail_instead

    fail_instead(item, reason)
