"""Toy boards for the tests of the bench: each does one thing well, or one thing wrong on purpose."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from harness.virtual import ports

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.virtual.contract import BoardHost, VirtualBoardSpec


class ToyBoard:
    """Answers lines, remembers what happened to it, and misbehaves when it is told to."""

    def __init__(self, host: BoardHost, spec: VirtualBoardSpec) -> None:
        """Take the options ``banner`` (sent at boot) and ``stubborn`` (blocks when the bench ends)."""
        self.host = host
        self.spec = spec
        self.events: list[str] = []
        self.line = bytearray()
        self.heard: list[str] = []
        self.threads: list[str] = []

    def power_on(self) -> None:
        """Boot."""
        self.events.append("power_on")
        self.host.send("console", b"boot\r\n")

    def power_off(self) -> None:
        """Lose power and what was typed."""
        self.events.append("power_off")
        self.line.clear()

    def reset(self) -> None:
        """Say so."""
        self.events.append("reset")
        self.host.send("console", b"reset\r\n")

    def receive(self, role: str, data: bytes) -> None:
        """Answer each line with itself and ``OK``."""
        self.line += data
        while (end := self.line.find(b"\r")) >= 0:
            line = bytes(self.line[:end]).strip()
            del self.line[: end + 1]
            if line == b"crash":
                raise RuntimeError("told to crash")
            if line == b"hang":
                threading.Event().wait(30)
            if line == b"big":
                self.host.send(role, bytes(range(256)) * 4096)
                continue
            self.host.send(role, line + b"\r\nOK\r\n")
            self.heard.append(line.decode(errors="replace"))

    def clear_faults(self) -> None:
        """Remember that it was asked."""
        self.events.append("clear_faults")

    def describe(self) -> Mapping[str, str]:
        """Say what the spec said."""
        return {
            "number": str(self.spec.number),
            **{key: str(self.spec.options[key]) for key in self.spec.options},
        }

    def call(self, method: str, params: Mapping[str, Any]) -> Any:
        """Do what the tests need."""
        calls: dict[str, Callable[..., Any]] = {
            "events": lambda: self.events,
            "heard": lambda: self.heard,
            "send": lambda text, role="console": self.host.send(role, text.encode()),
            "later": self._later,
            "blocking": self._blocking,
            "threads": lambda: self.threads,
            "failing_work": lambda: self.host.run_blocking(self._fail),
            "replug": self.host.replug,
            "drain": self._drain,
            "cut_power": lambda comes_back: self.host.cut_power(comes_back=comes_back),
            "cut_and_off": self._cut_and_off,
            "unspeakable": object,
            "crash": self._fail,
            "echo": lambda **params: params,
        }
        if method not in calls:
            raise ValueError(f"a toy cannot {method}")
        return calls[method](**params)

    def _later(self, seconds: float, text: str, *, cancel: bool = False) -> None:
        timer = self.host.call_later(seconds, lambda: self.host.send("console", text.encode()))
        if cancel:
            timer.cancel()

    @staticmethod
    def _drain(seconds: float) -> float:
        """Change how long a board of this bench that vanishes waits for its readers; tell how long it was."""
        usual, ports.DRAIN_SECONDS = ports.DRAIN_SECONDS, seconds
        return usual

    def _blocking(self, text: str) -> None:
        def work() -> None:
            self.threads.append(threading.current_thread().name)
            # From a thread that is not the loop's: timers, calls and bytes all have to find their way.
            self.host.call_later(0.01, lambda: self.host.send("console", text.encode()))
            self.host.call_soon(lambda: self.events.append("called soon"))
            self.host.send("console", b"working\r\n")

        self.host.run_blocking(work)

    def _cut_and_off(self) -> None:
        self.host.cut_power(comes_back=True)
        self.host.cut_power(comes_back=False)

    def _fail(self) -> None:
        raise RuntimeError("this work fails")

    def close(self) -> None:
        """End; a crashing board crashes here too."""
        if self.spec.options.get("close") == "crash":
            raise RuntimeError("told to crash at the end")


def make(host: BoardHost, spec: VirtualBoardSpec) -> ToyBoard:
    """Make a toy; the option ``refuse`` makes the factory refuse it, ``fail`` makes it fail."""
    if "refuse" in spec.options:
        raise ValueError("refuse: toys take no such option")
    if "fail" in spec.options:
        raise RuntimeError("the factory is broken")
    return ToyBoard(host, spec)
