"""The file of attestation tokens for claiming many boards at once (nrfcloud fact sheet, section 2.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_ROWS = 1000
LONGEST_TAG = 100


def parse_tags(text: str) -> tuple[str, ...]:
    """Parse ``a,b``.

    :raises UsageError: an empty or long tag, or one that a row of the file cannot hold.
    """
    if not text:
        return ()
    tags = tuple(tag.strip(" ") for tag in text.split(","))
    for tag in tags:
        if not 0 < len(tag) <= LONGEST_TAG or '"' in tag or not tag.isprintable():
            raise UsageError(
                "no tag",
                key="--tags",
                value=tag,
                expected=f"1 to {LONGEST_TAG} printable characters, no quotation mark",
            )
    return tags


def file_text(tokens: Iterable[str], tags: Sequence[str]) -> str:
    """Return the content: a row a token, its tags quoted behind it; no header, lines end with LF."""
    tail = f',"{",".join(tags)}"' if tags else ""
    return "".join(f"{token}{tail}\n" for token in tokens)
