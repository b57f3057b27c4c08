"""``harness bench``: a virtual bench for use by hand, and what can be done with the boards on it."""

from __future__ import annotations

import os
import secrets
import shlex
import sys
import tempfile
from enum import StrEnum
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.interrupts import end_on_signals
from harness.cli.running import run_command
from harness.config import parse_boards, runtime_directory
from harness.errors import BenchFault, UsageError
from harness.virtual.hanging import ENDS, NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.virtual.client import BenchClient, BoardState
    from harness.virtual.launcher import RunningBench

app = typer.Typer(
    help="Keep a virtual bench, and handle the boards on it.",
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

_PIPE_WIDTH = 10_000

BoardArgument = Annotated[str, typer.Argument(metavar="BOARD", help="Identity of the board.")]
BenchOption = Annotated[
    str, typer.Option(metavar="SOCKET", help="Control socket of the bench, as 'harness bench up' prints it.")
]


PortOption = Annotated[
    str | None,
    typer.Option(metavar="PORT", help="Hub port of the USB lab, such as 1-1.2; usually where it was."),
]
NameOption = Annotated[
    list[str] | None,
    typer.Option(metavar="ROLE=TTY", help="Name of an endpoint's tty on USB, console=ttyACM3; repeatable."),
]


class Supply(StrEnum):
    """States of a power switch."""

    ON = "on"
    OFF = "off"


@app.command()
def up(
    *,
    boards: Annotated[
        str, typer.Option(metavar="N|KIND=N,...", help="How many boards, of every kind in turn or by kind.")
    ] = "1",
    directory: Annotated[
        Path | None, typer.Option(help="Where links, socket and log go; removed again if it is new.")
    ] = None,
    shared: Annotated[
        bool,
        typer.Option(
            "--shared",
            help="Open the bench to all users of this host: any of them may then use its boards, control"
            " them and end the bench. Without it only you may.",
        ),
    ] = False,
    usb: Annotated[
        bool,
        typer.Option(
            "--usb",
            help="Plug the boards into a virtual USB lab: for a process with the two variables that are"
            " printed they are attached hardware. Needs umockdev.",
        ),
    ] = False,
) -> None:
    """Keep a bench until Ctrl-C."""
    from harness.virtual.launcher import start_bench

    kinds = choose_kinds(boards, _known_kinds())
    place = directory if directory is not None else _new_directory(shared=shared)
    end_on_signals()
    try:
        with start_bench(place, [(kind, None, {}) for kind in kinds], shared=shared, usb=usb) as bench:
            with _client(str(bench.socket)) as client:
                _print_table(client.boards())
            typer.echo(f"\nThe bench is up. {_how_to_use(bench)}")
            if shared:
                typer.echo("All users of this host may use and control it.")
            typer.echo("Ctrl-C ends it.")
            bench.wait()
            if bench.exit_code != 0:
                raise BenchFault(f"the bench died (exit code {bench.exit_code})")
            typer.echo("The bench was shut down.")
    except KeyboardInterrupt:
        typer.echo("\nThe bench is gone.")


def _how_to_use(bench: RunningBench) -> str:
    if not bench.usb_environment:
        return f"Use it with:  pytest --bench virtual={bench.socket}"
    exports = [f"  export {key}={shlex.quote(value)}" for key, value in bench.usb_environment.items()]
    return "\n".join(
        [
            "Its boards are on a virtual USB lab, for a shell with",
            *exports,
            f"or for one command:  harness bench exec --bench {bench.socket} -- harness boards",
        ]
    )


def _new_directory(*, shared: bool) -> Path:
    """Return a place for the bench; the runtime directory is closed to other users."""
    if not shared:
        return runtime_directory() / f"bench-{os.getpid()}"
    return Path(tempfile.gettempdir()) / f"harness-bench-{secrets.token_hex(4)}"


def _known_kinds() -> list[str]:
    from harness.plugins import load_plugins
    from harness.virtual.bench import join_kinds

    kinds = join_kinds(load_plugins().hook.harness_virtual_boards())
    return sorted(kinds, key=lambda kind: (kinds[kind].only_by_name, kind))


def choose_kinds(text: str, known: Sequence[str]) -> list[str]:
    """Return the kind of each board that ``--boards`` asks for.

    :param text: a number, which takes every known kind in turn, or a number for each kind.
    :param known: the kinds that there are.
    :raises UsageError: malformed, or there is no kind to choose.
    """
    wanted = parse_boards(text)
    if wanted.count is None:
        return [kind for kind, number in wanted.kinds.items() for _ in range(number)]
    if not known:
        raise UsageError(
            "no plugin gives a kind of virtual board",
            key="--boards",
            value=text,
            expected="an installed plugin with harness_virtual_boards",
        )
    return list(islice(cycle(known), wanted.count))


@app.command("list")
def list_boards(*, bench: BenchOption) -> None:
    """List the boards of a bench."""
    with _client(bench) as client:
        _print_table(client.boards())


@app.command()
def unplug(board: BoardArgument, *, bench: BenchOption) -> None:
    """Pull the cable of a board: its ports vanish, its firmware runs on."""
    with _client(bench) as client:
        client.board(board).unplug()


@app.command()
def plug(
    board: BoardArgument, *, bench: BenchOption, port: PortOption = None, name: NameOption = None
) -> None:
    """Plug a board in again and print its ports."""
    with _client(bench) as client:
        client.board(board).plug(port, parse_names(name or []))
        _print_ports(client.board(board).state())


@app.command()
def replug(
    board: BoardArgument, *, bench: BenchOption, port: PortOption = None, name: NameOption = None
) -> None:
    """Pull a board and let it come back under other names; print its ports."""
    with _client(bench) as client:
        client.board(board).replug(port, parse_names(name or []))
        _print_ports(client.board(board).state())


@app.command("exec")
def run_in_lab(
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="What to run.")],
    *,
    bench: BenchOption,
) -> None:
    """Run a command that sees the boards of a bench's USB lab as attached; ends with 0 if it succeeded."""
    with _client(bench) as client:
        lab = client.usb_environment
    if not lab:
        raise UsageError(
            "this bench has no USB lab",
            key="--bench",
            value=bench,
            expected="one of 'harness bench up --usb'",
        )
    raise typer.Exit(run_command(command, {**os.environ, **lab}))


def parse_names(texts: Sequence[str]) -> dict[str, str]:
    """Return names of ttys by role.

    :param texts: values of ``--name``.
    :raises UsageError: malformed.
    """
    names = {}
    for text in texts:
        role, equals, name = text.partition("=")
        if not (role and equals and name):
            raise UsageError(
                "not a name for an endpoint", key="--name", value=text, expected="for example console=ttyACM3"
            )
        names[role] = name.removeprefix("/dev/")
    return names


@app.command()
def power(board: BoardArgument, supply: Supply, *, bench: BenchOption) -> None:
    """Switch the supply of a board; its ports stay."""
    with _client(bench) as client:
        client.board(board).set_power(on=supply is Supply.ON)


@app.command()
def reset(board: BoardArgument, *, bench: BenchOption) -> None:
    """Pulse the reset line of a board."""
    with _client(bench) as client:
        client.board(board).reset()


@app.command()
def hang(
    board: BoardArgument,
    *,
    bench: BenchOption,
    until: Annotated[
        str, typer.Option(help="What ends it: 'reset' (or a power cycle), 'power' alone, or 'never'.")
    ] = "power",
) -> None:
    """Let the firmware of a board stand still, as a board does that a session has to bring back."""
    if until not in ENDS:
        raise UsageError("nothing ends so", key="--until", value=until, expected=" or ".join(ENDS))
    with _client(bench) as client:
        client.board(board).hang(until=until)


def _client(bench: str) -> BenchClient:
    from harness.virtual.client import BenchClient

    # What 'up' prints for pytest is taken as it is, too.
    return BenchClient(bench.removeprefix("virtual="))


def _print_ports(state: BoardState) -> None:
    for role, path in state.ports.items():
        typer.echo(f"{role}  {path}")


def _print_table(states: Iterable[BoardState]) -> None:
    from rich.console import Console
    from rich.table import Table

    states = list(states)
    on_usb = any(state.usb is not None for state in states)
    headings = ("board", "kind", "state", *(["usb"] if on_usb else []), "ports")
    table = Table(*headings, box=None, pad_edge=False)
    for state in states:
        ports = "\n".join(f"{role} {path}" for role, path in state.ports.items()) or "none"
        where = [_on_usb(state)] if on_usb else []
        table.add_row(state.id, state.kind, _condition(state), *where, ports)
    # A pipe has no width: nothing is wrapped there, so that grep finds whole lines.
    Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False).print(table)


def _on_usb(state: BoardState) -> str:
    """Say in words where a board is on USB, and what it calls itself."""
    if state.usb is None:
        return "none"
    return f"{state.usb['serial'] or 'no serial number'} at {state.usb['port'] or 'no port'}"


def _condition(state: BoardState) -> str:
    """Say in words how a board is."""
    words = ["plugged" if state.plugged else "unplugged", "on" if state.powered else "off"]
    if state.hung is not None:
        words.append("hangs for good" if state.hung == NEVER else f"hangs until {state.hung}")
    if state.crashed is not None:
        words.append(f"crashed in {state.crashed}")
    return ", ".join(words)
