"""Random values, made in microseconds: texts, bytes, JSON and CBOR values, damage to what was whole."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

#: Characters at which readers of text stumble: ends of blocks, quotes, blanks, digits of others, astral ones.
ODD_CHARACTERS = (
    "\x00\x01\t\n\r\x1b \"'\\/,;:=+-%.0123456789azAZ"
    "\x7f\x80\x85\xa0\xe9\xb2\u0663\u07c0\u2028\ufeff\ufffd\U0001f600"
)
ODD_NUMBERS = (0, 1, -1, 23, 24, 255, 256, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63, 2**64 - 1, -(2**63))

Text = TypeVar("Text", str, bytes)


def text(random: Random, longest: int = 12, alphabet: str = ODD_CHARACTERS) -> str:
    """Make a text."""
    return "".join(random.choices(alphabet, k=random.randint(0, longest)))


def number(random: Random) -> int:
    """Make an integer, often one at a border."""
    return random.choice(ODD_NUMBERS) if random.random() < 0.5 else random.getrandbits(random.randint(1, 63))


def scalar(random: Random) -> Any:
    """Make what JSON and CBOR have in common and is no container."""
    return random.choice(
        (
            lambda: None,
            lambda: random.random() < 0.5,
            lambda: number(random),
            lambda: random.uniform(-1e9, 1e9),
            lambda: text(random),
        )
    )()


def tree(
    random: Random,
    *,
    depth: int = 3,
    leaf: Callable[[Random], Any] = scalar,
    key: Callable[[Random], Any] = text,
) -> Any:
    """Make a scalar, a list or a mapping, nested."""
    kind = random.random()
    if depth == 0 or kind < 0.4:
        return leaf(random)
    below = partial(tree, random, depth=depth - 1, leaf=leaf, key=key)
    if kind < 0.7:
        return [below() for _number in range(random.randint(0, 4))]
    return {key(random): below() for _number in range(random.randint(0, 4))}


def damage(random: Random, whole: Text, pieces: Sequence[Text], most: int = 4) -> Text:
    """Cut out, double and put in a few pieces; sometimes nothing.

    :param pieces: what may be put in.
    :param most: changes at the most.
    """
    for _change in range(random.randint(0, most)):
        start = random.randint(0, len(whole))
        end = random.randint(start, min(len(whole), start + 30))
        piece = whole[start:end] * 2 if random.random() < 0.3 else random.choice(pieces)
        whole = whole[:start] + piece + whole[end:]
    return whole


def flip(random: Random, whole: bytes, most: int = 3) -> bytes:
    """Change, drop and insert a few bytes; at least one, if there is any."""
    data = bytearray(whole)
    for _change in range(random.randint(1, most)):
        place = random.randint(0, max(0, len(data) - 1))
        kind = random.random()
        if kind < 0.6 and data:
            data[place] = data[place] ^ (1 << random.randrange(8)) if kind < 0.3 else random.randrange(256)
        elif kind < 0.8 and data:
            del data[place : place + random.randint(1, 3)]
        else:
            data[place:place] = random.randbytes(random.randint(1, 3))
    return bytes(data)


def cuts(random: Random, data: bytes, most: int = 12) -> list[bytes]:
    """Cut bytes at some places."""
    marks = sorted({random.randint(0, len(data)) for _place in range(random.randint(0, most))})
    return [data[start:end] for start, end in zip([0, *marks], [*marks, len(data)], strict=True)]
