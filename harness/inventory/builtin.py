"""The core's own plugin: the shipped profiles, the boards of a virtual bench and those on serial ports.

It is registered through the same door as a vendor's (:func:`harness.plugins.load_plugins`). The other
plugins' profiles are asked for where they are needed, so that a vendor's kind is found like ours.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.inventory.board import Board
from harness.shipped import shipped_directory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from harness.config import Settings
    from harness.inventory.attached import Survey
    from harness.inventory.profiles import Profile
    from harness.plugins import HarnessPluginManager
    from harness.rig import Rig
    from harness.virtual.client import BoardState


def harness_board_profiles() -> list[Path]:
    """Give the directory of the shipped profiles."""
    return [shipped_directory("boards")]


def known_profiles(plugins: HarnessPluginManager) -> dict[str, Profile]:
    """Read the profiles of every plugin.

    :param plugins: the loaded plugins.
    :raises UsageError: a profile does not fit.
    """
    from harness.inventory.profiles import load_profiles

    return load_profiles(path for paths in plugins.hook.harness_board_profiles() for path in paths)


def survey(
    plugins: HarnessPluginManager, rig: Rig | None, identities: Mapping[str, str] | None = None
) -> Survey:
    """Look what is attached to this host: which boards, which are absent, which ports are nobody's.

    :param plugins: the loaded plugins.
    :param rig: the rig file, if there is one.
    :param identities: who was asked and what it said, by place.
    :raises UsageError: a profile or the rig file does not fit, or this process is in half a USB lab.
    """
    from harness.inventory import serial_ports
    from harness.inventory.attached import survey_host
    from harness.virtual.usb.environment import refuse_half_a_lab

    refuse_half_a_lab(os.environ)
    return survey_host(known_profiles(plugins), serial_ports.list_serial_ports(), rig, identities)


class BoardDiscovery:
    """Finds the boards of the host and of a virtual bench; registered as a plugin beside this module.

    It is an object and not a function of the module because a kind that only a vendor's plugin describes
    has to be found too: it keeps the manager whose plugins it asks for profiles.
    """

    def __init__(self, plugins: HarnessPluginManager) -> None:
        """Remember whom to ask for profiles.

        :param plugins: the loaded plugins.
        """
        self._plugins = plugins

    def harness_discover_boards(self, settings: Settings) -> list[Board]:
        """Find the boards that the chosen bench has now.

        :param settings: ``settings.bench`` chooses; ``None`` means the host's own ports.
        :raises UsageError: a board of the virtual bench is of no known kind.
        :raises BenchFault: the virtual bench does not answer.
        """
        bench = settings.bench
        if bench is None or bench.kind == "attached":
            return list(survey(self._plugins, settings.rig).boards)
        if bench.socket is None:  # the session starts a bench of its own and asks again with its socket
            return []
        from harness.virtual.client import BenchClient

        with BenchClient(str(bench.socket)) as client:
            states = client.boards()
        return virtual_boards(known_profiles(self._plugins), states, bench=str(bench.socket))


def virtual_boards(
    profiles: Mapping[str, Profile], states: Iterable[BoardState], *, bench: str
) -> list[Board]:
    """Join what a virtual bench says of its boards with their profiles.

    :param profiles: profiles by name.
    :param states: the bench's boards; one that is unplugged is not attached and is left out.
    :param bench: control socket of the bench.
    :raises UsageError: a board is of no known kind.
    """
    boards = []
    for state in states:
        if not state.plugged:
            continue
        profile = _profile_of_kind(profiles, state.kind)
        boards.append(
            Board(
                id=state.id,
                kind=state.kind,
                driver=profile.driver,
                capabilities=frozenset(profile.capabilities),
                endpoints={role: profile.endpoint(role, str(path)) for role, path in state.ports.items()},
                bench=bench,
                properties={**profile.properties, **state.properties},
            )
        )
    return boards


def _profile_of_kind(profiles: Mapping[str, Profile], kind: str) -> Profile:
    if kind in profiles:
        return profiles[kind]
    from harness.toml_files import nearest

    raise UsageError(
        "the virtual bench has a board of a kind that no profile describes",
        key="kind",
        value=kind,
        expected=nearest(kind, profiles) or "a kind with a profile (harness_board_profiles)",
    )
