"""One collection of tests shared out among several runners, without a word between them.

Which shard a test belongs to follows from its id alone (or its group's name), so that it stays on its runner
while other tests come and go. That all runners share out the same collection is told by its digest.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The property of a JUnit report, and the line of Allure's environment, that a shard's share is written to.
SHARD_PROPERTY: Final = "shard"
_DIGITS_OF_DIGEST = 16
_TEXT = re.compile(
    r"(?P<part>\d{1,9})/(?P<parts>\d{1,9}): (?P<taken>\d{1,9}) of (?P<tests>\d{1,9}) tests"
    r"(?: and (?P<own>\d{1,9}) of this bench alone)?, collection (?P<digest>[0-9a-f]{16})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one runner has of a collection that several share.

    :ivar part: which of the parts it is, from 1.
    :ivar parts: how many there are.
    :ivar taken: how many tests are in this part.
    :ivar tests: how many tests are shared out.
    :ivar digest: of the ids of all that are shared out.
    :ivar own: how many tests it runs besides, because they are about each board, or kind, of its own bench.
    """

    part: int
    parts: int
    taken: int
    tests: int
    digest: str
    own: int = 0

    @property
    def name(self) -> str:
        """The part as ``--shard`` takes it."""
        return f"{self.part}/{self.parts}"

    def __str__(self) -> str:
        """Return the text from which :meth:`parse` makes an equal one."""
        own = f" and {self.own} of this bench alone" if self.own else ""
        return f"{self.name}: {self.taken} of {self.tests} tests{own}, collection {self.digest}"

    @classmethod
    def parse(cls, text: str) -> Share | None:
        """Read what :meth:`__str__` wrote; ``None``: it is something else."""
        found = _TEXT.fullmatch(text)
        if found is None:
            return None
        numbers = {name: int(found[name] or 0) for name in ("part", "parts", "taken", "tests", "own")}
        return cls(digest=found["digest"], **numbers)


def part_of(key: str, parts: int) -> int:
    """Return which part a test belongs to, from 1.

    :param key: id of the test, or of the group that is kept together.
    :param parts: how many parts there are.
    """
    return int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:8]) % parts + 1


def digest_of(tests: Iterable[str]) -> str:
    """Return what tells one collection from another, whatever the order of its tests.

    :param tests: their ids.
    """
    lines = "".join(f"{test}\n" for test in sorted(tests))
    return hashlib.sha256(lines.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS_OF_DIGEST]
