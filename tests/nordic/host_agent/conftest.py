"""A modem of literal answers for the tests of the agent on the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.errors import ConsoleTimeout, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable


class ScriptedModem:
    """Answers what it was told to, keeps what it was asked; a board that starts with CMEE=0 and CFUN=1."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.timeouts: dict[str, float] = {}
        self.numbers = 0
        self.mode = 1
        self.time: str | None = "26/11/21,07:00:00+00"
        self.takes_time = True
        self.answers: dict[str, str] = {}
        self.silent: set[str] = set()
        self.forbidden: set[str] = set()

    def answer(self, command: str, timeout: float) -> str:
        self.asked.append(command)
        self.timeouts[command] = timeout
        if command in self.silent:
            raise ConsoleTimeout(f"no answer to {command}")
        if command in self.answers:
            return self.answers[command]
        name, _, value = command.partition("=")
        if name == "AT+CMEE" and value:
            self.numbers = int(value)
        elif name == "AT+CFUN" and value:
            self.mode = int(value)
        elif name == "AT+CCLK" and value and self.takes_time:
            self.time = value.strip('"')
        told = {
            "AT%SHORTSWVER": "%SHORTSWVER: nrf91x1_2.0.2",
            "AT+CMEE?": f"+CMEE: {self.numbers}",
            "AT+CFUN?": f"+CFUN: {self.mode}",
            'AT%JWT=0,300,"",""': '%JWT: "head.body.signature"',
            "AT%CCLK?": None if self.time is None else f'%CCLK: "{self.time}",0',
        }
        if command not in told:
            return "OK\r\n"
        line = told[command]
        return "ERROR\r\n" if line is None else f"{line}\r\nOK\r\n"

    def check_allowed(self, commands: Iterable[str]) -> None:
        for command in commands:
            if command in self.forbidden:
                raise UsageError(f"{command} is not ours")


@pytest.fixture
def modem() -> ScriptedModem:
    """A modem that has time and answers everything with OK."""
    return ScriptedModem()
