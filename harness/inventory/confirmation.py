"""Boards in the hands of one session, each confirmed to be the one that it is taken for.

Boards are leased first and asked then, so that nobody's session is disturbed. What was found out stays with
the lease: its name, and of boards that share a serial number a second lease by who they are.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.errors import LeaseBusy
from harness.inventory.identity import ASK_SECONDS, Confirmed, ask_boards, confirm, identities_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from harness.inventory.board import Board
    from harness.inventory.identity import Answer
    from harness.inventory.leases import Leases
    from harness.plugins import HarnessPluginManager
    from harness.rig import Rig


def in_doubt(board: Board) -> bool:
    """Tell whether a board may turn out to be another one when it is asked.

    :param board: as discovery found it.
    """
    return not board.virtual and not board.confirmed and (board.ambiguous or board.identity is not None)


@dataclass(slots=True, kw_only=True)
class Confirmation:
    """Asks the boards of one session, and keeps what they said.

    Which board is which follows from all that was said: of two that were swapped both have to be asked. So
    the leases keep their provisional names until :meth:`settle`.

    :ivar plugins: who knows how to ask.
    :ivar rig: the rig file, if there is one.
    :ivar leases: the leases of the boards.
    :ivar seconds: how long each port of a board may take to answer.
    :ivar objection: says why a board is not to be used, now that it is known who it is; ``None``: it may be.
    :ivar revive: takes a board from which nothing comes, and why it did not say who it is; returns what
        brought it back and the board as it is found now, or ``None``.
    :ivar result: what follows from what was said so far.
    """

    plugins: HarnessPluginManager
    rig: Rig | None
    leases: Leases
    seconds: float = ASK_SECONDS
    objection: Callable[[Board], str | None] = lambda _board: None
    revive: Callable[[Board, str], tuple[str, Board] | None] = lambda _board, _problem: None
    result: Confirmed = field(default_factory=lambda: Confirmed(boards=(), was={}))
    _answers: list[Answer] = field(default_factory=list)
    _revived: list[str] = field(default_factory=list)

    def ask(self, boards: Iterable[Board]) -> Confirmed:
        """Ask more boards, and see who all of them are.

        :param boards: boards that are leased by us, and were not asked yet.
        :return: what follows from all that was said so far.
        :raises UsageError: a board says that it is another one than the rig file has it.
        """
        from harness.inventory.builtin import survey

        answers = ask_boards(list(boards), self.plugins, seconds=self.seconds)
        self._answers += [self._ask_once_more(answer) if answer.silent else answer for answer in answers]
        identities = identities_of(self._answers)
        known = survey(self.plugins, self.rig, identities) if identities or self.rig is not None else None
        result = self._heed_objections(confirm(self._answers, known))
        self.result = replace(result, notes=(*result.notes, *self._revived))
        return self.result

    def _ask_once_more(self, answer: Answer) -> Answer:
        """Ask a board again from which nothing came, if it can be brought back."""
        revived = self.revive(answer.board, answer.problem or "")
        if revived is None:
            return answer
        by, board = revived
        self._revived.append(f"board {board.id} did not answer, and was brought back by {by}")
        return ask_boards([board], self.plugins, seconds=self.seconds)[0]

    def _heed_objections(self, found: Confirmed) -> Confirmed:
        """Refuse boards of which it was not known before that they are not to be used."""
        objections = {board.id: self.objection(board) for board in found.boards}
        refused = [
            (found.was[board.id], text)
            for board in found.boards
            if (text := objections[board.id]) is not None
        ]
        boards = tuple(board for board in found.boards if objections[board.id] is None)
        return replace(found, boards=boards, refused=(*found.refused, *refused)) if refused else found

    def settle(self, chosen: Iterable[Board]) -> tuple[Board, ...]:
        """Keep the leases of some of the boards, under the names that they have, and give back the others.

        :param chosen: the boards to keep, of those in :attr:`result`.
        :return: the boards that are kept; one that another session knows by its identity is refused.
        """
        boards = tuple(chosen)
        kept = {self.result.was[board.id].id: board for board in boards}
        for answer in self._answers:
            if answer.board.id not in kept:
                self.leases.release(answer.board)
        busy = self.leases.confirm(kept)
        lost = {board.id for board, _ in busy}
        self.result = replace(
            self.result,
            boards=tuple(board for board in boards if board.id not in lost),
            refused=(*self.result.refused, *busy),
        )
        return self.result.boards


def find_by_name(
    names: Collection[str],
    found: Iterable[Board],
    confirmation: Confirmation,
    *,
    deadline: float,
    may_be: Callable[[Board], bool] = in_doubt,
) -> dict[str, Board]:
    """Find boards of which asking tells whether they are the ones that are named.

    Those that seem to be are leased and asked first. Only when one of them is another board, the free ones
    of the rest that may be it are asked, too. All that were asked stay leased until the confirmation is
    settled.

    :param names: names of boards, or who they are.
    :param found: the boards that discovery found.
    :param confirmation: asks.
    :param deadline: seconds to wait for the boards that seem to be those that are named.
    :param may_be: tells whether a board may be another one than it seems.
    :return: the boards that were found, by name.
    :raises LeaseBusy: one that seems to be named is held by somebody else when the deadline passes.
    :raises UsageError: a board says that it is another one than the rig file has it.
    """
    boards = {board.id: board for board in found}
    likely = [boards[name] for name in sorted(names) if name in boards]
    if likely:
        confirmation.leases.take(likely, deadline=deadline)
        confirmation.ask(likely)
    if not set(names) <= _by_name(confirmation).keys():
        others = [board for name, board in sorted(boards.items()) if name not in names and may_be(board)]
        confirmation.ask(take_what_is_free(others, confirmation.leases))
    return {name: board for name, board in _by_name(confirmation).items() if name in names}


def _by_name(confirmation: Confirmation) -> dict[str, Board]:
    """Return the boards that may be used by what they are called, and by who they say they are."""
    boards = confirmation.result.boards
    said = {board.identity: board for board in boards if board.identity is not None and board.confirmed}
    return said | {board.id: board for board in boards}


def take_what_is_free(boards: Iterable[Board], leases: Leases) -> list[Board]:
    """Lease what nobody else has leased.

    :param boards: the boards.
    :param leases: takes them.
    :return: those that were free.
    """
    taken = []
    for board in boards:
        with suppress(LeaseBusy):
            leases.take([board], deadline=0)
            taken.append(board)
    return taken
