"""What controller and workers hand to each other: plain data in ``workerinput`` and in files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.backends.contract import Backend
from harness.inventory.board import Board
from harness.scheduling.needs import BoardNeed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WORKERINPUT_KEY = "harness"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What the controller hands to a worker of xdist when it is configured.

    :ivar run_id: id of the whole run.
    :ivar directory: the session's directory; the lifeline is in it.
    :ivar boards: every board that the session had when its tests were collected: it decides what is.
    :ivar own_board: the worker's board, as it is known now; ``None`` for a worker without one.
    :ivar backends: the services in use.
    :ivar secrets: by which workers tell each other and the controller what they register as a secret.
    :ivar replaces: id of the first worker that had this place, when this one replaces it.
    :ivar watched: whether boards may come and go, so that tests may be revoked.
    """

    run_id: str
    directory: Path
    boards: tuple[Board, ...]
    own_board: Board | None
    backends: tuple[Backend, ...]
    secrets: str
    replaces: str | None = None
    watched: bool = False

    def to_json(self) -> str:
        """Return text from which :meth:`from_json` makes an equal one."""
        return json.dumps(
            {
                "run_id": self.run_id,
                "directory": str(self.directory),
                "boards": [board.to_json() for board in self.boards],
                "own_board": self.own_board and self.own_board.to_json(),
                "backends": [backend.to_json() for backend in self.backends],
                "secrets": self.secrets,
                "replaces": self.replaces,
                "watched": self.watched,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Handover:
        """Make what :meth:`to_json` described."""
        data: dict[str, Any] = json.loads(text)
        return cls(
            run_id=data["run_id"],
            directory=Path(data["directory"]),
            boards=tuple(map(Board.from_json, data["boards"])),
            own_board=data["own_board"] and Board.from_json(data["own_board"]),
            backends=tuple(map(Backend.from_json, data["backends"])),
            secrets=data["secrets"],
            replaces=data["replaces"],
            watched=data["watched"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What the scheduler has to know of one collected test.

    :ivar need: what it needs of its board, or of each of them; ``None`` for a test without a board.
    :ivar count: how many boards it takes at once.
    :ivar group: tests of one group run one after the other, on one worker.
    """

    need: BoardNeed | None = None
    count: int = 1
    group: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain data from which :meth:`from_json` makes an equal one."""
        return {"need": self.need and self.need.to_json(), "count": self.count, "group": self.group}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Requirement:
        """Make what :meth:`to_json` described."""
        return cls(**{**data, "need": data["need"] and BoardNeed.from_json(data["need"])})


def lifeline_path(directory: Path) -> Path:
    """Return the path of a session's lifeline."""
    return directory / "lifeline"


def needs_file(directory: Path, worker: str) -> Path:
    """Return the file in which a worker says what its tests need."""
    return directory / "needs" / f"{worker}.json"


def write_needs(directory: Path, worker: str, requirements: Sequence[Requirement]) -> None:
    """Say what each collected test needs, in their order."""
    data = {"needs": [requirement.to_json() for requirement in requirements]}
    needs_file(directory, worker).write_text(json.dumps(data), encoding="utf-8")


def write_usage_error(directory: Path, worker: str, message: str) -> None:
    """Say that a test, or a conftest, is written wrongly: the controller ends the session with it."""
    needs_file(directory, worker).write_text(json.dumps({"usage_error": message}), encoding="utf-8")


def read_needs(directory: Path, worker: str) -> list[Requirement]:
    """Read what :func:`write_needs` wrote.

    :raises pytest.UsageError: the worker found a usage error instead.
    """
    data: Mapping[str, Any] = json.loads(needs_file(directory, worker).read_text(encoding="utf-8"))
    if "usage_error" in data:
        raise pytest.UsageError(data["usage_error"])
    return [Requirement.from_json(each) for each in data["needs"]]
