"""The list of objects that a registration carries: CoRE link format, RFC 6690."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def links(paths: Iterable[str]) -> bytes:
    """Write a list of links without attributes.

    :param paths: as ``/3/0``.
    """
    return ",".join(f"<{path}>" for path in paths).encode()
