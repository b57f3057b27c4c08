"""What can be asked of a bench over its control socket: parameters in, the bench's own calls out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError
from harness.virtual.cables import Placement
from harness.virtual.shaping import Shape
from harness.virtual.usb.options import stranger_presentation

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.virtual.bench import Bench
    from harness.virtual.hosted import HostedBoard
    from harness.virtual.wire import Request

    Done = Callable[[Any], None]
    Failed = Callable[[Exception], None]


class _Params:
    """The parameters of one request, each taken once and with its type."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = dict(values)

    def take(self, name: str, *types: type, default: Any = None, needed: bool = False) -> Any:
        """Return a parameter.

        :raises ValueError: it is missing or of another type.
        """
        if needed and name not in self._values:
            raise ValueError(f"parameter {name!r} is missing")
        value = self._values.pop(name, default)
        if value is None and not needed:
            return default
        # JSON's true is no number, though Python's is.
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            wanted = " or ".join(each.__name__ for each in types)
            raise ValueError(f"parameter {name!r}: expected {wanted}, got {value!r}")
        return value

    def take_number(self, name: str) -> float | None:
        """Return a parameter that is a number, or ``None``.

        :raises ValueError: it is of another type or beyond all measure.
        """
        value = self.take(name, int, float)
        try:
            return None if value is None else float(value)
        except OverflowError as error:
            raise ValueError(f"parameter {name!r}: too large") from error

    def finish(self) -> None:
        """Refuse parameters that nobody took.

        :raises ValueError: there are some.
        """
        if self._values:
            raise ValueError(f"unknown parameter {min(self._values)!r}")


def _placement(params: _Params) -> Placement:
    """Take where a board is to be plugged in.

    :raises ValueError: of another type.
    """
    names = params.take("names", dict, default={})
    if not all(isinstance(name, str) for name in names.values()):
        raise ValueError(f"parameter 'names': expected names of ttys by role, got {names!r}")
    return Placement(port=params.take("port", str), names=names)


class ControlMethods:
    """Performs requests on a bench."""

    def __init__(self, bench: Bench, stop: Callable[[], None]) -> None:
        """Serve a bench.

        :param bench: the bench.
        :param stop: ends it.
        """
        self._bench = bench
        self._stop = stop
        self._of_bench: dict[str, Callable[[_Params, Done], None]] = {
            "ping": self._ping,
            "kinds": self._kinds,
            "boards": self._boards,
            "add": self._add,
            "add_stranger": self._add_stranger,
            "usb_environment": self._usb_environment,
            "shutdown": self._shutdown,
        }
        self._of_board: dict[str, Callable[[HostedBoard, _Params, Done, Failed], None]] = {
            "state": self._state,
            "remove": self._remove,
            "plug": self._plug,
            "unplug": self._unplug,
            "replug": self._replug,
            "power": self._power,
            "reset": self._reset,
            "hang": self._hang,
            "shape": self._shape,
            "unshape": self._unshape,
            "clear_faults": self._clear_faults,
            "call": self._call,
        }

    def perform(self, request: Request, done: Done, failed: Failed) -> None:
        """Do what a request asks for.

        :param request: the request.
        :param done: called with the result, now or later.
        :param failed: called instead with what went wrong; never after ``done``.
        """
        params = _Params(request.params)

        def guarded(action: Callable[[], None]) -> None:
            try:
                action()
            except Exception as error:  # noqa: BLE001 - whatever goes wrong is told to whoever asked
                failed(error)

        def begin() -> None:
            if request.method in self._of_bench:
                self._of_bench[request.method](params, done)
                return
            method = self._of_board.get(request.method)
            if method is None:
                known = ", ".join(sorted([*self._of_bench, *self._of_board]))
                raise UsageError("no such method", key="method", value=request.method, expected=known)
            board_id: str = params.take("board", str, needed=True)

            def settled() -> None:
                # Looked up only now: while it was being pulled it may have been removed.
                method(self._bench.board(board_id), params, done, failed)

            self._bench.board(board_id).when_settled(lambda: guarded(settled))

        guarded(begin)

    def _ping(self, params: _Params, done: Done) -> None:
        params.finish()
        done({"pid": os.getpid()})

    def _kinds(self, params: _Params, done: Done) -> None:
        params.finish()
        done(sorted(self._bench.kinds))

    def _boards(self, params: _Params, done: Done) -> None:
        params.finish()
        done([board.describe() for board in self._bench.boards()])

    def _add(self, params: _Params, done: Done) -> None:
        kind = params.take("kind", str, needed=True)
        board_id = params.take("id", str)
        options = params.take("options", dict, default={})
        usb = params.take("usb", dict)
        params.finish()
        done(self._bench.add(kind, board_id, options, usb).describe())

    def _add_stranger(self, params: _Params, done: Done) -> None:
        board_id = params.take("id", str)
        serial = params.take("serial", str)
        port = params.take("port", str)
        usb = stranger_presentation(
            vendor_id=params.take("vendor_id", int, needed=True),
            product_id=params.take("product_id", int, needed=True),
            manufacturer=params.take("manufacturer", str, needed=True),
            product=params.take("product", str, needed=True),
            interfaces=params.take("interfaces", int, default=1),
            port_driver=params.take("port_driver", str, default="cdc_acm"),
        )
        params.finish()
        done(self._bench.add_stranger(usb, serial=serial, board_id=board_id, port=port).describe())

    def _usb_environment(self, params: _Params, done: Done) -> None:
        params.finish()
        done(self._bench.usb_environment)

    def _shutdown(self, params: _Params, done: Done) -> None:
        params.finish()
        done(None)
        self._stop()

    def _state(self, board: HostedBoard, params: _Params, done: Done, _failed: Failed) -> None:
        params.finish()
        done(board.describe())

    def _remove(self, board: HostedBoard, params: _Params, done: Done, _failed: Failed) -> None:
        params.finish()
        self._bench.remove(board.spec.id, lambda: done(None))

    def _plug(self, board: HostedBoard, params: _Params, done: Done, _failed: Failed) -> None:
        placement = _placement(params)
        params.finish()
        board.plug(placement)
        done(None)

    def _unplug(self, board: HostedBoard, params: _Params, done: Done, _failed: Failed) -> None:
        params.finish()
        board.unplug(lambda: done(None))

    def _replug(self, board: HostedBoard, params: _Params, done: Done, failed: Failed) -> None:
        placement = _placement(params)
        params.finish()
        board.come_back(lambda problem: done(None) if problem is None else failed(problem), placement)

    def _power(self, board: HostedBoard, params: _Params, done: Done, _failed: Failed) -> None:
        on = params.take("on", bool, needed=True)
        params.finish()
        board.set_power(on=on)
        done(None)

    def _reset(self, board: HostedBoard, params: _Params, done: Done, _failed: Failed) -> None:
        params.finish()
        board.reset()
        done(None)

    def _hang(self, board: HostedBoard, params: _Params, done: Done, _failed: Failed) -> None:
        until = params.take("until", str, needed=True)
        params.finish()
        board.hang(until)
        done(None)

    def _shape(self, board: HostedBoard, params: _Params, done: Done, _failed: Failed) -> None:
        role = params.take("role", str, needed=True)
        gap = params.take_number("gap")
        shape = Shape(
            bytes_per_second=params.take_number("bytes_per_second"),
            chunk=params.take("chunk", int),
            gap=Shape().gap if gap is None else gap,
            garble=params.take_number("garble"),
            silent=params.take("silent", bool, default=False),
            seed=params.take("seed", int, default=0),
        )
        params.finish()
        board.shape(role, shape)
        done(None)

    def _unshape(self, board: HostedBoard, params: _Params, done: Done, _failed: Failed) -> None:
        role = params.take("role", str)
        params.finish()
        board.unshape(role)
        done(None)

    def _clear_faults(self, board: HostedBoard, params: _Params, done: Done, _failed: Failed) -> None:
        params.finish()
        board.clear_faults()
        done(None)

    def _call(self, board: HostedBoard, params: _Params, done: Done, _failed: Failed) -> None:
        method = params.take("method", str, needed=True)
        arguments = params.take("params", dict, default={})
        params.finish()
        done(board.call(method, arguments))
