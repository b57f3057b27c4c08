"""Boards to be asked and brought back: what of a leased board the room of health uses, and nothing more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from harness.errors import RigFault, UsageError
from harness.inventory.board import Board, Endpoint
from harness.plugins import HarnessPluginManager

if TYPE_CHECKING:
    from collections.abc import Callable


class Patient:
    """A board whose answers a test decides.

    :ivar answers: what its driver's ``health`` gives, one after the other; the last one for ever. An error is
        raised.
    :ivar did: what was done to it.
    """

    def __init__(self, *answers: Any, virtual: bool = False, control: Any = None) -> None:
        self.answers = list(answers)
        self.did: list[str] = []
        self.description = Board(
            id="p",
            kind="k",
            driver="d",
            bench="/bench" if virtual else None,
            endpoints={role: Endpoint(role=role, url=f"/dev/{role}") for role in ("trace", "console")},
            control=control or {},
        )
        self.made_driver: Any = None
        self.driver: Any = SimpleNamespace(health=self.health, reset=lambda: self.did.append("driver reset"))
        self.power: Any = None
        self.virtual = SimpleNamespace(reset=lambda: self.did.append("line reset"))
        self.broken: Exception | None = None

    def health(self) -> bool:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        if callable(answer):
            answer = answer()
        return bool(answer)

    def endpoint(self, role: str) -> None:
        self.did.append(f"open {role}")
        if self.broken is not None:
            raise self.broken

    @property
    def as_board(self) -> Any:
        """Itself, for functions that want a leased board."""
        return cast("Any", self)


class Switch:
    """A power switch that writes down what it is told."""

    def __init__(self, patient: Patient, *, stuck: bool = False) -> None:
        self._patient = patient
        self._stuck = stuck

    def set_power(self, *, on: bool) -> None:
        self._patient.did.append("on" if on else "off")
        if self._stuck and not on:
            raise RigFault("the relay is stuck")


def plugins_with(**hooks: Callable[..., Any]) -> HarnessPluginManager:
    """Return a manager that has these hooks alone."""
    plugins = HarnessPluginManager()
    plugins.register(SimpleNamespace(**hooks), "test")
    return plugins


def no_driver() -> UsageError:
    """What a board raises for whose driver there is no plugin."""
    return UsageError("no plugin makes the driver", key="driver")
