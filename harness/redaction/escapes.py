r"""Text with its escapes undone, and where each part of it came from.

One pass undoes those of URLs (``%2F``), JSON and Python (``\n``, ``\u00e9``, ``\xe9``) and XML (``&quot;``)
alike; text that was escaped several times takes several passes.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final

# Each kind by itself is looked for much faster than all together.
_KINDS: Final = (
    (
        rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}"
        rb"|[nrtbf\"'/\\])"
    ),
    rb"%[0-9a-fA-F]{2}",
    rb"&(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});",
)
# Where no secret has others, only escapes of ASCII matter: AT commands like %CESQ are none of them.
_ASCII_KINDS: Final = (
    rb"\\(?:u00[0-7][0-9a-fA-F]|x[0-7][0-9a-fA-F]|[nrtbf\"'/\\])",
    rb"%[0-7][0-9a-fA-F]",
    rb"&(?:amp|lt|gt|quot|apos|#[0-9]{1,3}|#[xX][0-7]?[0-9a-fA-F]);",
)
_LETTERS: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_ENTITIES: Final = {b"amp": b"&", b"lt": b"<", b"gt": b">", b"quot": b'"', b"apos": b"'"}
_LAST_CODE_POINT: Final = 0x10FFFF


class View:
    """A text without its escapes.

    :ivar data: the text.
    """

    def __init__(self, data: bytes, begins: list[int], sources: list[tuple[int, int, int]]) -> None:
        """Take a text and, for each escape in order, where it begins there.

        :param begins: where what it stands for begins in the text.
        :param sources: where that ends in the text, and where the escape began and ended in the source.
        """
        self.data = data
        self._begins = begins
        self._sources = sources

    def source(self, start: int, end: int) -> tuple[int, int]:
        """Return from where to where a part of the text stood in the source; an escape is in it or not."""
        return self._origin(start)[0], self._origin(end - 1)[1]

    def _origin(self, position: int) -> tuple[int, int]:
        index = bisect_right(self._begins, position) - 1
        if index < 0:
            return position, position + 1
        end, source_begin, source_end = self._sources[index]
        if position < end:
            return source_begin, source_end
        return source_end + position - end, source_end + position - end + 1


class Escapes:
    """Some escapes, to be found and undone."""

    def __init__(self, kinds: tuple[bytes, ...]) -> None:
        """Compile the expressions of each kind."""
        self._each = tuple(re.compile(kind) for kind in kinds)
        self._any = re.compile(b"|".join(kinds))

    def undo(self, data: bytes) -> View | None:
        """Undo one layer of escapes; ``None`` where there is none."""
        if all(kind.search(data) is None for kind in self._each):
            return None
        pieces: list[bytes] = []
        begins: list[int] = []
        sources: list[tuple[int, int, int]] = []
        at = size = 0
        for match in self._any.finditer(data):
            meaning = _meaning(match[0])
            size += match.start() - at
            begins.append(size)
            size += len(meaning)
            sources.append((size, match.start(), match.end()))
            pieces += (data[at : match.start()], meaning)
            at = match.end()
        pieces.append(data[at:])
        return View(b"".join(pieces), begins, sources)


ALL_ESCAPES: Final = Escapes(_KINDS)
ASCII_ESCAPES: Final = Escapes(_ASCII_KINDS)


def _meaning(escape: bytes) -> bytes:
    head, body = escape[:1], escape[1:]
    if head == b"%":
        return bytes((int(body, 16),))
    if head == b"&":
        return _entity(body[:-1])
    kind = body[:1]
    if kind == b"x":  # a byte, as bytes are shown; forms know how text is shown
        return bytes((int(body[1:], 16),))
    if kind == b"u":
        units = bytes.fromhex(body[1:5].decode() + body[7:].decode())
        return units.decode("utf-16-be", "surrogatepass").encode("utf-8", "surrogatepass")
    return _LETTERS.get(body, body)


def _entity(name: bytes) -> bytes:
    if not name.startswith(b"#"):
        return _ENTITIES[name]
    code = int(name[2:], 16) if name[1:2] in b"xX" else int(name[1:])  # noqa: FURB166 - XML's, not Python's
    return chr(min(code, _LAST_CODE_POINT)).encode("utf-8", "surrogatepass")
