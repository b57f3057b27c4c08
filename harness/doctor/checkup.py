"""The whole check-up of a host: looks, judges, and mends what is safe to mend."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.doctor import (
    directories,
    discovery,
    leases,
    leftovers,
    modem_manager,
    quarantines,
    serial_access,
    tools,
    udev,
)
from harness.doctor.findings import Finding, Level
from harness.errors import HarnessError
from harness.inventory import serial_ports
from harness.inventory.builtin import known_profiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.plugins import HarnessPluginManager


def vendors_of_boards(plugins: HarnessPluginManager, ports: Iterable[serial_ports.SerialPort]) -> set[int]:
    """Return the USB vendors of the boards that are known.

    :param plugins: the loaded plugins, for their profiles.
    :param ports: the ports that are there: some kinds are told by their serial number alone.
    """
    profiles = known_profiles(plugins).values()
    vendors = {match.vid for profile in profiles for match in profile.usb if match.vid is not None}
    return vendors | {
        port.vid for port in ports for profile in profiles if port.vid is not None and profile.strength(port)
    }


class Checkup:
    """Looks at the host once.

    :ivar findings: what was found, check by check.
    """

    def __init__(self, plugins: HarnessPluginManager, places_of_allure: Iterable[Path]) -> None:
        """Look at everything.

        :param plugins: the loaded plugins: whose boards are to work.
        :param places_of_allure: where the command of Allure may be.
        """
        self._mending: list[Callable[[], list[str]]] = []
        self.findings: list[Finding] = []
        self._look_at_ports(plugins)
        self._attempt(discovery.CHECK, lambda: self._look_at_discovery(plugins))
        self._attempt(leases.CHECK, self._look_at_leases)
        self._attempt(quarantines.CHECK, self._look_at_quarantines)
        self._attempt(directories.CHECK, self._look_at_directories)
        self._attempt(leftovers.CHECK, self._look_at_leftovers)
        self.findings += tools.judge(tools.look(places_of_allure))

    def _look_at_ports(self, plugins: HarnessPluginManager) -> None:
        listed = serial_ports.list_serial_ports()
        vendors = vendors_of_boards(plugins, listed)
        ports = serial_access.look_at_ports(listed)
        self.findings += serial_access.judge(ports, serial_access.look_at_user(), vendors)
        self.findings += modem_manager.judge(
            running=modem_manager.is_running(),
            vendors=vendors,
            ignored=udev.ignored_vendors(udev.read_rules(map(Path, udev.RULE_DIRECTORIES))),
            plugged={port.vendor for port in ports if port.vendor is not None},
        )

    def _look_at_discovery(self, plugins: HarnessPluginManager) -> None:
        facts = discovery.look(known_profiles(plugins), serial_ports.list_serial_ports())
        self.findings += discovery.judge(facts)

    def _look_at_leases(self) -> None:
        facts = leases.look()
        self.findings += leases.judge(facts)
        self._mending.append(lambda: leases.mend(facts))

    def _look_at_quarantines(self) -> None:
        self.findings += quarantines.judge(quarantines.look())

    def _look_at_directories(self) -> None:
        facts = directories.look()
        self.findings += directories.judge(facts)
        self._mending.append(lambda: directories.mend(facts))

    def _look_at_leftovers(self) -> None:
        left = leftovers.look()
        self.findings += leftovers.judge(left)
        self._mending.append(lambda: leftovers.mend(left))

    def _attempt(self, check: str, look: Callable[[], None]) -> None:
        """What cannot be looked at is a finding too, and keeps nobody from the next check."""
        try:
            look()
        except (HarnessError, OSError) as error:
            self.findings.append(
                Finding(
                    check=check,
                    level=Level.PROBLEM,
                    what=f"cannot be looked at: {error}",
                    why="Sessions meet the same.",
                )
            )

    @property
    def healthy(self) -> bool:
        """Whether there is no problem."""
        return all(finding.level is not Level.PROBLEM for finding in self.findings)

    def mend(self) -> list[str]:
        """Mend what is safe to mend: the lease directory, and what is stale of this user.

        :return: what was done, and what could not be.
        """
        done = []
        for mend in self._mending:
            try:
                done += mend()
            except (HarnessError, OSError) as error:
                done.append(f"could not: {error}")
        return done
