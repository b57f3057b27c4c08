"""The typed client of a virtual bench's control socket."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from harness.errors import BenchFault
from harness.virtual import wire

if TYPE_CHECKING:
    from collections.abc import Mapping

CALL_SECONDS = 10.0

_READ_SIZE = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardState:
    """What the bench says of one board.

    :ivar id: its identity.
    :ivar kind: its kind.
    :ivar plugged: whether its ports exist.
    :ivar powered: whether its supply is on.
    :ivar ports: paths of its serial endpoints by role; empty while it is unplugged.
    :ivar properties: facts for the inventory.
    :ivar crashed: what the virtual board raised, if it did: a defect of the board's twin, not of a product.
    :ivar usb: ``serial`` and ``port`` (the hub port) in a USB lab; ``None``: it is not on USB.
    :ivar hung: what ends its standing still (:meth:`VirtualBoardControls.hang`); ``None``: it runs.
    """

    id: str
    kind: str
    plugged: bool
    powered: bool
    ports: Mapping[str, Path] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    crashed: str | None = None
    usb: Mapping[str, str | None] | None = None
    hung: str | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Make the state that the bench described.

        :raises BenchFault: the bench speaks another version of the protocol.
        """
        try:
            return cls(**{**data, "ports": {role: Path(path) for role, path in data["ports"].items()}})
        except (TypeError, KeyError, AttributeError) as error:
            raise BenchFault(f"the bench describes a board in a form that is not known: {error}") from error


class BenchClient:
    """Speaks to a bench. Threads may share one client; their calls go one after the other.

    It connects with its first call, and again after a call that failed.
    """

    def __init__(self, socket: str | Path, *, deadline: float = CALL_SECONDS) -> None:
        """Name the bench.

        :param socket: its control socket.
        :param deadline: seconds that each call may take.
        """
        self.socket = Path(socket)
        self._deadline = deadline
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._peer: Any = None
        self._received = bytearray()

    def __enter__(self) -> Self:
        """Use the client for a while."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection; a later call opens another."""
        with self._lock:
            self._hang_up()

    def boards(self) -> list[BoardState]:
        """Return every board in the order in which they were added."""
        return [BoardState.from_json(state) for state in self.request("boards")]

    def kinds(self) -> list[str]:
        """Return the kinds of board that may be added."""
        return [str(kind) for kind in self.request("kinds")]

    def add(
        self,
        kind: str,
        *,
        id: str | None = None,  # noqa: A002 - our word for it
        options: Mapping[str, Any] | None = None,
        usb: Mapping[str, Any] | None = None,
    ) -> BoardState:
        """Add a board, plugged and switched on.

        :param kind: its kind.
        :param id: its identity; ``None`` lets the bench name it.
        :param options: settings of the kind.
        :param usb: how it hangs on the USB lab: ``port``, ``serial`` (two boards may have the same one,
            ``None`` is a board without), ``plugged``, ``names``, ``auto_reset``; see
            :class:`harness.virtual.usb.options.UsbOptions`.
        :raises UsageError: no such kind, an unfit or taken identity, options that the kind refuses, or a
            place on USB that does not fit.
        """
        hanging = None if usb is None else dict(usb)
        return BoardState.from_json(
            self.request("add", kind=kind, id=id, options=dict(options or {}), usb=hanging)
        )

    def add_stranger(  # noqa: PLR0913 - the strings and numbers of one device descriptor
        self,
        *,
        id: str | None = None,  # noqa: A002 - our word for it
        vendor_id: int,
        product_id: int,
        manufacturer: str,
        product: str,
        serial: str | None = None,
        port: str | None = None,
        interfaces: int = 1,
        port_driver: str = "cdc_acm",
    ) -> VirtualBoardControls:
        """Plug a device into the USB lab that is nobody's board; its call ``heard`` says what was done to it.

        :param id: its identity on the bench; ``None`` lets the bench name it.
        :param vendor_id: USB vendor id.
        :param product_id: USB product id.
        :param manufacturer: the manufacturer string.
        :param product: the product string.
        :param serial: its serial number string, if it has one.
        :param port: the hub port; ``None``: a free one.
        :param interfaces: how many serial ports it has.
        :param port_driver: ``cdc_acm``, ``cp210x`` or ``ftdi_sio``.
        :raises UsageError: there is no USB lab, or something does not fit.
        """
        state = self.request(
            "add_stranger",
            id=id,
            vendor_id=vendor_id,
            product_id=product_id,
            manufacturer=manufacturer,
            product=product,
            serial=serial,
            port=port,
            interfaces=interfaces,
            port_driver=port_driver,
        )
        return self.board(BoardState.from_json(state).id)

    @property
    def usb_environment(self) -> dict[str, str]:
        """The variables that show a process the bench's USB lab; none without one."""
        return {str(key): str(value) for key, value in self.request("usb_environment").items()}

    def remove(self, id: str) -> None:  # noqa: A002 - our word for it
        """Take a board off the bench for good."""
        self.request("remove", board=id)

    def board(self, id: str) -> VirtualBoardControls:  # noqa: A002 - our word for it
        """Return the controls of a board; whether it exists shows with the first call."""
        return VirtualBoardControls(self, id)

    def shutdown(self) -> None:
        """End the bench."""
        self.request("shutdown")

    def request(self, method: str, /, **params: Any) -> Any:
        """Make one call.

        :param method: see :mod:`harness.virtual.control_methods`.
        :param params: its parameters.
        :raises UsageError: the bench says that what was asked for cannot be.
        :raises BenchFault: the bench refused, did not answer within the deadline or is not there.
        """
        with self._lock:
            number = next(self._ids)
            try:
                line = wire.encode({"id": number, "method": method, "params": params})
            except ValueError as error:
                raise BenchFault(f"{method}: parameters that JSON has no form for: {error}") from error
            try:
                answer = self._exchange(number, line)
            except TimeoutError as error:
                self._hang_up()
                raise BenchFault(
                    f"the bench at {self.socket} did not answer {method!r} within {self._deadline:g} s"
                ) from error
            except (OSError, ValueError) as error:
                self._hang_up()
                raise BenchFault(f"the bench at {self.socket} failed in {method!r}: {error}") from error
        wire.raise_error(answer)
        return answer.get("result")

    def _exchange(self, number: int, line: bytes) -> dict[str, Any]:
        deadline = time.monotonic() + self._deadline
        if self._peer is None:
            self._connect()
        self._peer.settimeout(self._deadline)
        self._peer.sendall(line)
        while True:
            answer = wire.decode(self._read_line(deadline))
            if answer.get("id") == number or ("error" in answer and answer.get("id") is None):
                return answer

    def _connect(self) -> None:
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        peer.settimeout(self._deadline)
        try:
            peer.connect(str(self.socket))
        except OSError as error:
            peer.close()
            raise BenchFault(f"no bench answers at {self.socket}: {error.strerror or error}") from error
        self._peer = peer
        self._received.clear()

    def _read_line(self, deadline: float) -> bytes:
        while (end := self._received.find(b"\n")) < 0:
            seconds = deadline - time.monotonic()
            if seconds <= 0:
                raise TimeoutError
            self._peer.settimeout(seconds)
            data = self._peer.recv(_READ_SIZE)
            if not data:
                raise ConnectionError("it hung up")
            self._received += data
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        return line

    def _hang_up(self) -> None:
        if self._peer is not None:
            with suppress(OSError):
                self._peer.close()
            self._peer = None


class VirtualBoardControls:
    """What can be done with one board of a virtual bench; fulfils :class:`harness.control.PowerSwitch`."""

    def __init__(self, client: BenchClient, id: str) -> None:  # noqa: A002 - our word for it
        """Control a board.

        :param client: the bench's client; it stays the caller's.
        :param id: the board's identity.
        """
        self._client = client
        self.id = id

    def state(self) -> BoardState:
        """Return what the bench says of the board."""
        return BoardState.from_json(self._client.request("state", board=self.id))

    def plug(self, port: str | None = None, names: Mapping[str, str] | None = None) -> None:
        """Make its ports appear; nothing happens when they exist.

        :param port: hub port, in a USB lab; ``None``: where it was.
        :param names: names of ttys by role, in a USB lab; those not given are the lowest free ones.
        :raises UsageError: port or name do not fit or are taken, or it is plugged in elsewhere.
        """
        self._client.request("plug", board=self.id, port=port, names=dict(names or {}))

    def unplug(self) -> None:
        """Make its ports vanish; the firmware runs on, power is another matter."""
        self._client.request("unplug", board=self.id)

    def replug(self, port: str | None = None, names: Mapping[str, str] | None = None) -> None:
        """Make its ports vanish and come back under other names.

        :param port: hub port, in a USB lab; ``None``: where it was.
        :param names: names of ttys by role, in a USB lab; those not given are others than before.
        :raises UsageError: port or name do not fit or are taken; the board stays where it is.
        """
        self._client.request("replug", board=self.id, port=port, names=dict(names or {}))

    def set_power(self, *, on: bool) -> None:
        """Switch its supply; the ports stay, as those of a kit's interface chip do.

        :raises BenchFault: the bench does not obey.
        """
        self._client.request("power", board=self.id, on=on)

    def reset(self) -> None:
        """Pulse its reset line.

        :raises BenchFault: the board has no power.
        """
        self._client.request("reset", board=self.id)

    def hang(self, until: str = "power") -> None:
        """Let its firmware stand still: it hears and says nothing, as a board does that has gone wrong.

        It does not end with the test: bringing the board back is the session's business.

        :param until: ``reset``: a pulse on the reset line, or a power cycle, ends it; ``power``: only a power
            cycle; ``never``: nothing does.
        :raises BenchFault: there is no such end.
        """
        self._client.request("hang", board=self.id, until=until)

    def shape(
        self,
        role: str = "console",
        *,
        bytes_per_second: float | None = None,
        chunk: int | None = None,
        gap: float | None = None,
        garble: float | None = None,
        silent: bool = False,
        seed: int = 0,
    ) -> None:
        """Put faults on a line, in the direction from the board to us; they replace those it had.

        :param role: which line.
        :param bytes_per_second: it carries no more than this.
        :param chunk: bytes arrive in pieces of at most this size.
        :param gap: seconds between two pieces (a millisecond when not given).
        :param garble: probability that a byte arrives with one bit flipped.
        :param silent: nothing arrives.
        :param seed: makes the flipped bits repeatable.
        :raises BenchFault: no such line, or a value out of its range.
        """
        self._client.request(
            "shape",
            board=self.id,
            role=role,
            bytes_per_second=bytes_per_second,
            chunk=chunk,
            gap=gap,
            garble=garble,
            silent=silent,
            seed=seed,
        )

    def unshape(self, role: str | None = None) -> None:
        """Take the faults off one line, or off all."""
        self._client.request("unshape", board=self.id, role=role)

    def clear_faults(self) -> None:
        """End every fault that was ordered: the board's own, those of its lines, a pulled cable, no power.

        The harness does so after each test.
        """
        self._client.request("clear_faults", board=self.id)

    def call(self, method: str, /, **params: Any) -> Any:
        """Make a control call of the vendor's own.

        :raises BenchFault: the board refuses it; the text says why.
        """
        return self._client.request("call", board=self.id, method=method, params=params)
