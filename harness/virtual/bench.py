"""The boards of one virtual bench and what can be done with them; knows no socket."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

from harness.errors import BenchFault, HarnessError, UsageError
from harness.virtual.access import PRIVATE
from harness.virtual.async_thread import AsyncThread
from harness.virtual.cables import PlainCable
from harness.virtual.contract import UsbPresentation, VirtualBoardSpec, VirtualKind
from harness.virtual.hosted import HostedBoard
from harness.virtual.loop import READABLE
from harness.virtual.ports import PortNames
from harness.virtual.tty_watch import TtyWatch
from harness.virtual.usb.cable import UsbCable
from harness.virtual.usb.options import UsbOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from harness.virtual.access import BenchAccess
    from harness.virtual.cables import Cable
    from harness.virtual.loop import Loop
    from harness.virtual.usb.lab import UsbLab

# An identity becomes part of file names: captures, leases, reports.
_BOARD_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_log = logging.getLogger(__name__)


def join_kinds(groups: Iterable[Iterable[VirtualKind]]) -> dict[str, VirtualKind]:
    """Put the kinds of several plugins together, by name.

    :raises UsageError: two plugins give the same kind.
    """
    kinds: dict[str, VirtualKind] = {}
    for kind in (kind for group in groups for kind in group):
        known = kinds.setdefault(kind.kind, kind)
        if known != kind:
            raise UsageError(
                f"kind {kind.kind!r} is given twice, by {known.factory!r} and {kind.factory!r}",
                key="harness_virtual_boards",
            )
    return kinds


class Bench:
    """Every board of the bench. It belongs to the loop's thread."""

    def __init__(
        self,
        loop: Loop,
        ports_directory: Path,
        kinds: Mapping[str, VirtualKind],
        access: BenchAccess = PRIVATE,
        lab: UsbLab | None = None,
    ) -> None:
        """Start with no board.

        :param loop: the loop that serves the boards.
        :param ports_directory: an existing directory for the links of their ports.
        :param kinds: kinds of board that may be asked for, by name.
        :param access: who may use the boards.
        :param lab: where boards are plugged in that have a USB presentation; it stays the caller's.
        """
        self.kinds = kinds
        self._lab = lab
        self._loop = loop
        self._async_thread = AsyncThread()
        self._names = PortNames(ports_directory)
        self._boards: dict[str, HostedBoard] = {}
        self._made = 0
        self._access = access
        self._watch: TtyWatch | None = None
        try:
            watch = TtyWatch()
        except OSError as error:
            _log.warning("no inotify (%s): ports keep what was sent while nobody read", error)
        else:
            self._watch = watch
            loop.watch(watch.fd, READABLE, lambda _events: watch.dispatch(), first=True)

    def boards(self) -> list[HostedBoard]:
        """Return every board in the order in which they were added."""
        return list(self._boards.values())

    def board(self, board_id: str) -> HostedBoard:
        """Return one board.

        :raises BenchFault: there is none of that identity.
        """
        board = self._boards.get(board_id)
        if board is None:
            known = ", ".join(list(self._boards)[:8]) or "none at all"
            raise BenchFault(f"the bench has no board {board_id!r}; it has {known}")
        return board

    @property
    def usb_environment(self) -> dict[str, str]:
        """The variables that show a process the bench's USB lab; none without one."""
        return {} if self._lab is None else dict(self._lab.environment)

    def add(
        self,
        kind: str,
        board_id: str | None,
        options: Mapping[str, Any],
        usb: Mapping[str, Any] | None = None,
    ) -> HostedBoard:
        """Make a board, plug it and switch it on.

        :param kind: its kind.
        :param board_id: its identity; ``None`` lets the bench name it.
        :param options: settings of the kind.
        :param usb: how it hangs on the USB lab: fields of :class:`harness.virtual.usb.options.UsbOptions`.
        :raises UsageError: no such kind, an unfit or taken identity, or options that the kind refuses.
        :raises BenchFault: the kind's factory fails or there is no pty left.
        """
        known = self.kinds.get(kind)
        if known is None:
            raise UsageError(
                "no plugin gives this kind of virtual board",
                key="kind",
                value=kind,
                expected=", ".join(sorted(self.kinds)) or "a plugin with harness_virtual_boards",
            )
        return self._host(known, board_id, options, usb)

    def add_stranger(
        self, usb: UsbPresentation, *, serial: str | None, board_id: str | None, port: str | None
    ) -> HostedBoard:
        """Plug a device into the USB lab that is nobody's board and remembers what is done to it.

        :param usb: how it presents itself.
        :param serial: its serial number string, if it has one.
        :param board_id: its identity; ``None`` lets the bench name it.
        :param port: the hub port; ``None``: a free one.
        :raises UsageError: there is no lab, or something does not fit.
        :raises BenchFault: there is no pty left.
        """
        stranger = VirtualKind(
            kind="stranger",
            factory="harness.virtual.usb.stranger:create",
            roles=tuple(usb.interfaces),
            usb=usb,
        )
        return self._host(
            stranger, board_id, {}, {"serial": serial, **({} if port is None else {"port": port})}
        )

    def _host(
        self,
        kind: VirtualKind,
        board_id: str | None,
        options: Mapping[str, Any],
        usb: Mapping[str, Any] | None,
    ) -> HostedBoard:
        spec = VirtualBoardSpec(
            id=self._identity(kind.kind, board_id), kind=kind.kind, number=self._made, options=options
        )
        hanging = UsbOptions.read(usb)
        board = HostedBoard(
            spec,
            kind,
            loop=self._loop,
            async_thread=self._async_thread,
            cable=self._cable(kind, spec, None if usb is None else hanging),
            watch=self._watch,
            access=self._access,
            auto_reset=hanging.auto_reset,
        )
        try:
            if hanging.plugged:
                board.plug(hanging.placement)
        except HarnessError:
            board.close()
            raise
        self._made += 1
        self._boards[spec.id] = board
        board.set_power(on=True)
        return board

    def _cable(self, kind: VirtualKind, spec: VirtualBoardSpec, wanted: UsbOptions | None) -> Cable:
        if self._lab is not None and kind.usb is not None:
            options = wanted or UsbOptions()
            return UsbCable(self._lab, kind.usb, options.serial_of(kind.usb, spec.number), port=options.port)
        if wanted is not None:
            raise UsageError(
                "the bench has no USB lab"
                if self._lab is None
                else f"kind {kind.kind!r} has no USB presentation",
                key="usb",
                expected="start_bench(usb=True) or harness bench up --usb, and a kind with VirtualKind.usb",
            )
        return PlainCable(self._names)

    def _identity(self, kind: str, board_id: str | None) -> str:
        if board_id is None:
            number = self._made
            while f"{kind}-{number}" in self._boards:
                number += 1
            return f"{kind}-{number}"
        if not _BOARD_ID.fullmatch(board_id):
            raise UsageError(
                "not fit for a board's identity",
                key="id",
                value=board_id,
                expected="1 to 64 letters, digits, '.', '_' and '-', beginning with a letter or digit",
            )
        if board_id in self._boards:
            raise UsageError("the bench has a board of this identity", key="id", value=board_id)
        return board_id

    def remove(self, board_id: str, gone: Callable[[], None]) -> None:
        """Take a board off the bench for good.

        :param board_id: its identity.
        :param gone: called when nothing of it is left.
        :raises BenchFault: there is no such board.
        """
        board = self.board(board_id)

        def unplugged() -> None:
            board.close()
            gone()

        board.unplug(unplugged)
        del self._boards[board_id]

    def close(self) -> None:
        """End every board at once."""
        for board in self._boards.values():
            board.close()
        self._boards.clear()
        self._async_thread.close()
        if self._watch is not None:
            self._loop.unwatch(self._watch.fd)
            self._watch.close()
            self._watch = None
