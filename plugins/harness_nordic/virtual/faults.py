"""Faults of the modem that a test asks for: the next answers to a command are errors, or none at all."""

from __future__ import annotations

from dataclasses import dataclass

from harness_nordic.virtual.errors import AtError, CmeRefusal

SILENT = "silent"
ERROR = "error"


class Silence(Exception):
    """The modem gives no answer."""


@dataclass(slots=True)
class Fault:
    """What happens to the next commands that begin with a text.

    :ivar prefix: upper case, as the command is typed: ``AT%CMNG=0``.
    :ivar outcome: a CME number, ``error`` or ``silent``.
    :ivar times: how many commands it still meets.
    """

    prefix: str
    outcome: int | str
    times: int


class Faults:
    """The faults that are armed, the first one that fits counts."""

    def __init__(self) -> None:
        """Arm nothing."""
        self._armed: list[Fault] = []

    def arm(self, prefix: str, outcome: int | str, times: int) -> None:
        """Arm a fault.

        :raises ValueError: the outcome is neither a CME number nor ``error`` nor ``silent``.
        """
        if isinstance(outcome, bool) or (isinstance(outcome, str) and outcome not in {ERROR, SILENT}):
            raise ValueError(f"outcome is {outcome!r}; expected a CME number, 'error' or 'silent'")
        if not isinstance(outcome, int | str) or not isinstance(times, int) or times < 1:
            raise ValueError(f"unfit fault: outcome {outcome!r}, times {times!r}")
        self._armed.append(Fault(prefix.upper(), outcome, times))

    def clear(self) -> None:
        """Disarm all."""
        self._armed.clear()

    def meet(self, line: str) -> None:
        """Let the fault happen that waits for this command, if there is one.

        :raises CmeRefusal: it is a CME number.
        :raises AtError: it is a plain error.
        :raises Silence: it is silence.
        """
        for fault in self._armed:
            if not line.upper().startswith(fault.prefix):
                continue
            fault.times -= 1
            if fault.times == 0:
                self._armed.remove(fault)
            if fault.outcome == SILENT:
                raise Silence
            if fault.outcome == ERROR:
                raise AtError
            raise CmeRefusal(int(fault.outcome))
