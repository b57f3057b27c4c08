"""The virtual nRF91 board: an AT host on its console, a log on its trace endpoint, an agent inside.

The firmware is that of the Serial Modem application with the provisioning overlay (Serial Modem
documentation, "nRF Provisioning AT commands"): ``AT#XNRFPROV`` starts provisioning and is answered ``OK`` at
once; ``#XNRFPROV: <n>`` tells how it ended: 0 done or nothing to do, -1 failed, -2 not claimed, -3 wrong root
CA, -4 no time, -5 too many commands, -6 fatal; 1 and 2 ask the host to take LTE down and up.

``AT#XRESET`` is answered ``OK`` and boots anew (the same documentation, "Generic AT commands"). With the
option ``reset_replugs`` every reset takes the board off USB too, as where the firmware that resets is the USB
device: it comes back under other tty names, and nobody hears its banner.

With the option ``discipline`` ``at-shell`` the firmware is that of an application with a Zephyr shell
(nrfcloud fact sheet, sections 6.2 and 6.3): it has none of these commands, and its log comes on the console
too.
``AT#PROVSTART`` and ``AT#PROVCFG`` (section 3.9) both have.

[design] Unlike that application ours takes LTE down and up itself, unless the option ``lte_control`` is
``host``, and it provisions by HTTP unless the option ``transport`` is ``coap``.
"""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from harness.virtual.power_points import PowerLost
from harness_nordic.virtual.agent import Agent
from harness_nordic.virtual.agent_log import AgentLog
from harness_nordic.virtual.agent_settings import AT_SHELL, AgentSettings, check_choice
from harness_nordic.virtual.at_syntax import AtCommand, Form
from harness_nordic.virtual.console_line import ConsoleLine
from harness_nordic.virtual.controls import Controls
from harness_nordic.virtual.credentials import CAPACITY, CredentialStore
from harness_nordic.virtual.errors import AtError
from harness_nordic.virtual.firmware_settings import FirmwareSettings
from harness_nordic.virtual.identity import make_identity
from harness_nordic.virtual.kinds import KINDS, BoardModel
from harness_nordic.virtual.modem import Modem
from harness_nordic.virtual.power import BoardPoints
from harness_nordic.virtual.radio import Radio, RadioSettings
from harness_nordic.virtual.tls_credentials import TlsCredentials

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.virtual.contract import BoardHost, VirtualBoard, VirtualBoardSpec

_OWN_OPTIONS = {
    "terminator": "CR",
    "capacity": CAPACITY,
    "boot_mode": 1,
    "network_delay": 0.002,
    "reset_replugs": False,
}


class Nrf91Board:
    """One board. Everything happens on the bench's loop thread but the agent's waiting."""

    def __init__(self, host: BoardHost, spec: VirtualBoardSpec) -> None:
        """Make a board without power, with an identity of its own.

        :param host: the bench.
        :param spec: kind, number and options: the fields of
            :class:`~harness_nordic.virtual.agent_settings.AgentSettings`, ``terminator``, ``capacity``,
            ``boot_mode``, ``network_delay`` and ``reset_replugs``.
        :raises ValueError: the kind or an option is unknown.
        """
        model = _model(spec.kind)
        own, built = _options(spec.options)
        usual = {
            "board": model.board,
            "rx_size": model.rx_size,
            "tx_size": model.tx_size,
            "discipline": model.discipline,
        }
        self._host = host
        self._powered = False
        self._restarting = False
        self._reset_replugs = bool(own["reset_replugs"])
        self.identity = make_identity(spec.number, model.chip)
        points = BoardPoints()
        points.connect(self._lose_power)
        self.store = CredentialStore(self.identity, capacity=own["capacity"], points=points)
        self.settings = FirmwareSettings(points)
        self.tls_credentials = TlsCredentials(points)
        self.log = AgentLog(lambda data: host.send("trace", data), self._print_log)
        self.modem = Modem(
            self.identity,
            self.store,
            application={
                "#XNRFPROV": self._serial_modem(self._provisioning_command),
                "#XRESET": self._serial_modem(self._reset_command),
                "#PROVSTART": self._start_command,
                "#PROVCFG": self._configuration_command,
            },
            points=points,
        )
        self.agent = Agent(
            host,
            self.modem,
            self.settings,
            AgentSettings(**{**usual, **built}),
            self.log,
            announce=self._announce,
        )
        self.modem.radio = Radio(
            host,
            self.modem.clock,
            RadioSettings(boot_mode=own["boot_mode"], delay=own["network_delay"]),
            changed=self.agent.state_changed,
            announce=self._notify,
        )
        self._line = ConsoleLine(
            host,
            self.modem,
            self.agent,
            self.tls_credentials,
            terminator=own["terminator"],
            reboot=self._reset_soon,
        )
        self._controls = Controls(
            self.identity,
            self.modem,
            self.store,
            self.settings,
            self.agent,
            self.log,
            tls_credentials=self.tls_credentials,
            flashed=self._boot_flashed,
        )

    def power_on(self) -> None:
        """Boot."""
        self._boot()
        self._line.greet()

    def _boot_again(self) -> None:
        if self._restarting:
            self._boot()

    def _boot(self) -> None:
        self._restarting = False
        self._powered = True
        self.log.booted()
        self._line.boot()
        self.modem.boot()
        self.agent.boot()

    def power_off(self) -> None:
        """Lose everything that is not kept without power."""
        self._restarting = False
        self._powered = False
        self.agent.stop()
        self.modem.stop()
        self._line.clear()

    def reset(self) -> None:
        """Boot anew."""
        self.power_off()
        if self._reset_replugs:
            self._restarting = True
            self._host.replug()
            self._host.call_soon(self._boot_again)  # behind that: what came by the old ports is for nobody
        else:
            self.power_on()

    def receive(self, role: str, data: bytes) -> None:
        """Take bytes; the trace endpoint does not listen."""
        if role == "console" and self._powered:
            with suppress(PowerLost):  # what is left of the data goes nowhere
                self._line.receive(data)

    def clear_faults(self) -> None:
        """End every fault, and be built again as at first."""
        self._controls.clear_faults()

    def describe(self) -> Mapping[str, str]:
        """Return facts for the inventory."""
        return {
            "imei": self.identity.imei,
            "uuid": str(self.identity.uuid),
            "model": self.identity.chip.model,
        }

    def call(self, method: str, params: Mapping[str, Any]) -> Any:
        """Answer a control call; see :class:`~harness_nordic.virtual.controls.Controls`.

        :raises ValueError: unknown method or unfit parameters.
        """
        return self._controls.call(method, params)

    def close(self) -> None:
        """Stop the agent."""
        self._powered = False
        self.agent.stop()

    def _lose_power(self, comes_back: bool) -> None:  # noqa: FBT001 - the form of the callback
        self._host.cut_power(comes_back=comes_back)

    def _announce(self, line: str) -> None:
        self._line.announce(line)

    def _notify(self, line: str) -> None:
        self._line.notify(line)

    def _print_log(self, line: str) -> None:
        """Have a line of the log printed on the console; from any thread."""
        if self.agent.settings.discipline == AT_SHELL:
            self._host.call_soon(lambda: self._line.log(line))

    def _serial_modem(self, command: Callable[[AtCommand], list[str]]) -> Callable[[AtCommand], list[str]]:
        """Give a command that the Serial Modem application has, and firmware with a shell has not."""

        def run(typed: AtCommand) -> list[str]:
            if self.agent.settings.discipline == AT_SHELL:
                raise AtError
            return command(typed)

        return run

    def _boot_flashed(self) -> None:
        """Boot firmware that was just written; without power it boots when the power comes."""
        if self._powered:
            self.reset()

    def _reset_command(self, command: AtCommand) -> list[str]:
        if command.form is not Form.EXECUTE:
            raise AtError
        self._reset_soon()  # its answer leaves first
        return []

    def _reset_soon(self) -> None:
        self._host.call_soon(self._reset_if_powered)

    def _reset_if_powered(self) -> None:
        if self._powered:
            self.reset()

    def _provisioning_command(self, command: AtCommand) -> list[str]:
        if not self.agent.settings.agent:
            raise AtError
        if command.form is Form.TEST:
            return ["#XNRFPROV"]
        if command.form is not Form.EXECUTE:
            raise AtError
        self.agent.start()
        return []

    def _start_command(self, command: AtCommand) -> list[str]:
        self._need_agent(command)
        self.agent.start()
        return []

    def _configuration_command(self, command: AtCommand) -> list[str]:
        """List the stored settings, as the library prints them."""
        self._need_agent(command)
        return [f"{key} {value}" for key, value in sorted(self.settings.items().items())]

    def _need_agent(self, command: AtCommand) -> None:
        if not self.agent.settings.agent or command.form is not Form.EXECUTE:
            raise AtError


def create(host: BoardHost, spec: VirtualBoardSpec) -> VirtualBoard:
    """Make a virtual nRF91 board: the factory that ``harness_virtual_boards`` names."""
    return Nrf91Board(host, spec)


def _model(name: str) -> BoardModel:
    if name not in KINDS:
        raise ValueError(f"unknown kind {name!r}; expected one of {', '.join(KINDS)}")
    return KINDS[name]


def _options(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part the options into the board's own and the agent's."""
    known = {field.name for field in dataclasses.fields(AgentSettings)}
    unknown = sorted(set(options) - known - set(_OWN_OPTIONS))
    if unknown:
        raise ValueError(
            f"unknown option {unknown[0]!r}; known are {', '.join(sorted(known | set(_OWN_OPTIONS)))}"
        )
    for key, value in options.items():
        check_choice(key, value)
    own = {**_OWN_OPTIONS, **{key: value for key, value in options.items() if key in _OWN_OPTIONS}}
    return own, {key: value for key, value in options.items() if key in known}
