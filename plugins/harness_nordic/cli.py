"""``harness nrfcloud``: boards and nRF Cloud by hand."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.by_hand import boards_in_hand, find_boards, settings_by_hand
from harness.errors import HarnessError, UsageError
from harness.files import check_target, write_file
from harness.plugins import load_plugins
from harness_nordic.token_file import MOST_ROWS, file_text, parse_tags

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.inventory.board import Board
    from harness.inventory.leased_board import LeasedBoard
    from harness_nordic.driver import Nrf91Driver

DRIVER = "nrf91"

Bench = Annotated[
    str, typer.Option(help="Which bench: 'attached', or 'virtual=SOCKET' of a bench that runs.")
]
RigOption = Annotated[
    Path | None, typer.Option("--rig", help="The rig file. Default: $HARNESS_RIG, else ./rig.toml.")
]
Wait = Annotated[str, typer.Option(metavar="SECONDS", help="Wait so long while others hold the boards.")]


def make_app() -> typer.Typer:
    """Make the group of commands."""
    app = typer.Typer(help="nRF Cloud and its boards by hand.", rich_markup_mode=None, no_args_is_help=True)
    app.command("enrol")(enrol_boards)
    app.command("tokens")(write_tokens)
    return app


def enrol_boards(
    boards: Annotated[list[str], typer.Argument(metavar="BOARD...", help="Ids of boards.")],
    *,
    control: Annotated[
        Path, typer.Option(help="Control socket of the fake, as 'harness backend serve' prints it.")
    ],
    bench: Bench = "attached",
    rig: RigOption = None,
    wait: Wait = "0",
) -> None:
    """Make boards known to a served fake.

    The identity key of each is recovered from two attestation tokens that it signs; IMEI, device type and
    firmware are what it says of itself.
    """
    from harness.backends.contract import Backend
    from harness_nordic.client import enrol
    from harness_nordic.enums import DeviceType
    from harness_nordic.introduction import recovered_record

    if not control.is_socket():
        raise UsageError("no control socket", file=control, key="--control", expected="that of a served fake")
    backend = Backend(name="nrfcloud", mode="url", url="http://fake", control=str(control))
    known = {int(kind): kind.name for kind in DeviceType}
    with _leased(boards, bench=bench, rig=rig, wait=wait) as leased:
        for board in leased:
            with _driver_of(board) as driver:
                record = recovered_record(driver)
            enrol(backend, record)
            typer.echo(
                f"{board.id}: key recovered from its signatures and enrolled: device {record['uuid']},"
                f" IMEI {record['imei']}, type {known.get(record['device_type'], record['device_type'])},"
                f" firmware {record['firmware_uuid']}"
            )


def write_tokens(
    boards: Annotated[list[str] | None, typer.Argument(metavar="[BOARD...]", help="Ids of boards.")] = None,
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write; only you can read it.")],
    every: Annotated[bool, typer.Option("--all", help="Every nRF91 board of the bench.")] = False,
    tags: Annotated[str, typer.Option(help="Tags for all of them, separated by commas.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    bench: Bench = "attached",
    rig: RigOption = None,
    wait: Wait = "0",
) -> None:
    """Write a fresh attestation token of each board to a file for claiming them all at once (CSV).

    Whoever has a token can claim the board: it is written to that file and nowhere else.
    """
    if bool(boards) == every:
        raise UsageError("which boards?", key="BOARD", expected="ids of boards, or --all")
    wanted_tags = parse_tags(tags)
    check_target(output, force=force)
    tokens: list[str] = []
    with _leased(boards, bench=bench, rig=rig, wait=wait, most=MOST_ROWS) as leased:
        for board in leased:
            with _driver_of(board) as driver:
                tokens.append(driver.attestation_token())
    write_file(output, file_text(tokens, wanted_tags).encode("ascii"), force=force, private=True)
    typer.echo(f"{output}: {len(tokens)} token{'' if len(tokens) == 1 else 's'}, readable by you alone")


@contextmanager
def _leased(
    names: Sequence[str] | None, *, bench: str, rig: Path | None, wait: str, most: int | None = None
) -> Iterator[list[LeasedBoard]]:
    """Lease boards until the block ends.

    :param names: ids of boards; ``None``: every nRF91 board.
    :param most: more boards than this are refused.
    """
    plugins = load_plugins()
    with ExitStack() as resources:
        settings = resources.enter_context(settings_by_hand(plugins, bench, rig))
        boards = _choose(find_boards(plugins, settings), names, bench)
        if most is not None and len(boards) > most:
            raise UsageError(
                "too many boards for one file", key="--all", value=len(boards), expected=f"at most {most}"
            )
        yield resources.enter_context(
            boards_in_hand(plugins, boards, settings, wait=wait, purpose="harness nrfcloud")
        )


@contextmanager
def _driver_of(board: LeasedBoard) -> Iterator[Nrf91Driver]:
    """Drive a board; afterwards it is as it was before, and closed."""
    try:
        driver: Nrf91Driver = board.driver
        try:
            yield driver
        except BaseException:
            with suppress(HarnessError):  # what went wrong first is what is told
                driver.restore()
            raise
        driver.restore()
    finally:
        board.close()


def _choose(found: Sequence[Board], names: Sequence[str] | None, bench: str) -> list[Board]:
    fitting = {board.id: board for board in found if board.driver == DRIVER}
    if not names:
        if not fitting:
            raise UsageError("no nRF91 board is here", key="--bench", value=bench)
        return list(fitting.values())
    for name in names:
        if name not in fitting:
            raise UsageError(
                "no such nRF91 board", key="BOARD", value=name, expected=" or ".join(fitting) or "a board"
            )
    return [fitting[name] for name in dict.fromkeys(names)]
