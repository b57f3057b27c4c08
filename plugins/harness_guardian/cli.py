"""``harness guardian``: a technician's provisioning of components that do not reach Guardian themselves.

A request is carried from the board to the service in a file, and the certified profile back to the board in
another one (guardian fact sheet, sections 1.1 and 10.6; seed 'Manage device provisioning').
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.errors import UsageError
from harness.files import check_target, write_file
from harness_guardian.cli_files import read_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.inventory.board import Board
    from harness_guardian.driver import GuardianComponentDriver

DRIVER = "guardian-component"

BoardOption = Annotated[
    str, typer.Option("--board", metavar="BOARD", help="Id of the board. Default: the only one there is.")
]
Bench = Annotated[
    str, typer.Option(help="Which bench: 'attached', or 'virtual=SOCKET' of a bench that runs.")
]
RigOption = Annotated[
    Path | None, typer.Option("--rig", help="The rig file. Default: $HARNESS_RIG, else ./rig.toml.")
]
Wait = Annotated[str, typer.Option(metavar="SECONDS", help="Wait so long while others hold the board.")]
Output = Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The file to write.")]
Force = Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")]


def make_app() -> typer.Typer:
    """Make the group of commands."""
    from harness_guardian import cli_service

    app = typer.Typer(
        help="Guardian and its components by hand: provisioning without a connection.",
        rich_markup_mode=None,
        no_args_is_help=True,
    )
    app.command("init")(initialize)
    app.command("request")(write_request)
    cli_service.add_to(app)
    app.command("install")(install)
    app.command("status")(show_status)
    return app


def initialize(
    *,
    package: Annotated[
        Path, typer.Option(metavar="FILE", help="The provisioning package of the system; a secret.")
    ],
    component: Annotated[str, typer.Option(help="Name of the component in the system's definition.")],
    hw_id: Annotated[str, typer.Option("--hw-id", help="Hardware id of the device, for example its serial.")],
    instance: Annotated[
        str, typer.Option(metavar="ID", help="System instance. Default: that of the package.")
    ] = "",
    board: BoardOption = "",
    bench: Bench = "attached",
    rig: RigOption = None,
    wait: Wait = "0",
) -> None:
    """Put the provisioning package onto a board, and tell it which component and which device it is.

    Keys and certificates that the board has stay.
    """
    content = read_file(package)
    with _component(board, bench=bench, rig=rig, wait=wait) as driver:
        driver.install_package(content)
        driver.initialize(component, hw_id, instance or None)
        typer.echo(f"{driver.board_id}: component {component}, hardware id {hw_id}; next: request")


def write_request(  # noqa: PLR0913 - each is an option of the command
    *,
    output: Output,
    reprovision: Annotated[
        bool, typer.Option("--reprovision", help="Sign it by the device's identity, not by the package key.")
    ] = False,
    source: Annotated[str, typer.Option(help="Which Guardian it is for: Cloud or Appliance.")] = "",
    form: Annotated[str, typer.Option("--format", help="How it is written: jws or cose.")] = "jws",
    force: Force = False,
    board: BoardOption = "",
    bench: Bench = "attached",
    rig: RigOption = None,
    wait: Wait = "0",
) -> None:
    """Have a board make its keys and a provisioning request, and write that to a file (.mcpr).

    The keys stay on the board. Keep the file until the device is provisioned: its keys belong to it.
    """
    _check_choice("--source", source, ("", "Cloud", "Appliance"))
    _check_choice("--format", form, ("jws", "cose"))
    check_target(output, force=force)
    with _component(board, bench=bench, rig=rig, wait=wait) as driver:
        made = driver.make_request(reprovision, source or None, form)
    write_file(output, made.content, force=force)
    typer.echo(f"{output}: request {made.request_id}; next: submit")


def install(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The certified profile (.mccp).")],
    *,
    board: BoardOption = "",
    bench: Bench = "attached",
    rig: RigOption = None,
    wait: Wait = "0",
) -> None:
    """Install a certified profile on the board that made its request.

    The board checks it; what it had before stays when it does not accept it.
    """
    content = read_file(file)
    with _component(board, bench=bench, rig=rig, wait=wait) as driver:
        driver.install(content)
        installed = driver.certificates()
        typer.echo(f"{driver.board_id}: provisioned, with a certificate in {', '.join(sorted(installed))}")


def show_status(
    *,
    board: BoardOption = "",
    bench: Bench = "attached",
    rig: RigOption = None,
    wait: Wait = "0",
) -> None:
    """Show who a board is, how its agent is, and what it has installed."""
    with _component(board, bench=bench, rig=rig, wait=wait) as driver:
        status, installed = driver.status(), driver.certificates()
        typer.echo(f"board: {driver.board_id}")
        for name in ("state", "system", "instance", "component", "hw_id", "request_id", "response_id"):
            typer.echo(f"{name}: {getattr(status, name) or '-'}")
        for slot, certificate in sorted(installed.items()):
            typer.echo(f"certificate {slot}: serial {certificate.serial}, SHA-256 {certificate.sha256}")


@contextmanager
def _component(name: str, *, bench: str, rig: Path | None, wait: str) -> Iterator[GuardianComponentDriver]:
    """Hold a component until the block ends; what is changed on it is meant and stays."""
    from harness.by_hand import boards_in_hand, find_boards, settings_by_hand
    from harness.plugins import load_plugins

    plugins = load_plugins()
    with ExitStack() as resources:
        settings = resources.enter_context(settings_by_hand(plugins, bench, rig))
        chosen = _choose([one for one in find_boards(plugins, settings) if one.driver == DRIVER], name, bench)
        (board,) = resources.enter_context(
            boards_in_hand(
                plugins,
                [chosen],
                replace(settings, allow_destructive=True),
                wait=wait,
                purpose="harness guardian",
            )
        )
        yield board.driver


def _choose(found: list[Board], name: str, bench: str) -> Board:
    """Return the component that is meant.

    :raises UsageError: there is no such one, or nobody says which of several.
    """
    known = {board.id: board for board in found}
    if name in known:
        return known[name]
    if not known:
        raise UsageError("no Guardian component is here", key="--bench", value=bench)
    if name or len(known) > 1:
        raise UsageError(
            "no such Guardian component" if name else "which of the components?",
            key="--board",
            value=name or None,
            expected=" or ".join(sorted(known)),
        )
    return next(iter(known.values()))


def _check_choice(option: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError(
            "no such choice", key=option, value=value, expected=" or ".join(filter(None, choices))
        )
