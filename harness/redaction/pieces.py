"""Looking for registered values: whole, in pieces, and at their ends where a program cut them.

Short seeds of all forms are looked for (:mod:`harness.redaction.seeds`); where one is found, the form itself
is laid beside the data. A piece of at least :data:`~harness.redaction.seeds.SHORTEST_PIECE` characters of a
line counts, because what was wrapped, dumped or cut gives a secret away as well; beside three dots a shorter
one does, because they say that something was cut there.
"""

from __future__ import annotations

import re
import threading
from itertools import chain
from typing import TYPE_CHECKING, Final

from harness.redaction.forms import forms_of
from harness.redaction.patterns import SHORTEST_SECRET, Find
from harness.redaction.seeds import (
    SEED,
    SHORTEST_PIECE,
    Batch,
    Loose,
    Planter,
    common_beginning,
    common_end,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.redaction.forms import Form

_LINE_END: Final = re.compile(rb"[\r\n]")
_DOTS_HINTS: Final = frozenset({b"...", "\N{HORIZONTAL ELLIPSIS}".encode()})
_DOTS: Final = re.compile(rb"\.{3,}|(?:\xe2\x80\xa6)+")


def _lay_beside(form: Form, data: bytes, start: int, offset: int) -> Find | None:
    """Return how far a form agrees with data, around a seed that does."""
    text = form.text
    begin = start - offset
    if begin >= 0 and data.startswith(text, begin):
        return Find(begin, begin + len(text), form.label)
    if form.whole or len(text) < SHORTEST_PIECE:
        return None
    left = common_end(data[max(0, begin) : start], text[:offset])
    right = common_beginning(data[start : begin + len(text)], text[offset:])
    if left + right < SHORTEST_PIECE:
        return None
    return Find(start - left, start + right, form.label)


class KnownValues:
    """The registered values; grows at any time, from any thread.

    :ivar longest: length of the longest form.
    :ivar ascii_only: whether no form has any character but ASCII's.
    """

    def __init__(self) -> None:
        """Know none."""
        # An alarm may strike while we hold it, and its error is redacted, too: in the same thread.
        self._lock = threading.RLock()
        self._values: dict[bytes, str] = {}
        self._texts: set[bytes] = set()
        self._planter = Planter()
        self._sought: tuple[tuple[Batch, ...], Loose] = ((), Loose())
        self._hints = set(_DOTS_HINTS)
        self._heads: dict[bytes, list[Form]] = {}
        self._ends: dict[bytes, list[Form]] = {}
        self._beginnings: dict[bytes, set[bytes]] = {}
        self.longest = 0
        self.ascii_only = True

    def add(self, value: bytes, label: str) -> bool:
        """Know a value from now on.

        :return: whether it is new.
        """
        with self._lock:
            if value in self._values:
                return False
            for form in forms_of(value, label):
                if form.text not in self._texts:
                    self._sought[1].add(self._planter.plant(form))
                    self._heads.setdefault(form.text[:SHORTEST_SECRET], []).append(form)
                    self._ends.setdefault(form.text[-SHORTEST_SECRET:], []).append(form)
                    if form.whole:
                        self._note_lines(form.text)
                    self.longest = max(self.longest, len(form.text))
                    self.ascii_only = self.ascii_only and form.text.isascii()
                    self._texts.add(form.text)
            # Last: what was interrupted in between is taken up by whoever adds it again.
            self._values[value] = label
            return True

    def look_out(self, hints: Iterable[bytes]) -> None:
        """Say of further texts from now on whether they are there."""
        with self._lock:
            if not self._hints.issuperset(hints):
                self._hints.update(hints)
                batches, loose = self._sought
                parts: list[Batch | Loose] = [*batches, loose]
                self._sought = (), Loose(seed for part in parts for seed in part.seeds)

    def items(self) -> list[tuple[bytes, str]]:
        """Return every value with its label."""
        with self._lock:
            return list(self._values.items())

    def find(self, data: bytes) -> tuple[list[Find], set[bytes]]:
        """Return where registered values are, and pieces of them; and which hints are in the data."""
        hints: set[bytes] = set()
        batches, loose = self._ready(len(data))
        looks = [batch.seeds_in(data, hints) for batch in batches]
        finds = list(self._forms_at(chain(*looks, loose.seeds_in(data)), data))
        if not hints.isdisjoint(_DOTS_HINTS):
            finds += self._cut_ones(data)
        return finds, hints

    def _ready(self, size: int) -> tuple[tuple[Batch, ...], Loose]:
        """Return what finds all seeds, in batches and loose ones; the first batch looks for hints, too.

        A new batch takes up those that are not much larger: many small ones would each have to be asked, and
        one alone would have to be built anew time and again.

        :param size: how many bytes will be searched.
        """
        batches, loose = self._sought
        if loose.is_worn(size) or not batches:
            with self._lock:
                batches, loose = self._sought
                kept, seeds = len(batches), loose.seeds
                while kept and len(batches[kept - 1].seeds) < 2 * len(seeds):
                    kept -= 1
                    seeds = batches[kept].seeds + seeds
                if seeds or not kept:
                    self._sought = (*batches[:kept], Batch(seeds, () if kept else self._hints)), Loose()
            batches, loose = self._sought
        return batches, loose

    def _forms_at(self, seeds: Iterable[tuple[bytes, int]], data: bytes) -> Iterator[Find]:
        """Give where forms and pieces of forms are, of which seeds are in the data."""
        nothing = Find(0, 0, "")
        covered: dict[tuple[int, int], Find] = {}  # where a form would begin: what was found of it last
        for seed, start in seeds:
            for form, offset in self._planter.places(seed):
                place = (id(form), start - offset)
                last = covered.get(place, nothing)
                if last.start <= start < last.end:
                    continue
                found = _lay_beside(form, data, start, offset)
                if found is not None:
                    covered[place] = found
                    yield found

    # -- cut by a program ---------------------------------------------------------------------------------

    def _cut_ones(self, data: bytes) -> Iterator[Find]:
        for dots in _DOTS.finditer(data):
            yield from self._cut_before(data, dots.start())
            yield from self._cut_after(data, dots.end())

    def _cut_before(self, data: bytes, end: int) -> Iterator[Find]:
        """Give the longest beginning of a form that ends here."""
        earliest = max(0, end - SHORTEST_PIECE)
        line = max(data.rfind(b"\n", earliest, end), data.rfind(b"\r", earliest, end)) + 1
        for start in range(max(line, earliest), end - SHORTEST_SECRET + 1):
            for form in self._heads.get(data[start : start + SHORTEST_SECRET], ()):
                if form.text.startswith(data[start:end]):
                    yield Find(start, end, form.label)
                    return

    def _cut_after(self, data: bytes, start: int) -> Iterator[Find]:
        """Give the longest end of a form that begins here."""
        window = data[start : start + SHORTEST_PIECE]
        line = next((match.start() for match in _LINE_END.finditer(window)), len(window))
        for end in range(start + line, start + SHORTEST_SECRET - 1, -1):
            for form in self._ends.get(data[end - SHORTEST_SECRET : end], ()):
                if form.text.endswith(data[start:end]):
                    yield Find(start, end, form.label)
                    return

    # -- several lines, of which some have come -----------------------------------------------------------

    def _note_lines(self, text: bytes) -> None:
        for line_end in _LINE_END.finditer(text, 0, len(text) - 1):
            at = line_end.end()
            self._beginnings.setdefault(text[max(0, at - SEED) : at], set()).add(text[:at])

    def begun(self, data: bytes, end: int) -> int:
        """Return where a value of several lines begins of which only some lines have come; else the end.

        :param end: just behind a line end.
        """
        earliest = end
        for size in range(1, SEED + 1):
            for text in self._beginnings.get(data[max(0, end - size) : end], ()):
                if end - len(text) < earliest and data.startswith(text, max(0, end - len(text))):
                    earliest = end - len(text)
        return earliest
