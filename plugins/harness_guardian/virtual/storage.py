"""The secure storage of the board: records in flash, replaced by whole generations.

Whatever changes together is written as one generation and switched in by one write of which the hardware says
that it happens or does not happen, so that a power cut leaves the generation before it or the new one.
"""

from __future__ import annotations

import hashlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from harness_guardian.virtual import power

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.virtual.power_points import PowerPoints


class SecureStorage:
    """Keeps records without power."""

    def __init__(self, points: PowerPoints) -> None:
        """Keep nothing.

        :param points: passed before and after each write.
        """
        self._points = points
        self._generation = 0
        self._records: Mapping[str, bytes] = MappingProxyType({})

    def read(self, name: str) -> bytes | None:
        """Return a record, ``None`` when there is none."""
        return self._records.get(name)

    def names(self) -> tuple[str, ...]:
        """Return the names of all records, in their order."""
        return tuple(sorted(self._records))

    def commit(self, changes: Mapping[str, bytes | None], *, installing: bool = False) -> None:
        """Write a new generation: some records are others, or gone (``None``); the rest stays.

        :param installing: it is the switch that installs a certified profile, which has points of its own.
        :raises PowerLost: the power went, before the write or after it.
        """
        before, after = (
            (power.BEFORE_INSTALL, power.AFTER_INSTALL)
            if installing
            else (power.BEFORE_FLASH, power.AFTER_FLASH)
        )
        detail = ", ".join(sorted(changes))
        kept = {name: content for name, content in self._records.items() if name not in changes}
        written = {name: content for name, content in changes.items() if content is not None}
        self._points.pass_by(before, detail)
        self._switch(MappingProxyType({**kept, **written}))
        self._points.pass_by(after, detail)

    def _switch(self, records: Mapping[str, bytes]) -> None:
        """Make a generation the valid one: the one write that cannot be done by halves."""
        self._records = records
        self._generation += 1

    def digests(self) -> dict[str, Any]:
        """Return what a test may know: sizes and digests, no content."""
        return {
            "generation": self._generation,
            "records": {
                name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
                for name, content in sorted(self._records.items())
            },
        }
