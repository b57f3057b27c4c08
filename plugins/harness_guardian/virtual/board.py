"""The virtual component: firmware with the provisioning agent, on a console or reached by SSH.

A ``guardian-component-virtual`` is a device whose console speaks the agent's dialect; with the option ``ssh``
it is reached by SSH, too. A ``guardian-gateway-virtual`` is a Linux component: its console carries a boot log
and hears nothing, its agent is reached by SSH.
"""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from harness.virtual.clock import BoardClock
from harness.virtual.power_points import PowerLost, PowerPoints
from harness_guardian.virtual.agent import Agent
from harness_guardian.virtual.agent_ssh import AgentSsh
from harness_guardian.virtual.commands import Caller, Commands, Model
from harness_guardian.virtual.component import Component
from harness_guardian.virtual.console import AgentConsole
from harness_guardian.virtual.controls import Controls
from harness_guardian.virtual.forging import Forging
from harness_guardian.virtual.kinds import BOOT_LOG, FIRMWARE, KINDS, ComponentKind
from harness_guardian.virtual.power import POINTS
from harness_guardian.virtual.settings import AgentSettings, check_setting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.virtual.contract import BoardHost, VirtualBoard, VirtualBoardSpec
    from harness_guardian.virtual.replies import Reply

_CONSOLE = "console"


class GuardianComponent:
    """One board. Everything happens on the bench's loop thread but the agent's exchanges and SSH itself."""

    def __init__(self, host: BoardHost, spec: VirtualBoardSpec) -> None:
        """Make a blank board without power.

        :param host: the bench.
        :param spec: kind, number and options: the fields of
            :class:`~harness_guardian.virtual.settings.AgentSettings`, and ``ssh``.
        :raises ValueError: the kind or an option is unknown, or does not fit.
        """
        self._kind = _kind(spec.kind)
        with_ssh, settings = _options(spec.options, self._kind)
        self._host = host
        self._powered = False
        self._model = Model(self._kind.model, FIRMWARE, self._kind.serial.format(number=spec.number))
        points, clock, forging = PowerPoints(POINTS), BoardClock(), Forging()
        points.connect(self._lose_power)
        self._agent = Agent(host, Component(points, clock, forging), settings, points)
        self._commands = Commands(self._agent, self._model)
        self._console = AgentConsole(self._commands, lambda data: host.send(_CONSOLE, data))
        self._ssh = AgentSsh(host, self._execute_remotely, spec.id) if with_ssh else None
        self._controls = Controls(self._agent, points, clock, forging, self._ssh)

    def power_on(self) -> None:
        """Boot."""
        self._powered = True
        if self._ssh is not None:
            self._ssh.open()
        if self._kind.console_agent:
            self._console.say(f"+BOOT: guardian-agent {self._model.firmware}")
            return
        known = {"model": self._model.name, "firmware": self._model.firmware, "serial": self._model.serial}
        for line in BOOT_LOG:
            self._console.say(line.format(**known))

    def power_off(self) -> None:
        """Lose everything that is not kept without power."""
        self._powered = False
        self._agent.stop()
        self._console.clear()
        if self._ssh is not None:
            self._ssh.shut()

    def reset(self) -> None:
        """Boot anew."""
        self.power_off()
        self.power_on()

    def receive(self, role: str, data: bytes) -> None:
        """Take bytes; the console of a gateway does not listen."""
        if role == _CONSOLE and self._powered and self._kind.console_agent:
            with suppress(PowerLost):  # what is left of the data goes nowhere
                self._console.receive(data)

    def clear_faults(self) -> None:
        """End every fault, and be built again as at first."""
        self._controls.clear_faults()

    def describe(self) -> Mapping[str, str]:
        """Return facts for the inventory."""
        return {
            "model": self._model.name,
            "firmware": self._model.firmware,
            "serial": self._model.serial,
            **({} if self._ssh is None else self._ssh.describe()),
        }

    def call(self, method: str, params: Mapping[str, Any]) -> Any:
        """Answer a control call; see :class:`~harness_guardian.virtual.controls.Controls`.

        :raises ValueError: unknown method or unfit parameters.
        """
        return self._controls.call(method, params)

    def close(self) -> None:
        """Stop the agent and SSH."""
        self._powered = False
        self._agent.stop()
        if self._ssh is not None:
            self._ssh.close()

    def _lose_power(self, comes_back: bool) -> None:  # noqa: FBT001 - the form of the callback
        self._host.cut_power(comes_back=comes_back)

    def _execute_remotely(
        self, words: Sequence[str], content: bytes, answer: Callable[[Reply], None]
    ) -> None:
        """Execute a command that came by SSH; from any thread."""

        def execute() -> None:
            if self._powered:
                with suppress(PowerLost):  # whoever asked is cut off
                    self._commands.execute(words, Caller(content=content), answer)

        self._host.call_soon(execute)


def create(host: BoardHost, spec: VirtualBoardSpec) -> VirtualBoard:
    """Make a virtual component: the factory that ``harness_virtual_boards`` names."""
    return GuardianComponent(host, spec)


def _kind(name: str) -> ComponentKind:
    if name not in KINDS:
        raise ValueError(f"unknown kind {name!r}; expected one of {', '.join(KINDS)}")
    return KINDS[name]


def _options(options: Mapping[str, Any], kind: ComponentKind) -> tuple[bool, AgentSettings]:
    """Part the options into whether there is SSH and how the agent is built."""
    built = {name: value for name, value in options.items() if name != "ssh"}
    for name, value in built.items():
        check_setting(name, value)
    ssh = options.get("ssh", kind.ssh)
    if not isinstance(ssh, bool):
        raise ValueError(f"ssh is {ssh!r}; expected true or false")  # noqa: TRY004 - the contract's error
    if not ssh and not kind.console_agent:
        raise ValueError("ssh is False; this kind is reached by SSH alone")
    return ssh, dataclasses.replace(AgentSettings(), **built)
