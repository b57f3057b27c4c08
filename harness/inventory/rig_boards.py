"""Boards of the rig file joined with what is on USB: what of a board follows from its device and its kind.

Which device is whose is said by :mod:`harness.inventory.rig_matching`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError
from harness.inventory.board import USB_SERIAL, Board, Endpoint
from harness.inventory.usb_devices import board_on_usb, fitting_profile
from harness.toml_files import dotted, nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from harness.inventory.profiles import Profile
    from harness.inventory.usb_devices import UsbDevice
    from harness.rig import Rig, RigEndpoint, RigSsh


class BoardOfRig:
    """One board of the rig file, joined with its profile and with its device on USB."""

    def __init__(
        self,
        rig: Rig,
        number: int,
        profiles: Mapping[str, Profile],
        device: UsbDevice | None,
        shared: Collection[str],
        said: str | None = None,
        stale: Collection[str] = (),
    ) -> None:
        """Join them.

        :param rig: the rig file.
        :param number: which of its boards.
        :param profiles: profiles by name.
        :param device: what it is on USB, if it is there.
        :param shared: serial numbers that several boards have.
        :param said: who the board said it is, if it was asked.
        :param stale: of the URLs that the file names for it, those that lead to other boards now.
        """
        self._rig = rig
        self._where = dotted(("board", number))
        self._entry = rig.boards[number]
        self._profiles = profiles
        self._device = device
        self._shared = shared
        self._said = said
        # Where it is was found out by asking: what the file says of its ports is from before it was moved.
        self._stale = stale if said is not None and said == self._entry.identity else ()

    def missing(self, why: str | None) -> str | None:
        """Say what of the board is not there; ``None`` when nothing is missing.

        :param why: why it has no device on USB, of a board that is looked for there.
        """
        if self._device is not None or why is not None:
            return why
        urls = [endpoint.url for endpoint in self._entry.endpoints.values() if endpoint.url]
        gone = [url for url in urls if "://" not in url and not Path(url).exists()]
        return f"there is no {gone[0]}" if gone else None

    def board(self) -> Board:
        """Join everything; of an absent board that nobody knows the kind of, not much is known.

        :raises UsageError: the profile that is named does not exist, or none is named and none fits.
        """
        entry, profile, device = self._entry, self._profile(), self._device
        board = Board(id=entry.name, kind="unknown", driver="unknown")
        if profile is not None and device is not None:
            board = board_on_usb(profile, device, self._shared)
            if entry.id is not None or not board.ambiguous:
                board = replace(board, id=entry.name)
            elif self._said is not None:
                board = replace(board, id=self._said)
        elif profile is not None:
            board = Board(
                id=entry.name,
                kind=profile.name,
                driver=profile.driver,
                capabilities=frozenset(profile.capabilities),
                properties=profile.properties,
            )
        known = {} if entry.usb_serial is None else {USB_SERIAL: entry.usb_serial}
        endpoints = {
            role: _endpoint(profile, role, table, url)
            for role, table in entry.endpoints.items()
            if (url := self._url(board, role, table)) is not None
        }
        return replace(
            board,
            capabilities=(board.capabilities | set(entry.capabilities.add)) - set(entry.capabilities.remove),
            endpoints={**board.endpoints, **endpoints},
            properties={**known, **board.properties, **entry.properties},
            control={name: dict(table) for name, table in entry.control.items()},
            ssh=None if entry.ssh is None else self._ssh(entry.ssh),
            identity=self._said or entry.identity,
            kind_named=entry.profile is not None,
        )

    def _ssh(self, table: RigSsh) -> dict[str, Any]:
        """Return where the board is reached by SSH; the files that it names are meant from the rig file.

        :raises UsageError: one of them is in the home directory of nobody.
        """
        said = table.model_dump(exclude_none=True)
        for key in ("key_file", "password_file"):
            if key in said:
                said[key] = str(self._rig.file.absolute().parent / self._expanded(key, said[key]))
        return said

    def _expanded(self, key: str, name: str) -> Path:
        try:
            return Path(name).expanduser()
        except RuntimeError as error:
            raise UsageError(
                "names an unknown home",
                file=self._rig.file,
                key=f"board.ssh.{key}",
                value=name,
                expected="a path, or one that begins with ~/",
            ) from error

    def _url(self, board: Board, role: str, table: RigEndpoint) -> str | None:
        """Return where an endpoint is: as the file says, or as the board's own ports do."""
        if table.url is not None and table.url not in self._stale:
            return table.url
        if table.interface is None:
            return board.endpoints[role].url if role in board.endpoints else None
        ports = {} if self._device is None else self._device.interfaces([table.interface])
        return ports[table.interface].device if table.interface in ports else None

    def _profile(self) -> Profile | None:
        """Return the board's profile; ``None`` for one that is absent and of no kind that anybody named.

        :raises UsageError: there is no such profile, or none fits.
        """
        named = self._entry.profile
        if named is None:
            fitting = fitting_profile(self._profiles, self._device.ports) if self._device else None
            if fitting is None and self._device:
                raise self._error(
                    "no profile fits the ports of this board", "profile", None, "the name of its profile"
                )
            return fitting
        if named not in self._profiles:
            raise self._error(
                "no such profile", "profile", named, nearest(named, self._profiles) or "the name of a profile"
            )
        profile = self._profiles[named]
        if profile.virtual:
            raise self._error(
                "is a kind of virtual board, and a rig file describes hardware",
                "profile",
                named,
                f"{profile.twin_of or 'a kind of hardware'} (virtual boards: --bench virtual=SOCKET)",
            )
        return profile

    def _error(self, message: str, key: str, value: str | None, expected: str) -> UsageError:
        return UsageError(
            message, file=self._rig.file, key=f"{self._where}.{key}", value=value, expected=expected
        )


def _endpoint(profile: Profile | None, role: str, table: RigEndpoint, url: str) -> Endpoint:
    """Describe an endpoint: what the file says counts, then the profile."""
    known = profile is not None and role in profile.endpoints
    base = profile.endpoint(role, url) if known and profile else Endpoint(role=role, url=url)
    return replace(base, **table.model_dump(exclude={"url", "interface"}, exclude_none=True))
