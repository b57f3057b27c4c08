"""Faults that a test asks for: of the modem's answers, of how they travel, of what the board signs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from harness_nordic.virtual.errors import AtError, CmeRefusal

SILENT = "silent"
ERROR = "error"

SLOW, SPLIT, UNSOLICITED, GARBAGE, FALSE_DIGEST = "slow", "split", "unsolicited", "garbage", "digest"
#: How an answer may be disturbed.
DISTURBANCES = (FALSE_DIGEST, GARBAGE, SLOW, SPLIT, UNSOLICITED)

TOKEN_SIGNATURE, TOKEN_UUID = "token-signature", "token-uuid"
JWT_SIGNATURE, KEYGEN_SIGNATURE = "jwt-signature", "keygen-signature"
#: What may be forged.
FORGERIES = (JWT_SIGNATURE, KEYGEN_SIGNATURE, TOKEN_SIGNATURE, TOKEN_UUID)


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


@dataclass(slots=True, kw_only=True)
class Disturbance:
    """What happens to the next answers to commands that begin with a text; the command itself is executed.

    :ivar prefix: upper case, as the command is typed.
    :ivar how: one of :data:`DISTURBANCES`.
    :ivar times: how many answers it still meets.
    :ivar seconds: ``slow``: how late the answer comes; ``split``: time between two pieces.
    :ivar size: ``split``: bytes of a piece; ``garbage``: bytes of it.
    :ivar text: ``unsolicited``: the line that comes between.
    :ivar inside: ``unsolicited``: it comes before the last line of the answer, not before the first.
    :ivar seed: ``garbage``: makes its bytes repeatable.
    """

    prefix: str
    how: str
    times: int = 1
    seconds: float = 0.0
    size: int = 1
    text: str = "+CEREG: 1"
    inside: bool = False
    seed: int = 0

    def check(self) -> None:
        """Refuse what cannot be.

        :raises ValueError: a value of the wrong kind or out of its range.
        """
        if self.how not in DISTURBANCES:
            raise ValueError(f"how is {self.how!r}; expected one of {', '.join(map(repr, DISTURBANCES))}")
        for name, kinds, wanted in _DETAILS:
            if type(getattr(self, name)) not in kinds:  # a bool is no number here
                raise ValueError(f"{name} is {getattr(self, name)!r}; expected {wanted}")
        for name, low, high in _RANGES:
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} is {getattr(self, name)!r}; expected {low} to {high}")


_DETAILS: tuple[tuple[str, tuple[type, ...], str], ...] = (
    ("times", (int,), "a count"),
    ("size", (int,), "a number of bytes"),
    ("seed", (int,), "a whole number"),
    ("seconds", (int, float), "a number"),
    ("text", (str,), "a text"),
    ("inside", (bool,), "true or false"),
)
_RANGES = (("times", 1, 1_000_000), ("size", 1, 4096), ("seconds", 0, 3600))


class Faults:
    """The faults that are armed; of two that fail a command the first counts, disturbances add up.

    :ivar forgeries: how many of the next things of each kind are forged.
    """

    def __init__(self) -> None:
        """Arm nothing."""
        self.forgeries: Counter[str] = Counter()
        self._armed: list[Fault] = []
        self._disturbances: list[Disturbance] = []

    def arm(self, prefix: str, outcome: int | str, times: int) -> None:
        """Arm a fault.

        :raises ValueError: the outcome is neither a CME number nor ``error`` nor ``silent``.
        """
        if isinstance(outcome, bool) or (isinstance(outcome, str) and outcome not in {ERROR, SILENT}):
            raise ValueError(f"outcome is {outcome!r}; expected a CME number, 'error' or 'silent'")
        if not isinstance(outcome, int | str) or not isinstance(times, int) or times < 1:
            raise ValueError(f"unfit fault: outcome {outcome!r}, times {times!r}")
        self._armed.append(Fault(prefix.upper(), outcome, times))

    def disturb(self, disturbance: Disturbance) -> None:
        """Arm a disturbance.

        :raises ValueError: it cannot be.
        """
        disturbance.check()
        self._disturbances.append(disturbance)

    def forge(self, what: str, times: int) -> None:
        """Let the next things of a kind be forged.

        :raises ValueError: there is no such kind, or ``times`` is no count.
        """
        if what not in FORGERIES:
            raise ValueError(f"what is {what!r}; expected one of {', '.join(map(repr, FORGERIES))}")
        if isinstance(times, bool) or not isinstance(times, int) or times < 0:
            raise ValueError(f"times is {times!r}; expected a count")
        self.forgeries[what] = times

    def clear(self) -> None:
        """Disarm all."""
        self.forgeries.clear()
        self._armed.clear()
        self._disturbances.clear()

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

    def take(self, line: str, *kinds: str) -> list[Disturbance]:
        """Return the disturbances of some kinds that wait for this command; each counts as met."""
        met = [
            each
            for each in self._disturbances
            if each.how in kinds and line.upper().startswith(each.prefix.upper())
        ]
        for each in met:
            each.times -= 1
            if each.times == 0:
                self._disturbances.remove(each)
        return met

    def forges(self, what: str) -> bool:
        """Tell whether the next thing of a kind is to be forged; it counts as forged then."""
        if self.forgeries[what] <= 0:
            return False
        self.forgeries[what] -= 1
        return True
