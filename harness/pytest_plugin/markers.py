"""The markers ``board``, ``keep_together``, ``backend`` and ``proves``: their arguments, checked."""

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
KEEP_TOGETHER = "keep_together"
_BOARD_ARGUMENTS = ("driver", "kind", "needs", "each", "destructive", "count")
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
    :ivar count: how many boards it takes at once; ``None`` when no marker says so.
    """

    need: BoardNeed
    each: Literal["board", "kind"] | None = None
    count: int | None = None

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
        if "count" in mark.kwargs:
            nearest.setdefault("count", _number(mark, "count", test))
    each, count = nearest.get("each"), nearest.get("count")
    if each not in {None, "board", "kind"}:
        raise UsageError("unknown", file=test, key=f"{BOARD}(each=)", value=each, expected="board or kind")
    if each is not None and count is not None:
        raise UsageError(
            f"does not go with each={each!r}",
            file=test,
            key=f"{BOARD}(count=)",
            value=count,
            expected="one of the two",
        )
    need = BoardNeed(driver=nearest.get("driver"), kind=nearest.get("kind"), capabilities=capabilities)
    return BoardMark(need=need, each=each, count=count)


def read_keep_together_mark(mark: pytest.Mark, test: str) -> str | None:
    """Read one ``keep_together`` marker.

    :param test: id of the test, for messages.
    :return: name of the group; ``None`` when those are meant that the marker is on.
    :raises UsageError: unknown or unfit arguments.
    """
    _refuse_unknown(mark, ("name",), test)
    named = [*mark.args, *mark.kwargs.values()]
    if len(named) > 1 or not all(isinstance(name, str) and name.strip() for name in named):
        raise UsageError(
            "malformed marker",
            file=test,
            key=KEEP_TOGETHER,
            value=", ".join(map(repr, named)),
            expected="at most one NAME, a text",
        )
    return named[0].strip() if named else None


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


def _number(mark: pytest.Mark, key: str, test: str) -> int:
    value = mark.kwargs[key]
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise UsageError(
            "not a number of boards",
            file=test,
            key=f"{mark.name}({key}=)",
            value=value,
            expected="a whole number, 1 or more",
        )
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
