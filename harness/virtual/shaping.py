"""Line faults: what a slow, splitting, garbling or silent line makes of the bytes that a board sends.

Nothing here touches a descriptor or a clock: the port asks what may be written now and when to ask again.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

# A paced line hands out at most what it carries in this time, so that a reader sees it trickle.
_QUANTUM_SECONDS = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The faults of one line, in the direction from the board to its reader.

    :ivar bytes_per_second: the line carries no more; ``None``: no limit.
    :ivar chunk: bytes arrive in pieces of at most this size, ``gap`` seconds apart; ``None``: as written.
    :ivar gap: seconds between two pieces.
    :ivar garble: probability that a byte arrives with one bit flipped.
    :ivar silent: nothing arrives at all.
    :ivar seed: makes the flipped bits repeatable.
    :raises ValueError: a value out of its range.
    """

    bytes_per_second: float | None = None
    chunk: int | None = None
    gap: float = 0.001
    garble: float | None = None
    silent: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse values that no line has."""
        if self.bytes_per_second is not None and not (
            self.bytes_per_second > 0 and math.isfinite(self.bytes_per_second)
        ):
            raise ValueError(f"bytes_per_second: expected a positive number, got {self.bytes_per_second!r}")
        if self.chunk is not None and self.chunk < 1:
            raise ValueError(f"chunk: expected at least 1 byte, got {self.chunk!r}")
        if not 0 <= self.gap <= 60:  # noqa: PLR2004 - a minute between two bytes is a silent line
            raise ValueError(f"gap: expected 0 to 60 seconds, got {self.gap!r}")
        if self.garble is not None and not 0 <= self.garble <= 1:
            raise ValueError(f"garble: expected a probability from 0 to 1, got {self.garble!r}")

    @property
    def paced(self) -> bool:
        """Whether bytes have to wait for their turn."""
        return self.bytes_per_second is not None or self.chunk is not None

    @property
    def piece(self) -> int:
        """The most bytes that may be written at once on a paced line."""
        carried = math.inf
        if self.bytes_per_second is not None:
            carried = max(1, int(self.bytes_per_second * _QUANTUM_SECONDS))
        return int(min(carried, self.chunk or math.inf))

    def seconds_after(self, written: int) -> float:
        """Return how long the line is busy with a piece that was just written."""
        busy = written / self.bytes_per_second if self.bytes_per_second is not None else 0.0
        return max(busy, self.gap) if self.chunk is not None else busy


class Garbler:
    """Flips bits of single bytes; the same seed flips the same bits however the bytes are divided."""

    def __init__(self, rate: float, seed: int) -> None:
        """Start a line's noise.

        :param rate: probability that a byte is hit.
        :param seed: makes it repeatable.
        """
        self._rate = rate
        # Noise for tests has to be repeatable, not secret.
        self._random = random.Random(seed)  # noqa: S311 - see above
        self._clean = self._clean_bytes()

    def _clean_bytes(self) -> float:
        """Draw how many bytes pass before the next one is hit (geometric distribution)."""
        if self._rate <= 0:
            return math.inf
        if self._rate >= 1:
            return 0
        return math.log(1.0 - self._random.random()) // math.log1p(-self._rate)

    def apply(self, data: bytes) -> bytes:
        """Return the bytes as they arrive."""
        if self._clean >= len(data):
            self._clean -= len(data)
            return data
        noisy = bytearray(data)
        position = self._clean
        while position < len(noisy):
            noisy[int(position)] ^= 1 << self._random.randrange(8)
            position += 1 + self._clean_bytes()
        self._clean = position - len(noisy)
        return bytes(noisy)
