"""The markers ``board``, ``backend`` and ``proves``: their arguments, checked and typed."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from harness.errors import UsageError
from harness.inventory.board import DESTRUCTIVE
from harness.scheduling.needs import BoardNeed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pytest

    from harness.inventory.board import Board

BOARD = "board"
BACKEND = "backend"
PROVES = "proves"
_BOARD_ARGUMENTS = ("driver", "kind", "needs", "each", "destructive")
_BACKEND_ARGUMENTS = ("name", "needs")


@dataclass(frozen=True, slots=True)
class EachBoard:
    """The parameter of one run of a test that runs on each board, or on a board of each kind."""

    board_id: str | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardMark:
    """What the ``board`` markers of a test say together.

    :ivar each: whether the test is to run on each board, or on one board of each kind.
    """

    need: BoardNeed
    each: Literal["board", "kind"] | None = None

    def parameters(self, boards: Sequence[Board]) -> list[EachBoard]:
        """Return the parameters of a test that runs on each; the same in every process."""
        fitting = self.need.fitting(boards)
        if self.each == "board":
            return [EachBoard(board_id=board.id) for board in fitting]
        return [EachBoard(kind=kind) for kind in sorted({board.kind for board in fitting})]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendMark:
    """What one ``backend`` marker says.

    :ivar name: the backend meant; ``None`` for each that the test uses.
    """

    name: str | None
    needs: frozenset[str]


def read_board_marks(marks: Iterable[pytest.Mark], test: str) -> BoardMark:
    """Put the ``board`` markers of a test together: capabilities add up, of the rest the nearest counts.

    ``destructive=True`` asks for the capability of that name, and like every capability is never taken back.

    :param marks: the markers, nearest first.
    :param test: id of the test, for messages.
    :raises UsageError: unknown or unfit arguments.
    """
    nearest: dict[str, Any] = {}
    capabilities: frozenset[str] = frozenset()
    for mark in marks:
        if mark.args:
            expected = "arguments by name: " + ", ".join(_BOARD_ARGUMENTS)
            raise UsageError("unnamed argument", file=test, key=BOARD, value=mark.args[0], expected=expected)
        _refuse_unknown(mark, _BOARD_ARGUMENTS, test)
        capabilities |= _names(mark, "needs", test)
        if _flag(mark, "destructive", test):
            capabilities |= {DESTRUCTIVE}
        for key in ("driver", "kind", "each"):
            if key in mark.kwargs:
                nearest.setdefault(key, _text(mark, key, test))
    each = nearest.get("each")
    if each not in {None, "board", "kind"}:
        raise UsageError("unknown", file=test, key=f"{BOARD}(each=)", value=each, expected="board or kind")
    need = BoardNeed(driver=nearest.get("driver"), kind=nearest.get("kind"), capabilities=capabilities)
    return BoardMark(need=need, each=each)


def read_backend_mark(mark: pytest.Mark, test: str) -> BackendMark:
    """Read one ``backend`` marker.

    :param test: id of the test, for messages.
    :raises UsageError: unknown or unfit arguments.
    """
    _refuse_unknown(mark, _BACKEND_ARGUMENTS, test)
    named = [*mark.args, *(mark.kwargs[key] for key in ("name",) if key in mark.kwargs)]
    if len(named) > 1 or not all(isinstance(name, str) for name in named):
        raise UsageError(
            "malformed marker", file=test, key=BACKEND, value=named, expected="at most one NAME, a text"
        )
    return BackendMark(name=named[0] if named else None, needs=_names(mark, "needs", test))


def read_proves_mark(mark: pytest.Mark, test: str) -> tuple[str, str]:
    """Read one ``proves`` marker.

    :param test: id of the test, for messages.
    :return: operation and outcome.
    :raises UsageError: anything but two texts.
    """
    names = ("operation", "outcome")
    _refuse_unknown(mark, names, test)
    values = [*mark.args, *mark.kwargs.values()]
    fits = set(names[: len(mark.args)]).isdisjoint(mark.kwargs) and len(values) == len(names)
    if not fits or not all(isinstance(value, str) and value.strip() for value in values):
        raise UsageError(
            "malformed marker",
            file=test,
            key=PROVES,
            value=", ".join([*map(repr, mark.args), *(f"{k}={v!r}" for k, v in mark.kwargs.items())]),
            expected='@pytest.mark.proves("operation", "outcome"), both texts',
        )
    named = {**dict(zip(names, mark.args, strict=False)), **mark.kwargs}
    return named["operation"].strip(), named["outcome"].strip()


def _refuse_unknown(mark: pytest.Mark, known: Sequence[str], test: str) -> None:
    for key in mark.kwargs:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0)[0]
            raise UsageError(
                f"the marker has no argument {key!r}",
                file=test,
                key=mark.name,
                expected=f"{', '.join(known)}; the nearest is {near!r}",
            )


def _text(mark: pytest.Mark, key: str, test: str) -> str:
    value = mark.kwargs[key]
    if not isinstance(value, str):
        raise UsageError("not a text", file=test, key=f"{mark.name}({key}=)", value=value, expected="a text")
    return value


def _flag(mark: pytest.Mark, key: str, test: str) -> bool:
    value = mark.kwargs.get(key, False)
    if not isinstance(value, bool):
        raise UsageError(
            "not a truth value", file=test, key=f"{mark.name}({key}=)", value=value, expected="True or False"
        )
    return value


def _names(mark: pytest.Mark, key: str, test: str) -> frozenset[str]:
    value = mark.kwargs.get(key, frozenset())
    if isinstance(value, set | frozenset | list | tuple) and all(isinstance(name, str) for name in value):
        return frozenset(value)
    raise UsageError(
        "not a set of capabilities",
        file=test,
        key=f"{mark.name}({key}=)",
        value=value,
        expected='a set of texts, for example {"attestation"}',
    )
