"""Seeds: short texts out of all forms, by which it is found where a form may be.

Wherever a piece of :data:`SHORTEST_PIECE` characters of a long form lies in some data, a whole seed of the
form lies there. Few seeds and little data are looked up one by one (:class:`Loose`); for more an automaton
is built that looks for all at once (:class:`Batch`).
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.redaction.forms import Form

#: A piece of so many characters of a longer form is taken out like the whole.
SHORTEST_PIECE: Final = 24
# Wherever a piece of that length lies, it holds a whole seed: they are so long and at most so far apart.
SEED: Final = 8
_STRIDE: Final = SHORTEST_PIECE - SEED + 1
# Dumps are long: in each line of 16 bytes, which takes 47 characters, lies one seed, which is enough.
_DUMP_STRIDE: Final = 36
# What is the same in so many forms that are different around it is a bad seed: each would be looked at.
_MANY: Final = 3
_OFFSET_BITS: Final = 32
_OFFSET_MASK: Final = (1 << _OFFSET_BITS) - 1
# The kind of automaton that is faster with few seeds takes a kilobyte for each of its states, and so long to
# make that with many it is not worth it: values come one by one, and each takes up some older ones anew.
_LARGEST_DFA: Final = 1_000
# To build a seed into an automaton takes about as long as to look up the seeds in so many bytes.
_BYTES_A_SEED: Final = 200


class Planter:
    """Chooses the seeds of one form after the other, no more than are needed."""

    def __init__(self) -> None:
        """Know no form."""
        self._forms: list[Form] = []
        # Of hundreds of thousands of seeds: a number is the smallest thing that says where one is.
        self._first: dict[bytes, int] = {}
        self._further: dict[bytes, list[int]] = {}
        self._texts: dict[int, list[bytes]] = {_STRIDE: [], _DUMP_STRIDE: []}

    def plant(self, form: Form) -> list[bytes]:
        """Choose the seeds of a new form.

        :return: those that no form before it has.
        """
        text, base, new = form.text, len(self._forms) << _OFFSET_BITS, []
        self._forms.append(form)
        for offset in self._offsets(form):
            seed = text[offset : offset + SEED]
            if seed in self._first:
                self._further.setdefault(seed, []).append(base + offset)
            else:
                self._first[seed] = base + offset
                new.append(seed)
        return new

    def places(self, seed: bytes) -> Iterator[tuple[Form, int]]:
        """Give each form that has a seed, and where in it that is; none of what is no seed."""
        first = self._first.get(seed)
        if first is not None:
            for place in (first, *self._further.get(seed, ())):
                yield self._forms[place >> _OFFSET_BITS], place & _OFFSET_MASK

    def _offsets(self, form: Form) -> list[int]:
        """Return where the seeds of a new form are.

        Many values begin alike, as all tokens of one board do. A piece that lies in what a form has in common
        with an older one is found as a piece of that. Any other piece that begins there holds a seed that
        ends just behind it; one that begins later holds one of the later seeds.
        """
        text = form.text
        if form.whole:  # many begin alike, as keys and certificates do; in the middle none is like another
            return [max(0, len(text) - SEED) // 2]
        if len(text) < SHORTEST_PIECE:
            return [0]
        stride = _DUMP_STRIDE if form.dumped else _STRIDE
        common = self._in_common(text, self._texts[stride])
        if common == len(text):
            return []
        parting = common - SEED + 1  # a seed from here on ends with the first character that is different
        offsets = [parting] if parting >= 0 else []
        last, end = max(-1, parting), len(text) - SEED
        regular = range(last + stride, end + 1, stride)
        if self._further.keys().isdisjoint([text[offset : offset + SEED] for offset in regular]):
            return [*offsets, *regular]
        while last + stride <= end:
            last = self._next_seed(text, last + 1, last + stride)
            offsets.append(last)
        return offsets

    def _next_seed(self, text: bytes, first: int, last: int) -> int:
        """Return where the next seed is: as late as may be, but not where many other forms are the same."""
        for offset in range(last, first - 1, -1):
            if len(self._further.get(text[offset : offset + SEED], ())) < _MANY:
                return offset
        return last

    @staticmethod
    def _in_common(text: bytes, others: list[bytes]) -> int:
        """Return how much of its beginning a text has in common with any other, and count it among them."""
        at = bisect_left(others, text)
        common = max((common_beginning(text, other) for other in others[max(0, at - 1) : at + 1]), default=0)
        others.insert(at, text)
        return common


class Loose:
    """Seeds that are looked up one by one, which needs no preparation.

    :ivar seeds: the seeds.
    """

    def __init__(self, seeds: Iterable[bytes] = ()) -> None:
        """Look for some seeds; others are added."""
        self.seeds: list[bytes] = []
        self._numbers: set[int] = set()
        self._short: list[bytes] = []
        self._searched = 0
        self.add(seeds)

    def add(self, seeds: Iterable[bytes]) -> None:
        """Look for some more."""
        added = list(seeds)
        whole = [seed for seed in added if len(seed) == SEED]
        self._numbers.update(memoryview(b"".join(whole)).cast("Q"))
        self._short += [seed for seed in added if len(seed) < SEED]
        self.seeds += added

    def is_worn(self, size: int) -> bool:
        """Tell whether so much is searched now and was before that an automaton is worth its making.

        :param size: how many bytes will be searched.
        """
        self._searched = self._searched + size if self.seeds else 0
        return self._searched > _BYTES_A_SEED * len(self.seeds)

    def seeds_in(self, data: bytes) -> Iterator[tuple[bytes, int]]:
        """Give each seed that is in some data, and where it is."""
        for seed in self._short:
            start = data.find(seed)
            while start >= 0:
                yield seed, start
                start = data.find(seed, start + 1)
        if not self._numbers:
            return
        for shift in range(min(SEED, len(data) - SEED + 1)):
            # Data as numbers of 8 bytes, from each of 8 places on: no loop of ours is as fast.
            end = len(data) - (len(data) - shift) % SEED
            numbers = memoryview(data)[shift:end].cast("Q")
            if not self._numbers.isdisjoint(numbers):
                for index, number in enumerate(numbers):
                    if number in self._numbers:
                        start = shift + index * SEED
                        yield data[start : start + SEED], start


class Batch:
    """Seeds, and perhaps hints, with the automaton that finds them in one pass over the data.

    :ivar seeds: the seeds.
    """

    def __init__(self, seeds: list[bytes], hints: Iterable[bytes] = ()) -> None:
        """Build the automaton.

        :param hints: texts of which it is only said whether they are there.
        """
        import ahocorasick_rs

        self.seeds = seeds
        self._hints = frozenset(hints)
        self._texts = list(dict.fromkeys((*self._hints, *seeds)))
        kinds = ahocorasick_rs.Implementation
        kind = kinds.DFA if len(self._texts) <= _LARGEST_DFA else kinds.NoncontiguousNFA
        self._automaton: Any = ahocorasick_rs.BytesAhoCorasick(self._texts, implementation=kind)

    def seeds_in(self, data: bytes, hints: set[bytes]) -> Iterator[tuple[bytes, int]]:
        """Give each seed that is in some data, and where it is; and hints, which may be seeds, too.

        :param hints: gets those that are in the data.
        """
        for number, start, _end in self._automaton.find_matches_as_indexes(data, overlapping=True):
            text = self._texts[number]
            if text in self._hints:
                hints.add(text)
            yield text, start


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
