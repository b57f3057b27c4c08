"""What is found by seeds is what laying every form beside every place would find."""

from __future__ import annotations

import random

import pytest

from harness.redaction import seeds
from harness.redaction.forms import Form, forms_of
from harness.redaction.pieces import KnownValues
from harness.redaction.seeds import SEED, SHORTEST_PIECE, Batch, Loose, Planter

ALPHABET = b"abcdefgh"
BEGINNINGS = [
    bytes(random.Random(size).choices(ALPHABET, k=size))  # noqa: S311 - no secret of anybody
    for size in (6, 7, 8, 15, 16, 23, 24, 31, 60)
]


def make_values(generator: random.Random) -> list[bytes]:
    """Return values of which many begin alike, some are the beginning of others, and some have lines."""
    values = [
        b"-----BEGIN KEY-----\nAAAABBBBCCCCDDDD%04d\n-----END KEY-----\n" % number for number in range(3)
    ]
    for number in range(20):
        beginning = generator.choice([*BEGINNINGS, generator.choice(values)[: generator.randrange(6, 70)]])
        values.append(beginning + bytes(generator.choices(ALPHABET, k=generator.choice([0, 1, 8, 20, 50]))))
        if number % 5 == 0:
            values.append(values[-1][: max(6, len(values[-1]) // 2)])
    return values


def make_data(generator: random.Random, forms: list[Form]) -> bytes:
    """Return pieces of forms, of any length from anywhere, with other text between them, or none."""
    pieces: list[bytes] = []
    for _piece in range(12):
        text = generator.choice(forms).text
        start = generator.randrange(len(text))
        size = generator.choice([5, 8, 16, 23, 24, 25, 40, len(text)])
        pieces += (
            text[start : start + size],
            bytes(generator.choices(ALPHABET, k=generator.choice([0, 1, 9]))),
        )
    return b"".join(pieces)


def found_slowly(forms: list[Form], data: bytes) -> set[int]:
    """Return the positions of everything that is to be found, by laying each form everywhere."""
    positions: set[int] = set()
    for form in forms:
        text = form.text
        for begin in range(-len(text) + 1, len(data)):
            if data.startswith(text, begin) and begin >= 0:
                positions.update(range(begin, begin + len(text)))
            if form.whole or len(text) < SHORTEST_PIECE or form.dumped:  # dumps: see the next test
                continue
            first, last = max(0, begin), min(len(data), begin + len(text))
            run = first
            for position in range(first, last + 1):
                if position == last or data[position] != text[position - begin]:
                    if position - run >= SHORTEST_PIECE:
                        positions.update(range(run, position))
                    run = position + 1
    return positions


@pytest.mark.parametrize("worth", [0, 10**9], ids=["built", "loose"])
@pytest.mark.parametrize("number", range(3))
def test_whatever_begins_alike(number: int, worth: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole forms and pieces from the shortest on are found, in whichever order values came; and no more."""
    monkeypatch.setattr(seeds, "_BYTES_A_SEED", worth)
    generator = random.Random(number)  # noqa: S311 - no secret of anybody
    values = make_values(generator)
    known = KnownValues()
    forms = {form.text: form for value in values for form in forms_of(value, "it")}
    straight = [form for form in forms.values() if not form.dumped]
    for count, value in enumerate(values):
        known.add(value, "it")
        if count % 7 == 0:
            known.find(b"something between, so that batches are made")

    for _data in range(2):
        data = make_data(generator, straight)
        positions = {at for found in known.find(data)[0] for at in range(found.start, found.end)}
        expected = found_slowly(straight, data)
        assert expected - positions == set()
        assert positions - expected <= in_dumps(list(forms.values()), data)


def in_dumps(forms: list[Form], data: bytes) -> set[int]:
    """Return where pieces of dumps are, which are found by fewer seeds: those with one count, others may."""
    undumped = [Form(form.text, form.label) for form in forms if form.dumped]
    return found_slowly(undumped, data)


def test_lines_of_dumps_that_begin_alike() -> None:
    """Each line of a dump is found in each of several values that begin alike."""
    known = KnownValues()
    values = [bytes(range(40)) + bytes([number]) * 40 for number in range(20)]
    for value in values:
        known.add(value, "it")

    for value in values:
        for start in range(0, len(value) - 15, 3):
            line = value[start : start + 16].hex(" ").encode()
            found = known.find(b"0000  " + line + b"  |")[0]
            assert {at for each in found for at in range(each.start, each.end)} >= set(
                range(6, 6 + len(line))
            )


def test_many_that_begin_alike_share_no_seeds() -> None:
    """What a thousand values have in common is found once, not a thousand times."""
    planter = Planter()
    generator = random.Random(0)  # noqa: S311 - no secret of anybody
    seeds_of_all: set[bytes] = set()
    for _value in range(1000):
        one, other = generator.randbytes(20).hex().encode(), generator.randbytes(20).hex().encode()
        seeds_of_all.update(planter.plant(Form(BEGINNINGS[-1] + one + b"as in all" + other, "it")))

    assert max(len(list(planter.places(seed))) for seed in seeds_of_all) < 20
    assert list(planter.places(b"no seed!")) == []


def test_loose_seeds_and_batches_give_the_same() -> None:
    """Seeds of any length are found wherever they are, in both ways; also in less than a seed."""
    texts = [b"abcdefgh", b"abcdef", b"bcdefgh", b"a" * SEED]
    loose = Loose(texts)
    batch = Batch(texts, [b"abc", b"abcdef"])

    for data in (b"", b"abc", b"abcdef", b"xabcdefgh", b"a" * 17, b"abcdefghabcdefgh" * 3, b"xyz" * 30):
        hints: set[bytes] = set()
        expected = {
            (text, start) for text in texts for start in range(len(data)) if data.startswith(text, start)
        }
        assert set(loose.seeds_in(data)) == expected
        assert {each for each in batch.seeds_in(data, hints) if each[0] in texts} == expected
        assert hints == {hint for hint in (b"abc", b"abcdef") if hint in data}
