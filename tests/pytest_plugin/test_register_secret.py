"""Where secrets enter a session: fixture, hooks of conftests, the environment; and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.pytest_plugin.conftest import Suite

BENCH = ("--bench", "virtual", "--boards", "toy-a=1")
SECRET = "the-name-of-the-horse"
HIDDEN = '"-".join(["the", "name", "of", "the", "horse"])'


def test_fixture_registers(suite: Suite) -> None:
    """What a suite registers is written nowhere from then on, also by fixtures of its whole session."""
    suite.write(
        "test_it.py",
        f"""
        import pytest

        @pytest.fixture(scope="session")
        def horse(register_secret):
            name = {HIDDEN}
            register_secret(name, "horse")
            return name

        def test_it(board, horse):
            print("it is", horse)
            assert horse == "another"
        """,
    )

    result = suite.run(*BENCH)

    assert result.code == 1, result
    assert result.lines_with("it is [redacted: horse]")
    assert SECRET not in result.out + result.err


def test_short_value_is_refused(suite: Suite) -> None:
    """A value that would be found everywhere is the suite's mistake, and the message does not tell it."""
    suite.write(
        "test_it.py",
        """
        def test_it(board, register_secret):
            register_secret("z9q" + "7x", "door")
        """,
    )

    result = suite.run(*BENCH, "--tb=line")

    assert result.code == 1, result
    assert result.lines_with("door: this secret is too short to be taken out of reports; expected at least 6")
    assert "z9q7x" not in result.out


def test_short_value_of_a_hook(suite: Suite) -> None:
    """The same from a hook ends the session before it begins, in one line."""
    suite.write(
        "conftest.py",
        """
        from harness.redaction import Secret

        def harness_secrets():
            return [Secret(label="door", value="12345")]
        """,
    )
    suite.write("test_it.py", "def test_it(board): ...")

    result = suite.run(*BENCH)

    assert result.code == 4, result
    (line,) = [line for line in result.err.splitlines() if line]
    assert line == (
        "ERROR: door: this secret is too short to be taken out of reports; expected at least 6 characters"
    )


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["one process", "a worker"])
def test_conftest_of_a_directory(suite: Suite, workers: tuple[str, ...]) -> None:
    """A conftest that is read only when its directory is collected gives secrets all the same."""
    suite.write(
        "below/conftest.py",
        f"""
        from harness.redaction import Secret

        def harness_secrets():
            return [Secret(label="horse", value={HIDDEN})]
        """,
    )
    suite.write("below/test_it.py", f"def test_it(board): assert {HIDDEN} == 'another'")
    suite.write("test_first.py", "def test_it(board): ...")

    result = suite.run(*BENCH, *workers)

    assert result.code == 1, result
    assert result.lines_with("assert '[redacted: horse]' == 'another'"), result
    assert SECRET not in result.out + result.err


def test_conftest_that_cannot_be_imported(suite: Suite) -> None:
    """What an initial conftest says when it fails is redacted, before there is any session."""
    suite.environment["NRFCLOUD_API_KEY"] = SECRET
    suite.write(
        "conftest.py",
        """
        import os

        try:
            raise ValueError("Authorization: Bearer 0123456789abc")
        except ValueError as error:
            error.add_note("see " + os.environ["NRFCLOUD_API_KEY"])
            raise RuntimeError("cannot use " + os.environ["NRFCLOUD_API_KEY"]) from error
        """,
    )
    suite.write("test_it.py", "def test_it(board): ...")

    result = suite.run(*BENCH)

    assert result.code == 4, result
    said = result.out + result.err
    assert "cannot use [redacted: nRF Cloud API key]" in said
    assert SECRET not in said
    assert "0123456789abc" not in said

    idle = suite.run()
    assert f"cannot use {SECRET}" in idle.out + idle.err, "without a bench it is no business of ours"


@pytest.mark.parametrize("capture", ["no", "tee-sys"])
def test_what_tests_print_live(suite: Suite, capture: str) -> None:
    """Where pytest passes on what tests print, it passes redaction, text and bytes, also split prints."""
    suite.write(
        "test_it.py",
        f"""
        import sys

        def test_it(board, register_secret):
            name = {HIDDEN}
            register_secret(name, "horse")
            for stream in (sys.stdout, sys.stderr):
                print("printed", name, file=stream)
                stream.write("split " + name[:9])
                stream.write(name[9:] + "\\n")
        """,
    )

    result = suite.run(*BENCH, f"--capture={capture}")

    assert result.code == 0, result
    for said in (result.out, result.err):
        assert "printed [redacted: horse]\n" in said
        assert "split [redacted: horse]\n" in said
        assert SECRET not in said


def test_idle_plugin_registers_nothing(suite: Suite) -> None:
    """Without a bench the fixture is there and does nothing."""
    suite.write(
        "test_it.py",
        f"""
        def test_it(register_secret):
            register_secret({HIDDEN}, "horse")
            assert {HIDDEN} == "another"
        """,
    )

    result = suite.run()

    assert result.code == 1
    assert SECRET in result.out
