"""Making a virtual board by the factory that its kind names."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from harness.errors import BenchFault, HarnessError, UsageError
from harness.plugins import load_object

if TYPE_CHECKING:
    from harness.virtual.contract import BoardHost, VirtualBoard, VirtualBoardSpec, VirtualKind

_log = logging.getLogger(__name__)


def make_board(kind: VirtualKind, host: BoardHost, spec: VirtualBoardSpec) -> VirtualBoard:
    """Make a board without power.

    :param kind: names the factory.
    :param host: what the bench offers the board.
    :param spec: what it is to be.
    :raises UsageError: the factory does not exist or refuses the options.
    :raises BenchFault: the factory fails.
    """
    try:
        board: VirtualBoard = load_object(kind.factory)(host, spec)
    except HarnessError:
        raise
    except ValueError as error:
        raise UsageError(str(error), key=kind.kind, value=dict(spec.options)) from error
    except Exception as error:
        _log.exception("%s: factory %s failed", spec.id, kind.factory)
        raise BenchFault(
            f"factory {kind.factory} of kind {kind.kind!r} failed: {type(error).__name__}: {error}"
        ) from error
    return board
