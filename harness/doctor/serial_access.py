"""Whether this user may open the serial ports of boards."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.doctor.findings import Finding, Level, fine
from harness.doctor.udev import INSTALLING_COMMANDS, SERIAL_GROUP

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from harness.inventory.serial_ports import SerialPort

CHECK = "serial ports"
_GROUP_MAY = stat.S_IRGRP | stat.S_IWGRP


@dataclass(frozen=True, slots=True, kw_only=True)
class PortFacts:
    """What is known of a USB serial port.

    :ivar vendor: USB vendor id.
    :ivar group: name of its group.
    :ivar mode: its permissions.
    :ivar usable: whether this process may open it.
    """

    device: str
    vendor: int | None
    group: str
    mode: int
    usable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFacts:
    """Who asks.

    :ivar groups: names of the groups that this process is in.
    :ivar listed_groups: names of the groups that the next login will be in.
    """

    name: str
    groups: frozenset[str]
    listed_groups: frozenset[str]


def look_at_ports(ports: Iterable[SerialPort]) -> list[PortFacts]:
    """Look at the permissions of ports; one that vanishes meanwhile is left out."""
    facts = []
    for port in ports:
        try:
            status = Path(port.device).stat()
        except OSError:
            continue
        if port.vid is not None:
            facts.append(
                PortFacts(
                    device=port.device,
                    vendor=port.vid,
                    group=_group_name(status.st_gid),
                    mode=stat.S_IMODE(status.st_mode),
                    usable=os.access(port.device, os.R_OK | os.W_OK),
                )
            )
    return sorted(facts, key=lambda port: port.device)


def look_at_user() -> UserFacts:
    """Look up who we are."""
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
        listed = os.getgrouplist(name, pwd.getpwuid(uid).pw_gid)
    except KeyError:  # a user id without a name, as containers have them
        name, listed = f"uid {uid}", []
    return UserFacts(
        name=name,
        groups=frozenset(_group_name(gid) for gid in {*os.getgroups(), os.getgid()}),
        listed_groups=frozenset(_group_name(gid) for gid in listed),
    )


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def judge(ports: Sequence[PortFacts], user: UserFacts, vendors: Collection[int]) -> list[Finding]:
    """Say which ports cannot be opened, and how that is mended.

    :param ports: the USB serial ports of the host.
    :param user: who wants to open them.
    :param vendors: USB vendors of the boards that are known; a port of another is a warning at most.
    """
    if not ports:
        return [fine(CHECK, "none of a USB device is there")]
    findings = []
    for known in (True, False):
        closed = [port for port in ports if not port.usable and (port.vendor in vendors) is known]
        for group in sorted({port.group for port in closed}):
            of_group = [port for port in closed if port.group == group]
            findings.append(_closed(of_group, group, user, known=known))
    if not findings:
        return [fine(CHECK, f"you may open {', '.join(port.device for port in ports)}")]
    return findings


def _closed(ports: Sequence[PortFacts], group: str, user: UserFacts, *, known: bool) -> Finding:
    names = ", ".join(port.device for port in ports)
    why = "Sessions cannot talk to the boards behind them." if known else "No known board is behind them."
    advice, commands = _mend(ports, group, user, known=known)
    return Finding(
        check=CHECK,
        level=Level.PROBLEM if known else Level.WARNING,
        what=f"{user.name} may not open {names} (group {group}, mode {ports[0].mode:04o})",
        why=why,
        advice=advice,
        commands=commands,
    )


def _mend(
    ports: Sequence[PortFacts], group: str, user: UserFacts, *, known: bool
) -> tuple[str, tuple[str, ...]]:
    for_group = all(port.mode & _GROUP_MAY == _GROUP_MAY for port in ports) and group != "root"
    join = f"sudo usermod -aG {group if for_group else SERIAL_GROUP} {user.name}"
    if for_group and group in user.groups:
        return "Something else than its permissions keeps you from it, for example a container.", ()
    if for_group and group in user.listed_groups:
        return f"You are in group {group} since you logged in: log out and in again.", ()
    if for_group:
        return "Join the group, then log out and in again.", (join,)
    if not known:
        return f"If a board of yours is behind it: a udev rule can give it to group {SERIAL_GROUP}.", ()
    advice = f"Let udev give such ports to group {SERIAL_GROUP}, and be in that group."
    return advice, (*INSTALLING_COMMANDS, join)
