"""The ``harness`` command as a whole: exit codes, messages, vendors' commands."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import harness
from harness.cli import main as cli
from harness.errors import BenchFault, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import typer

ACME = '''
import typer
from harness.errors import BackendUnreachable, UsageError

app = typer.Typer()

@app.callback()
def acme() -> None:
    """Acme's commands."""

@app.command()
def hello(name: str) -> None:
    """Say hello."""
    if name == "nobody":
        raise UsageError("whom?", key="NAME", value=name)
    if name == "gone":
        raise BackendUnreachable("the service\\nis away")
    if name == "interrupt":
        raise KeyboardInterrupt
    if name == "abort":
        raise typer.Abort
    if name.isdecimal():
        raise typer.Exit(int(name))
    typer.echo(f"hello {name}")

def harness_cli_commands():
    return [("acme", app)]
'''


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A vendor's plugin with a command."""
    (tmp_path / "acme_commands.py").write_text(ACME)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("HARNESS_PLUGINS", "acme_commands")
    monkeypatch.delitem(sys.modules, "acme_commands", raising=False)


@pytest.mark.parametrize("arguments", [(), ("--help",)])
def test_help_lists_the_commands(run: Callable[..., Any], arguments: tuple[str, ...]) -> None:
    """Without a word, and when asked, the commands are listed."""
    outcome = run(*arguments)

    assert outcome.code == 0
    assert outcome.err == ""
    for command in ("boards", "run", "plan", "report", "backend", "bench", "profile"):
        assert f"\n  {command} " in outcome.out


@pytest.mark.parametrize("group", ["backend", "bench", "profile"])
def test_group_without_a_command_is_its_help(run: Callable[..., Any], group: str) -> None:
    """Whoever names a group only wants to know what is in it."""
    outcome = run(group)

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"Usage: harness {group} ")


def test_version(run: Callable[..., Any]) -> None:
    """The version is that of the installed distribution."""
    assert run("--version").out == f"harness {harness.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["frobnicate"], "harness: No such command 'frobnicate'."),
        (["bords"], "harness: No such command 'bords'. Did you mean 'boards'?"),
        (["boards", "--colour"], "harness: No such option: --colour"),
        (["run"], "harness: Missing argument 'SUITE'."),
        (["backend", "serve", "nrfcloud", "--port", "many"], "harness: Invalid value for '--port'"),
    ],
)
def test_wrong_use_is_one_line_and_four(run: Callable[..., Any], arguments: list[str], message: str) -> None:
    """A wrong command line is one line on standard error and exit code 4."""
    outcome = run(*arguments)

    assert outcome.code == 4
    assert outcome.out == ""
    assert outcome.err.startswith(message)
    assert outcome.err.count("\n") == 1


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    ("name", "code", "out", "err"),
    [
        ("world", 0, "hello world\n", ""),
        ("nobody", 4, "", "harness: NAME: whom? (got 'nobody')\n"),
        ("gone", 1, "", "harness: the service is away\n"),
        ("interrupt", 1, "", ""),
        ("abort", 1, "", "harness: interrupted\n"),
        ("0", 0, "", ""),
        ("1", 1, "", ""),
        ("2", 1, "", ""),
        ("4", 4, "", ""),
        ("130", 1, "", ""),
    ],
)
def test_vendor_command_ends_with_our_codes(
    run: Callable[..., Any], name: str, code: int, out: str, err: str
) -> None:
    """A vendor's command is part of ours; whatever it does, the exit code is 0, 1 or 4."""
    outcome = run("acme", "hello", name)

    assert (outcome.code, outcome.out, outcome.err) == (code, out, err)


@pytest.mark.usefixtures("acme")
def test_vendor_command_is_listed(run: Callable[..., Any]) -> None:
    """The help shows a vendor's group beside ours."""
    assert re.search(r"^  acme +Acme's commands\.$", run("--help").out, re.MULTILINE)


@pytest.mark.parametrize("name", ["boards", "backend"])
def test_vendor_cannot_replace_our_command(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A plugin whose command has the name of one of ours is refused."""
    (tmp_path / f"acme_{name}.py").write_text(ACME.replace('("acme"', f'("{name}"'))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("HARNESS_PLUGINS", f"acme_{name}")

    outcome = run("--help")

    assert outcome.code == 4
    assert f"harness_cli_commands: the command exists already, by the harness (got '{name}')" in outcome.err


def test_plugin_that_cannot_be_loaded_is_one_line(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plugin that is missing is a wrong use like any other."""
    monkeypatch.setenv("HARNESS_PLUGINS", "acme_missing")

    outcome = run("boards")

    assert outcome.code == 4
    assert outcome.err.startswith("harness: HARNESS_PLUGINS: plugins: cannot import")
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(("error", "code"), [(BenchFault("no answer"), 1), (UsageError("wrong"), 4)])
def test_error_decides_the_code(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    """What the user can mend is 4, what failed is 1."""

    def fail(*_: object) -> typer.Typer:
        raise error

    monkeypatch.setattr(cli, "make_app", fail)

    outcome = run("boards")

    assert (outcome.code, outcome.err) == (code, f"harness: {error}\n")


def test_command_is_installed(tmp_path: Path) -> None:
    """The installed command works in an empty directory and leaves nothing there."""
    command = [
        sys.executable,
        "-c",
        "import sys; sys.argv[0] = 'harness'; from harness.cli.main import main; main()",
    ]

    done = subprocess.run([*command, "--version"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, f"harness {harness.__version__}\n", "")
    assert list(tmp_path.iterdir()) == []


def test_reader_that_goes_away_is_no_traceback() -> None:
    """``harness ... | head -0`` ends without a traceback."""
    command = [
        sys.executable,
        "-c",
        "from harness.cli.main import main; main()",
        "profile",
        "check",
        "boards",
    ]
    directory = cli.__file__.removesuffix("/harness/cli/main.py")
    with subprocess.Popen(command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()

    assert b"Traceback" not in said
    assert process.returncode in {0, 1}


def test_complaint_is_no_command_to_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What a board or a service said is shown in one line, its control characters too, and not obeyed."""

    def refuse(*_arguments: object) -> None:
        raise BenchFault("it said \x1b[2J\x9b\u202e\nf\u00fcnf")

    monkeypatch.setattr("harness.cli.boards_now.find_boards", refuse)

    assert cli.execute(["boards"]) == 1
    assert capfd.readouterr().err == "harness: it said \\x1b[2J\\x9b\\u202e f\u00fcnf\n"


def test_no_secret_in_a_complaint(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """What a command complains of is redacted like everything else."""

    def refuse(*_arguments: object) -> None:
        raise BenchFault("Bearer 0123456789abc is no key")

    monkeypatch.setattr("harness.cli.boards_now.find_boards", refuse)

    assert cli.execute(["boards"]) == 1
    assert capfd.readouterr().err == "harness: Bearer [redacted: bearer token] is no key\n"
