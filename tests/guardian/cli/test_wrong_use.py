"""``harness guardian``: who asks, and what is said of tokens, files and boards that do not fit."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness_guardian.client import GuardianClient
    from tests.guardian.cli.conftest import Outcome


# -- who is asking -------------------------------------------------------------------------------------------


def test_token_of_a_file(
    run: Callable[..., Outcome], guardian: GuardianClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token may be in a file that only its owner can read; it counts before the environment's."""
    monkeypatch.setenv("GUARDIAN_TOKEN", "gdn_nobody0123456789abc")
    file = tmp_path / "token"
    file.write_text(guardian.world.tokens["reporter"])
    file.chmod(stat.S_IRUSR | stat.S_IWUSR)
    (tmp_path / "it.mcpr").write_text("{}")

    by_reporter = run("submit", "it.mcpr", "--token-file", "token")
    assert (by_reporter.code, "was answered 403" in by_reporter.err) == (1, True)
    by_nobody = run("submit", "it.mcpr")
    assert (by_nobody.code, "was answered 401" in by_nobody.err) == (1, True)
    assert "nobody0123456789" not in by_nobody.err

    file.chmod(0o644)
    assert "others may read the token" in run("submit", "it.mcpr", "--token-file", "token").err


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"GUARDIAN_TOKEN": ""}, "GUARDIAN_TOKEN: no token; expected the token of a user"),
        ({"GUARDIAN_TOKEN": "two words"}, "GUARDIAN_TOKEN: no token"),
        ({"GUARDIAN_URL": ""}, "--url: no address of a service; expected http://... or https://"),
        ({"GUARDIAN_URL": "ftp://x"}, "--url: no address of a service (got 'ftp://x')"),
        ({"GUARDIAN_URL": "http://["}, "--url: no address of a service (got 'http://[')"),
        ({"GUARDIAN_URL": "http://x:y"}, "--url: no address of a service (got 'http://x:y')"),
    ],
)
def test_who_says_not_enough(
    run: Callable[..., Outcome],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    given: dict[str, str],
    message: str,
) -> None:
    """Without a token or an address nothing is sent; the message says how to give it."""
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "it.mcpr").write_text("{}")

    done = run("submit", "it.mcpr")

    assert done.code == 4
    assert message in done.err


def test_token_is_asked_for(
    run: Callable[..., Outcome], guardian: GuardianClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who sits at a terminal and gave no token is asked for it; it is not shown."""
    monkeypatch.delenv("GUARDIAN_TOKEN")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    asked: list[bool] = []

    def prompt(_text: str, *, hide_input: bool, err: bool) -> str:
        asked.append(hide_input and err)
        return f" {guardian.world.tokens['reporter']} "

    monkeypatch.setattr("typer.prompt", prompt)
    (tmp_path / "it.mcpr").write_text("{}")

    assert "was answered 403" in run("submit", "it.mcpr").err
    assert asked == [True]


# -- files and boards ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("submit", "gone.mcpr"), "gone.mcpr: cannot be read: No such file"),
        (("submit", "empty"), "empty: is empty; expected 1 to 65536 bytes"),
        (("submit", "large"), "large: is too large"),
        (("install", "gone.mccp", "--board", "desk"), "gone.mccp: cannot be read"),
        (("request", "-o", "large", "--board", "desk"), "large: --output: exists; expected a new file, or"),
        (("request", "-o", "no/where", "--board", "desk"), "no: --output: there is no such directory"),
        (("request", "-o", ".", "--board", "desk"), "--output: is no ordinary file"),
        (("request", "-o", "x", "--format", "xml"), "--format: no such choice (got 'xml'); expected jws or"),
        (("request", "-o", "x", "--source", "Moon"), "--source: no such choice (got 'Moon')"),
        (("status",), "--board: which of the components?; expected desk or gate"),
        (("status", "--board", "dusk"), "--board: no such Guardian component (got 'dusk'); expected desk or"),
        (("report", "-o", "large", "--system", "s"), "large: --output: exists"),
        (("download", "id", "-o", "large"), "large: --output: exists"),
    ],
)
def test_wrong_use_is_one_line(
    run: Callable[..., Outcome], tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    """What a person can mend is one line and exit code 4, before anything is asked of board or service."""
    (tmp_path / "empty").touch()
    (tmp_path / "large").write_bytes(b"x" * 65_537)

    done = run(*arguments)

    assert (done.code, done.out) == (4, "")
    assert message in done.err
    assert done.err.count("\n") == 1


def test_no_component_here(run: Callable[..., Outcome], tmp_path: Path) -> None:
    """Where there is no component, that is what is said."""
    (tmp_path / "rig.toml").write_text("")

    assert "no Guardian component is here" in run("status").err


def test_board_refuses(run: Callable[..., Outcome], tmp_path: Path) -> None:
    """What the board does not do is exit code 1, with its number, name and text."""
    done = run("request", "-o", "it.mcpr", "--board", "desk")

    assert done.code == 1
    assert done.err.startswith("harness: request was refused: ERROR 3 FILENOTFOUND: there is no provisioning")
    assert not (tmp_path / "it.mcpr").exists()


def test_package_key_is_not_shown(run: Callable[..., Outcome], package: Any) -> None:
    """The secret of a package is in no output, whatever becomes of it."""
    done = run(
        "init", "--package", "package.json", "--component", "x" * 200, "--hw-id", "S1", "--board", "desk"
    )

    assert done.code == 1
    assert "BADPARAM" in done.err
    assert package.key.private_key_pem.splitlines()[1] not in done.out + done.err
