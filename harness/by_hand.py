"""Boards and services in somebody's hand: found, leased and opened for one command, ours or a vendor's."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from harness.config import Settings, is_service_address, parse_bench, parse_seconds
from harness.errors import LeaseBusy, RigFault, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.inventory.attached import Survey
    from harness.inventory.board import Board
    from harness.inventory.leased_board import LeasedBoard
    from harness.inventory.leases import Leases
    from harness.plugins import HarnessPluginManager
    from harness.rig import Rig


def load_rig_and_plugins(plugins: HarnessPluginManager, named: Path | None) -> Rig | None:
    """Read the rig file that counts and load the plugins that it names.

    :param plugins: the loaded plugins, to which those of the file are added.
    :param named: the file that an option names.
    :return: the rig, or ``None`` when there is no file.
    :raises UsageError: the file or a plugin does not fit.
    """
    from harness.rig import find_rig

    rig = find_rig(named, [Path.cwd()])
    if rig is not None:
        plugins.load_modules(rig.plugins, source=rig.file)
    return rig


@contextmanager
def settings_by_hand(plugins: HarnessPluginManager, bench: str, rig: Path | None) -> Iterator[Settings]:
    """Read on what a command is to work; the rig file is in force until the block ends.

    :param plugins: the loaded plugins, to which those of the rig file are added.
    :param bench: which bench, as ``--bench`` takes it.
    :param rig: the rig file that an option names.
    :raises UsageError: no such bench, a virtual one without its socket, or the rig file does not fit.
    """
    choice = parse_bench(bench)
    if choice is not None and choice.kind == "virtual" and choice.socket is None:
        raise UsageError(
            "which virtual bench?",
            key="--bench",
            value=bench,
            expected="virtual=SOCKET, the socket that 'harness bench up' prints",
        )
    found = load_rig_and_plugins(plugins, rig)
    with ExitStack() as resources:
        if found is not None:
            resources.enter_context(found.in_force())
        yield Settings(bench=choice, rig=found)


def find_boards(plugins: HarnessPluginManager, settings: Settings) -> list[Board]:
    """Ask every plugin for its boards.

    :param plugins: the loaded plugins.
    :param settings: say which bench.
    :return: the boards that are there, in identity order.
    :raises UsageError: a profile or the rig file does not fit.
    :raises RigFault: the bench does not answer.
    """
    found = plugins.hook.harness_discover_boards(settings=settings)
    return sorted((board for boards in found for board in boards), key=lambda board: board.id)


def find_board(plugins: HarnessPluginManager, settings: Settings, board_id: str) -> Board:
    """Return the board of a name.

    Where only asking tells which board it is, the boards that may be it are leased for a moment and asked.

    :param plugins: the loaded plugins.
    :param settings: say which bench.
    :param board_id: its name.
    :raises UsageError: it is not there.
    :raises RigFault: the bench does not answer, or the board does not say that it is the one.
    """
    boards = {board.id: board for board in find_boards(plugins, settings)}
    found = boards.get(board_id)
    # What a name of the rig file or of a serial number says, or a place does, is not asked about.
    if found is not None and (found.virtual or found.identity is None):
        return found
    asked = _ask_who_is(board_id, boards, plugins, settings)
    if asked is not None:
        return asked
    survey = survey_of(plugins, settings)
    for absent in survey.absent if survey is not None else ():
        if absent.board.id == board_id:
            raise UsageError(
                f"this board is absent: {absent.reason}",
                key="BOARD",
                value=board_id,
                expected="it plugged in and switched on",
            )
    from harness.toml_files import nearest

    raise UsageError(
        "no such board here",
        key="BOARD",
        value=board_id,
        expected=nearest(board_id, boards) or "a board that 'harness boards' lists",
    )


def _ask_who_is(
    board_id: str, boards: Mapping[str, Board], plugins: HarnessPluginManager, settings: Settings
) -> Board | None:
    """Return the board that says that it is the one of a name; ``None`` when none does.

    :raises RigFault: the board that seems to be it does not say so.
    """
    from harness.inventory.confirmation import Confirmation, find_by_name, in_doubt
    from harness.inventory.leases import Leases
    from harness.session_directory import new_run_id

    if not any(in_doubt(board) for board in boards.values()):
        return None
    likely = boards.get(board_id)
    entries = settings.rig.boards if settings.rig is not None else ()
    by_serial = any(entry.usb_serial is not None for entry in entries if entry.name == board_id)
    by_serial = by_serial and likely is not None and not likely.ambiguous
    with Leases(new_run_id()) as leases:
        confirmation = Confirmation(plugins=plugins, rig=settings.rig, leases=leases)
        try:
            found = find_by_name({board_id}, boards.values(), confirmation, deadline=0).get(board_id)
        except LeaseBusy:
            if not by_serial:
                raise
            return likely  # it is waited for when it is leased; its serial number is its own
        for note in confirmation.result.notes if found is not None else ():
            tell(note)
    refused = {board.id: reason for board, reason in confirmation.result.refused}
    if found is not None or likely is None or board_id not in refused:
        return found
    if not by_serial:
        raise RigFault(f"board {board_id} cannot be told from others: {refused[board_id]}")
    tell(f"WARNING: board {board_id} is known by its USB serial number alone: {refused[board_id]}")
    return likely


def survey_of(plugins: HarnessPluginManager, settings: Settings) -> Survey | None:
    """Look for what discovery does not tell: absent boards, ports of nobody; ``None`` on a virtual bench."""
    if settings.bench is not None and settings.bench.kind == "virtual":
        return None
    from harness.inventory.builtin import survey

    return survey(plugins, settings.rig)


@contextmanager
def lease_by_hand(boards: Sequence[Board], *, wait: str, purpose: str) -> Iterator[Leases]:
    """Hold boards until the block ends.

    :param boards: the boards.
    :param wait: seconds to wait while somebody else holds it, as the option says.
    :param purpose: what others read in the place of a test.
    :raises LeaseBusy: somebody else still holds one; the message says who.
    """
    from harness.inventory.leases import Leases
    from harness.session_directory import new_run_id

    deadline = parse_seconds("--wait", wait)
    with Leases(new_run_id(), tell=tell) as leases:
        leases.take(boards, deadline=deadline)
        for warning in leases.warnings:
            tell(f"WARNING: {warning}")
        for board in boards:
            leases.note_test(board.id, purpose)
        yield leases


@contextmanager
def boards_in_hand(
    plugins: HarnessPluginManager, boards: Sequence[Board], settings: Settings, *, wait: str, purpose: str
) -> Iterator[list[LeasedBoard]]:
    """Hold boards and be able to open them, until the block ends.

    :param plugins: the loaded plugins.
    :param boards: the boards.
    :param settings: say what may be done with them.
    :param wait: see :func:`lease_by_hand`.
    :param purpose: see :func:`lease_by_hand`.
    :raises LeaseBusy: somebody else still holds one; the message says who.
    """
    from harness.inventory.leased_board import LeasedBoard

    with lease_by_hand(boards, wait=wait, purpose=purpose), ExitStack() as resources:
        leased = [
            LeasedBoard(board, plugins, capture_directory=None, settings=settings.for_boards)
            for board in boards
        ]
        for board in leased:
            resources.callback(board.close)
        yield leased


def tell(line: str) -> None:
    """Say something that is no output of the command."""
    sys.stderr.write(f"harness: {line}\n")
    sys.stderr.flush()


def service_address(url: str, variable: str) -> str:
    """Return the address of a service that a person names, without a slash at its end.

    :param url: as ``--url`` takes it; empty when nobody named one.
    :param variable: of the environment, which may name it too.
    :raises UsageError: it is none.
    """
    if not is_service_address(url):
        raise UsageError(
            "no address of a service",
            key="--url",
            value=url or None,
            expected=f"http://... or https://..., also as {variable} in the environment",
        )
    return url.rstrip("/")
