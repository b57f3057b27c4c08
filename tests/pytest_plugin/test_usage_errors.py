"""What is wrong with the command line or a suite is one line and exit status 4; nothing stays behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.pytest_plugin.conftest import Suite

VIRTUAL = ("--bench", "virtual", "--boards", "toy-a=1")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*VIRTUAL, "--board", "toy-a-7", "-n", "auto"), "--board: no such board (got 'toy-a-7')"),
        (("--bench", "attached", "--rig", "no.toml", "-n", "auto"), "no.toml: cannot read: No such file"),
        (("--bench", "real"), "--bench: no such bench (got 'real'); expected virtual, virtual=SOCKET or"),
        (("--bench", "attached", "--rig", "no.toml"), "no.toml: cannot read: No such file"),
        (
            (*VIRTUAL, "--sec-tags", "1-x"),
            "--sec-tags: not a range of security tags (got '1-x'); expected FIRST",
        ),
        ((*VIRTUAL, "--sec-tags", "9-8"), "--sec-tags: not a range of security tags (got '9-8')"),
        (
            (*VIRTUAL, "--sec-tags", "16842750-16842760"),
            "in the field (got '16842750-16842760'); expected other tags, or --allow-destructive",
        ),
        (("--bench", "virtual", "--boards", "0"), "--boards: not a number of boards (got '0')"),
        (("--bench", "virtual", "--boards", "toy-c=1"), "(got 'toy-c'); expected toy-"),
        ((*VIRTUAL, "--board", "toy-a-7"), "--board: no such board (got 'toy-a-7'); expected toy-a-0"),
        ((*VIRTUAL, "--backend", "toycloud"), "--backend: malformed (got 'toycloud'); expected NAME=fake"),
        ((*VIRTUAL, "--backend", "toyclud=fake"), "(got 'toyclud'); expected toycloud, "),
        ((*VIRTUAL, "--backend", "toymail=fake"), "this backend has no fake (got 'toymail')"),
        (
            (*VIRTUAL, "--backend", "toymail=http://locked"),
            "no key for a locked address (got 'http://locked')",
        ),
        ((*VIRTUAL, "--test-deadline", "soon"), "--test-deadline: not a number of seconds (got 'soon')"),
        ((*VIRTUAL, "--lease-deadline", "-1"), "--lease-deadline: not a number of seconds (got '-1')"),
        ((*VIRTUAL, "--reconnect", "soon"), "--reconnect: not a number of seconds (got 'soon')"),
        ((*VIRTUAL, "--max-runtime", "soon"), "--max-runtime: not a number of seconds (got 'soon')"),
        ((*VIRTUAL, "--shard", "4/3"), "--shard: not a shard (got '4/3'); expected K/N with K from 1 to N"),
        (("--shard", "1/3"), "--shard: needs a bench"),
        (("--boards", "2"), "--boards: needs a bench; expected --bench virtual or --bench attached too"),
        (("--backend", "toycloud=fake"), "--backend: needs a bench"),
        (("--backend-dry-run",), "--backend-dry-run: needs a bench"),
        (("--plan",), "--plan: needs a bench"),
        (("--rig", "x.toml"), "--rig: needs a bench"),
        (("--sec-tags", "1-2"), "--sec-tags: needs a bench"),
        (("--allow-destructive",), "--allow-destructive: needs a bench"),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, tuple) else "",
)
def test_options_that_do_not_fit(suite: Suite, arguments: tuple[str, ...], message: str) -> None:
    """The line names the option, what was given, and what was expected."""
    suite.write("test_it.py", "def test_it(board): ...")

    result = suite.run(*arguments)

    assert result.code == 4, result
    (line,) = [line for line in result.err.splitlines() if line]
    assert line.startswith("ERROR: ")
    assert message in line
    assert suite.left_behind == []


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one-process", "workers"])
@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("board(drivr='toy')", "test_it.py::test_it: board: the marker has no argument 'drivr'"),
        ("board(each='all')", "test_it.py::test_it: board(each=): unknown (got 'all')"),
        ("backend(need={'x'})", "test_it.py::test_it: backend: the marker has no argument 'need'"),
        ("proves('claim')", "test_it.py::test_it: proves: malformed marker"),
    ],
    ids=["board", "each", "backend", "proves"],
)
def test_markers_that_do_not_fit(suite: Suite, marker: str, message: str, workers: tuple[str, ...]) -> None:
    """The line names the test, from whichever process found it."""
    suite.write(
        "test_it.py",
        f"""
        import pytest

        @pytest.mark.{marker}
        def test_it(board): ...
        """,
    )

    result = suite.run(*VIRTUAL, *workers)

    assert result.code == 4, result
    assert f"ERROR: {message}" in result.err
    assert "Traceback" not in result.err + result.out
    assert suite.left_behind == []


def test_a_distribution_that_knows_no_boards(suite: Suite) -> None:
    """Only what respects boards is accepted (``test_xdist_options.py`` tries them all)."""
    suite.write("test_it.py", "def test_it(): ...")

    result = suite.run(*VIRTUAL, "-n", "1", "--dist", "loadgroup")

    assert result.code == 4, result
    assert "ERROR: --dist: 'loadgroup' cannot be used with --bench" in result.err
    assert suite.left_behind == []


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one-process", "workers"])
def test_inventory_hooks_in_a_later_conftest(suite: Suite, workers: tuple[str, ...]) -> None:
    """A conftest that is read after the boards were found cannot find others, and says so."""
    suite.write("pytest.ini", "[pytest]\n")
    suite.write("deep/er/conftest.py", "def harness_discover_boards(settings): return []")
    suite.write("deep/er/test_it.py", "def test_it(): ...")

    result = suite.run(*VIRTUAL, *workers)

    assert result.code == 4, result
    assert (
        "deep/er/conftest.py: implements harness_discover_boards, which has been called already" in result.err
    )
    assert suite.left_behind == []


def test_misspelt_hooks_in_an_initial_conftest(suite: Suite) -> None:
    """A function that is no hook names its conftest and the nearest hook."""
    suite.write("conftest.py", "def harness_discover_bords(settings): return []")
    suite.write("test_it.py", "def test_it(): ...")

    result = suite.run(*VIRTUAL)

    assert result.code == 4, result
    assert "conftest.py' implements 'harness_discover_bords', which is no hook" in result.err
    assert "the nearest is 'harness_discover_boards'" in result.err
    assert suite.left_behind == []


def test_a_bench_that_is_not_there(suite: Suite) -> None:
    """A socket that nobody listens at is one line too; no option is wrong, so the exit status is 1."""
    suite.write("test_it.py", "def test_it(): ...")

    result = suite.run("--bench", f"virtual={suite.runtime / 'none.sock'}")

    assert result.code == 1, result
    (line,) = [line for line in result.err.splitlines() if line]
    assert line.startswith("ERROR: ")
    assert "none.sock" in line


def test_help_and_version_start_no_bench(suite: Suite) -> None:
    """Asking for help opens nothing, even with ``-n auto``."""
    result = suite.run("--bench", "virtual", "-n", "auto", "--help")

    assert result.code == 0, result
    assert "--bench=BENCH" in result.out
    assert "harness_bench (string)" in result.out
    assert not (suite.runtime / "s").exists()
