"""The modem's functional mode, its network and the time that the network gives."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness_nordic.enums import CmeError
from harness_nordic.virtual.datagram_faults import DatagramFaults
from harness_nordic.virtual.errors import CmeRefusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.virtual.contract import BoardHost, Timer
    from harness_nordic.virtual.clock import ModemClock

POWER_OFF, FULL, OFFLINE = 0, 1, 4
_LTE_OFF, _LTE_ON, _GNSS_OFF, _GNSS_ON = 20, 21, 30, 31

_NOT_REGISTERED, _REGISTERED, _SEARCHING = 0, 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RadioSettings:
    """How the modem starts and what the network does.

    :ivar boot_mode: functional mode that the firmware sets after power-on.
    :ivar delay: seconds from full function to registration.
    """

    boot_mode: int = FULL
    delay: float = 0.002


class Radio:
    """Functional mode as ``+CFUN`` sees it; every change is told to one listener.

    :ivar network_time: whether the network gives the time.
    :ivar datagrams: what befalls datagrams on their way.
    """

    def __init__(
        self,
        host: BoardHost,
        clock: ModemClock,
        settings: RadioSettings,
        *,
        changed: Callable[[], None],
        announce: Callable[[str], None],
    ) -> None:
        """Be without power.

        :param host: gives timers.
        :param clock: set when the network gives the time.
        :param settings: how to start.
        :param changed: called after every change of mode, registration or time.
        :param announce: sends an unsolicited line.
        """
        self.network_time = True
        self.datagrams = DatagramFaults()
        self._host = host
        self._clock = clock
        self._settings = settings
        self._changed = changed
        self._announce = announce
        self._timer: Timer | None = None
        self._reports = 0
        self._base = POWER_OFF
        self._lte = self._gnss = False
        self.registration = _NOT_REGISTERED

    @property
    def active(self) -> bool:
        """Whether credentials are locked: LTE or GNSS runs (nrfcloud fact sheet, section 5.3)."""
        return self._lte or self._gnss

    @property
    def registered(self) -> bool:
        """Whether the network is there."""
        return self.registration == _REGISTERED

    @property
    def mode(self) -> int:
        """What ``+CFUN?`` says."""
        if self._lte:
            return FULL
        return _GNSS_ON if self._gnss else self._base

    def boot(self) -> None:
        """Start as the firmware does after power-on."""
        self.stop()
        self.set_mode(self._settings.boot_mode)

    def stop(self) -> None:
        """Lose power."""
        self._call_off()
        self._base, self._lte, self._gnss, self._reports = POWER_OFF, False, False, 0
        self.registration = _NOT_REGISTERED
        self._clock.clear()

    def set_mode(self, mode: int) -> None:
        """Do what ``+CFUN=<mode>`` does.

        :raises CmeRefusal: 50 there is no such mode.
        """
        lte, gnss = self._lte, self._gnss
        if mode in {POWER_OFF, OFFLINE}:
            self._base, lte, gnss = mode, False, False
        elif mode == FULL:
            lte = gnss = True
        elif mode in {_LTE_OFF, _LTE_ON}:
            lte = mode == _LTE_ON
        elif mode in {_GNSS_OFF, _GNSS_ON}:
            gnss = mode == _GNSS_ON
        else:
            raise CmeRefusal(CmeError.BAD_PARAMETERS)
        was, self._lte, self._gnss = self._lte, lte, gnss
        if lte and not was:
            self._register_as(_SEARCHING)
            self._call_off()
            self._timer = self._host.call_later(self._settings.delay, self._network_found)
        elif was and not lte:
            self._call_off()
            self._register_as(_NOT_REGISTERED)
        self._changed()

    def give_time_again(self) -> None:
        """Be a network that gives the time, now to a modem that is registered."""
        self.network_time = True
        if self.registered:
            self._clock.set(time.time())
            self._changed()

    def set_reports(self, level: int) -> None:
        """Do what ``+CEREG=<level>`` does: from 1 on, changes of registration are told."""
        self._reports = level

    def describe_registration(self) -> str:
        """Return what ``+CEREG?`` says."""
        return f"+CEREG: {self._reports},{self.registration}"

    def _network_found(self) -> None:
        if not self._lte:
            return
        if self.network_time:
            self._clock.set(time.time())
        self._register_as(_REGISTERED)
        self._changed()

    def _register_as(self, state: int) -> None:
        self.registration = state
        if self._reports:
            self._announce(f"+CEREG: {state}")

    def _call_off(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
