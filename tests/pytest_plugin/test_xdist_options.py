"""Which options of pytest-xdist go with a bench: what contradicts is refused in one line, not ignored."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from harness.pytest_plugin.xdist_options import number_of_workers, refuse_loop_on_fail

if TYPE_CHECKING:
    from tests.pytest_plugin.conftest import Suite


def config_with(*, dist: str = "load", tx: tuple[str, ...] = ("popen",), **options: bool) -> pytest.Config:
    """Return what is asked of a configuration."""
    values: dict[str, Any] = {"dist": dist, "tx": list(tx), **options}
    option = SimpleNamespace(collectonly=options.get("collectonly", False))
    return cast(
        "pytest.Config",
        SimpleNamespace(option=option, getoption=values.get, getvalue=values.__getitem__),
    )


@pytest.mark.parametrize(
    ("tx", "number"),
    [
        (("popen",), 1),
        (("popen", "popen"), 2),
        (("3*popen",), 3),
        (("2*popen//id=a", "popen//python=python3"), 3),
        ((), 0),
    ],
)
def test_as_many_workers_as_xdist_starts(tx: tuple[str, ...], number: int) -> None:
    """A number and a star stand for so many of them."""
    assert number_of_workers(config_with(tx=tx)) == number


def test_no_workers() -> None:
    """Without distribution, and where tests are collected only, nobody starts any."""
    assert number_of_workers(config_with(dist="no")) == 0
    assert number_of_workers(config_with(collectonly=True)) == 0
    assert number_of_workers(config_with(dist="loadscope", tx=())) == 0, "as xdist itself does"


@pytest.mark.parametrize("dist", ["each", "loadscope", "loadfile", "loadgroup", "worksteal"])
def test_distributions_that_know_no_boards(dist: str) -> None:
    """The line names what was given and what is expected."""
    with pytest.raises(pytest.UsageError) as caught:
        number_of_workers(config_with(dist=dist))

    assert str(caught.value) == (
        f"--dist: {dist!r} cannot be used with --bench: tests go where a board fits (got {dist!r}); expected"
        " load, or nothing"
    )


@pytest.mark.parametrize(
    "spec",
    [
        "ssh=elsewhere",
        "socket=192.0.2.1:8888",
        "ssh=popen",
        "popen//via=proxy",
        "2*ssh=elsewhere//python=python3",
    ],
)
def test_workers_elsewhere(spec: str) -> None:
    """Boards are on this host, and so must the workers be; whatever else is in the specification."""
    with pytest.raises(pytest.UsageError, match=r"--tx: boards are on this host, .*; expected popen"):
        number_of_workers(config_with(tx=("popen", spec)))


def test_loop_on_fail() -> None:
    """It is refused where it is there and given."""
    refuse_loop_on_fail(config_with())
    with pytest.raises(pytest.UsageError, match="--looponfail: cannot be used with --bench"):
        refuse_loop_on_fail(config_with(looponfail=True))


def test_loop_on_fail_in_a_session(suite: Suite) -> None:
    """It is refused before xdist takes over, and nothing was leased."""
    suite.write("test_it.py", "def test_it(board): ...")

    result = suite.run("--bench", "virtual", "-f")

    assert result.code == 4, result
    (line,) = [line for line in result.err.splitlines() if line]
    assert line.startswith("ERROR: --looponfail: cannot be used with --bench")
    assert suite.left_behind == []
