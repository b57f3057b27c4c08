"""``harness boards --write``: from the boards that are plugged in to a rig file that says so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import typer

from harness.by_hand import tell
from harness.cli.boards_now import ask_free_boards
from harness.cli.boards_table import stranger_lines
from harness.errors import UsageError
from harness.inventory.board import USB_LOCATION, USB_SERIAL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.cli.boards_now import Asked
    from harness.inventory.attached import Survey
    from harness.inventory.board import Board
    from harness.inventory.profiles import Profile
    from harness.inventory.rig_writing import FoundBoard, Merge
    from harness.plugins import HarnessPluginManager
    from harness.rig import Rig


@dataclass(frozen=True, slots=True, kw_only=True)
class _Findings:
    """What may be written.

    :ivar boards: the boards of which it is known who they are.
    :ivar identities: who was asked and what it said, by place.
    :ivar left_out: why other boards cannot be written, by name.
    :ivar survey: what is attached.
    """

    boards: list[FoundBoard]
    identities: Mapping[str, str]
    left_out: Mapping[str, str]
    survey: Survey


def write(plugins: HarnessPluginManager, rig: Rig | None, file: Path, *, dry_run: bool) -> None:
    """Ask the boards that are free, and put what is known of all into a rig file.

    :param plugins: the loaded plugins.
    :param rig: what the file says now, if it exists.
    :param file: the file.
    :param dry_run: show what would change, and change nothing.
    :raises UsageError: the file cannot be written, or would not load.
    :raises typer.Exit: with 1, when a board was left out.
    """
    from harness.inventory.rig_writing import check_text, merge, read_rig_text, write_rig

    before = read_rig_text(file)
    found = _find(plugins, rig)
    merged = merge(before, found.boards, file=file)
    if merged.text:
        check_text(merged.text, file, lambda new: _all_are_found(plugins, new, merged, found.identities))
    if dry_run:
        typer.echo(merged.diff(str(file)), nl=False)
    elif merged.text != merged.before:
        write_rig(file, merged)
    _report(file, merged, found, dry_run=dry_run)
    if found.left_out:
        raise typer.Exit(1)


def _find(plugins: HarnessPluginManager, rig: Rig | None) -> _Findings:
    from harness.inventory.builtin import known_profiles, survey
    from harness.inventory.identity import confirm, identities_of

    attached = survey(plugins, rig)
    asked = ask_free_boards(plugins, attached.boards)
    # Which entry of the file each one is, the merge decides by what they said.
    confirmed = confirm(asked.answers, None)
    left_out = {}
    boards = {board.id: board for board in confirmed.boards}
    for board, reason in confirmed.refused:
        silent = board.id in {answer.board.id for answer in asked.answers if answer.identity is None}
        if silent and not board.ambiguous:
            boards[board.id] = board
            tell(f"board {board.id} is written by its USB serial number alone: {reason}")
        else:
            left_out[board.id] = reason
    for board in attached.boards:
        if board.id in asked.busy:
            _take_busy(board, asked, boards, left_out)
    for note in confirm([answer for answer in asked.answers if answer.board.ambiguous], None).notes:
        tell(note)
    profiles = known_profiles(plugins)
    return _Findings(
        boards=[_found(boards[name], profiles) for name in sorted(boards)],
        identities=identities_of(asked.answers),
        left_out=left_out,
        survey=attached,
    )


def _take_busy(board: Board, asked: Asked, boards: dict[str, Board], left_out: dict[str, str]) -> None:
    """Take a board that could not be asked, where its serial number tells who it is."""
    reason = f"it was not asked: {asked.busy[board.id]}"
    if board.ambiguous:
        left_out[board.id] = reason
    else:
        boards[board.id] = replace(board, identity=None)
        tell(f"board {board.id} is written by its USB serial number alone: {reason}")


def _found(board: Board, profiles: Mapping[str, Profile]) -> FoundBoard:
    from harness.inventory.rig_writing import FoundBoard

    usual = {role: one.interface for role, one in profiles[board.kind].endpoints.items()}
    interfaces = {
        role: board.ports[endpoint.url]
        for role, endpoint in board.endpoints.items()
        if board.ports.get(endpoint.url) not in {None, usual.get(role)}
    }
    return FoundBoard(
        id=board.id,
        title=board.properties.get("title", board.kind),
        profile=board.kind,
        usb_serial=board.properties.get(USB_SERIAL),
        location=board.properties.get(USB_LOCATION),
        identity=board.identity if board.confirmed else None,
        ambiguous=board.ambiguous,
        interfaces=interfaces,
    )


def _all_are_found(
    plugins: HarnessPluginManager, rig: Rig, merged: Merge, identities: Mapping[str, str]
) -> None:
    """Check that each board that is here is found by the new text, under the name that it has there.

    :raises UsageError: one is not.
    """
    from harness.inventory.builtin import survey
    from harness.inventory.rig_writing import Standing

    there = {board.id for board in survey(plugins, rig, identities).boards}
    for line in merged.lines:
        if line.standing is not Standing.ABSENT and line.name not in there:
            raise UsageError(
                f"board {line.name} would not be found by it", file=rig.file, expected="it to be there"
            )


def _report(file: Path, merged: Merge, found: _Findings, *, dry_run: bool) -> None:
    for line in merged.lines:
        typer.echo(str(line))
    for text in stranger_lines(found.survey):
        typer.echo(text)
    for doubt in merged.doubts:
        tell(doubt)
    for name, reason in sorted(found.left_out.items()):
        tell(f"board {name} is not written: {reason}")
    if not merged.lines:
        tell(f"no board was found; {file} is not written")
    elif merged.text == merged.before:
        tell(f"{file} is up to date")
    elif dry_run:
        tell(f"{file} is not written (--dry-run)")
    else:
        tell(f"{file} is written; look at it: harness rig check {file}")
