"""A plugin of the harness that switches redaction off, in every process: the control run of the search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.redaction import Redactor

if TYPE_CHECKING:
    from harness.redaction.patterns import Find


def _find_nothing(_self: Redactor, _data: bytes) -> list[Find]:
    return []


_redactor: Any = Redactor
_redactor.find = _find_nothing
