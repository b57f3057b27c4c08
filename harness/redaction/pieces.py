"""Looking for registered values: whole, in pieces, and at their ends where a program cut them.

An automaton looks for short seeds of all forms at once; where one is found, the form itself is laid beside
the data. A piece of at least :data:`SHORTEST_PIECE` characters of a line counts, because what was wrapped,
dumped or cut gives a secret away as well; beside three dots a shorter one does, because they say that
something was cut there.
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any, Final

from harness.redaction.forms import forms_of
from harness.redaction.patterns import SHORTEST_SECRET, Find

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.redaction.forms import Form

#: A piece of so many characters of a longer form is taken out like the whole.
SHORTEST_PIECE: Final = 24
# Wherever a piece of that length lies, it holds a whole seed: they are so long and so far apart.
SEED: Final = 8
_STRIDE: Final = SHORTEST_PIECE - SEED
# Dumps are long: in each line of 16 bytes, which takes 47 characters, lies one seed, which is enough.
_DUMP_STRIDE: Final = 36
# The faster kind of automaton takes some kilobytes for each seed.
_LARGEST_DFA: Final = 10_000
_LINE_END: Final = re.compile(rb"[\r\n]")
_DOTS_HINTS: Final = frozenset({b"...", "\N{HORIZONTAL ELLIPSIS}".encode()})
_DOTS: Final = re.compile(rb"\.{3,}|(?:\xe2\x80\xa6)+")


class Batch:
    """Forms with the automaton that finds their seeds, and perhaps hints, in one pass over the data."""

    def __init__(self, forms: list[Form], hints: Iterable[bytes] = ()) -> None:
        """Build the automaton.

        :param hints: texts of which it is only said whether they are there.
        """
        import ahocorasick_rs

        self.forms = forms
        seeds: dict[bytes, list[tuple[int, int]]] = {hint: [] for hint in hints}
        self._hints = tuple(seeds)
        for number, form in enumerate(forms):
            for offset in _seed_offsets(form):
                seeds.setdefault(form.text[offset : offset + SEED], []).append((number, offset))
        self._places = list(seeds.values())
        kinds = ahocorasick_rs.Implementation
        kind = kinds.DFA if len(seeds) <= _LARGEST_DFA else kinds.ContiguousNFA
        self._automaton: Any = ahocorasick_rs.BytesAhoCorasick(list(seeds), implementation=kind)

    def find(self, data: bytes, hints: set[bytes]) -> Iterator[Find]:
        """Give where forms and pieces of forms are.

        :param hints: gets those that are in the data.
        """
        covered: dict[tuple[int, int], int] = {}  # where a form would begin: the end of what was found of it
        for seed, start, _end in self._automaton.find_matches_as_indexes(data, overlapping=True):
            if seed < len(self._hints):
                hints.add(self._hints[seed])
            for number, offset in self._places[seed]:
                place = (number, start - offset)
                if covered.get(place, -1) > start:
                    continue
                found = _lay_beside(self.forms[number], data, start, offset)
                if found is not None:
                    covered[place] = found.end
                    yield found


def _seed_offsets(form: Form) -> Iterable[int]:
    if form.whole or len(form.text) < SHORTEST_PIECE:
        return (0,)
    return range(0, len(form.text) - SEED + 1, _DUMP_STRIDE if form.dumped else _STRIDE)


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


def common_beginning(one: bytes, other: bytes) -> int:
    """Return how many bytes two texts have in common at their beginning."""
    size = min(len(one), len(other))
    difference = int.from_bytes(one[:size]) ^ int.from_bytes(other[:size])
    return size - (difference.bit_length() + 7) // 8


def common_end(one: bytes, other: bytes) -> int:
    """Return how many bytes two texts have in common at their end."""
    size = min(len(one), len(other))
    if not size:
        return 0
    difference = int.from_bytes(one[-size:]) ^ int.from_bytes(other[-size:])
    return ((difference & -difference).bit_length() - 1) // 8 if difference else size


class KnownValues:
    """The registered values; grows at any time, from any thread.

    :ivar longest: length of the longest form.
    :ivar ascii_only: whether no form has any character but ASCII's.
    """

    def __init__(self) -> None:
        """Know none."""
        self._lock = threading.Lock()
        self._values: dict[bytes, str] = {}
        self._texts: set[bytes] = set()
        self._new: list[Form] = []
        self._batches: tuple[Batch, ...] = ()
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
            self._values[value] = label
            for form in forms_of(value, label):
                if form.text not in self._texts:
                    self._texts.add(form.text)
                    self._new.append(form)
                    self._heads.setdefault(form.text[:SHORTEST_SECRET], []).append(form)
                    self._ends.setdefault(form.text[-SHORTEST_SECRET:], []).append(form)
                    if form.whole:
                        self._note_lines(form.text)
                    self.longest = max(self.longest, len(form.text))
                    self.ascii_only = self.ascii_only and form.text.isascii()
            return True

    def look_out(self, hints: Iterable[bytes]) -> None:
        """Say of further texts from now on whether they are there."""
        with self._lock:
            if not self._hints.issuperset(hints):
                self._hints.update(hints)
                self._new = [form for batch in self._batches for form in batch.forms] + self._new
                self._batches = ()

    def items(self) -> list[tuple[bytes, str]]:
        """Return every value with its label."""
        with self._lock:
            return list(self._values.items())

    def find(self, data: bytes) -> tuple[list[Find], set[bytes]]:
        """Return where registered values are, and pieces of them; and which hints are in the data."""
        hints: set[bytes] = set()
        finds = [found for batch in self._ready() for found in batch.find(data, hints)]
        if not hints.isdisjoint(_DOTS_HINTS):
            finds += self._cut_ones(data)
        return finds, hints

    def _ready(self) -> tuple[Batch, ...]:
        """Return batches for all forms; the first of them looks for hints, too.

        A new one takes up those that are not much larger: many small ones would each have to be asked, and
        one alone would have to be built anew for every value.
        """
        if self._new or not self._batches:
            with self._lock:
                new, self._new = self._new, []
                batches = list(self._batches)
                while batches and len(batches[-1].forms) < 2 * len(new):
                    new = batches.pop().forms + new
                if new or not batches:
                    batches.append(Batch(new, () if batches else self._hints))
                self._batches = tuple(batches)
        return self._batches

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
