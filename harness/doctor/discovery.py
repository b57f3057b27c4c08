"""Whether boards are found as they come and go, and whether USB alone tells them apart."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.doctor.findings import Finding, Level, fine
from harness.inventory.attached import survey_host
from harness.inventory.board import USB_LOCATION, USB_SERIAL
from harness.inventory.serial_ports import connect_to_udev

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.inventory.board import Board
    from harness.inventory.profiles import Profile
    from harness.inventory.serial_ports import SerialPort

CHECK = "discovery"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryFacts:
    """How boards are found here.

    :ivar linux: this is Linux, where udev is expected.
    :ivar udev: its library is there.
    :ivar told: somebody tells when devices come and go.
    :ivar alike: boards on USB whose serial number is missing or not unique.
    """

    linux: bool
    udev: bool
    told: bool
    alike: tuple[Board, ...] = ()


def look(profiles: Mapping[str, Profile], ports: Iterable[SerialPort]) -> DiscoveryFacts:
    """Look how boards are found.

    :param profiles: profiles by name.
    :param ports: the host's serial ports.
    :raises UsageError: two profiles fit a board equally well.
    """
    udev = connect_to_udev()
    return DiscoveryFacts(
        linux=sys.platform == "linux",
        udev=udev is not None,
        told=udev is not None and udev.tells_of_events,
        alike=tuple(board for board in survey_host(profiles, ports, None).boards if board.ambiguous),
    )


def judge(facts: DiscoveryFacts) -> list[Finding]:
    """Say what keeps boards from being found or told apart."""
    findings = [_how_found(facts)]
    if facts.alike:
        findings.append(_alike(facts.alike))
    return findings


def _how_found(facts: DiscoveryFacts) -> Finding:
    if facts.told:
        return fine(CHECK, "udev tells which boards come and go")
    if not facts.linux:
        return fine(CHECK, "pyserial lists the ports, again and again while a session runs")
    if not facts.udev:
        return Finding(
            check=CHECK,
            level=Level.WARNING,
            what="there is no libudev; pyserial lists the ports",
            why="Boards that come and go are noticed late, and what profiles ask of udev fits nothing.",
            advice="Install it (Debian and Ubuntu: libudev1; Fedora: systemd-libs).",
        )
    return Finding(
        check=CHECK,
        level=Level.WARNING,
        what="udev's daemon does not run here, and nobody tells which boards come and go",
        why="Sessions list the ports again and again, and notice up to half a second later.",
        advice="In a container: share /run/udev and the network namespace of the host.",
    )


def _alike(boards: Sequence[Board]) -> Finding:
    shown = [
        f"{board.kind} at {board.properties.get(USB_LOCATION, 'an unknown place')}"
        f" ({board.properties.get(USB_SERIAL, 'none')})"
        for board in boards
    ]
    return Finding(
        check=CHECK,
        level=Level.WARNING,
        what=f"USB serial numbers do not tell these boards apart: {', '.join(shown)}",
        why="Sessions open each of them and ask who it is; one that does not answer is left out.",
        advice="Write down who they are.",
        commands=("harness boards --write rig.toml",),
    )
