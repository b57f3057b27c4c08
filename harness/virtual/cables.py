"""How a virtual board hangs on the host: what its ports are called, and who is told that they are there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from harness.virtual.ports import Port, PortNames


@dataclass(frozen=True, slots=True, kw_only=True)
class PortName:
    """The name of one port.

    :ivar link: the link to its pty.
    :ivar shown: the name under which clients open it.
    """

    link: Path
    shown: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where and how a board is to be plugged in.

    :ivar port: hub port, ``1-1.2``; ``None``: where it was.
    :ivar names: names of ports by role; those that are missing are free ones.
    :ivar avoid: the names that a port is not to have, though they are free.
    """

    port: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    avoid: Collection[Path] = frozenset()


ANYHOW = Placement()


class Cable(Protocol):
    """The cable of one board."""

    def check(self, roles: Sequence[str], placement: Placement) -> None:
        """Refuse a placement for a board that is plugged in now and is to be moved there.

        :raises UsageError: it does not fit.
        """

    def reserve(self, roles: Sequence[str], placement: Placement) -> Mapping[str, PortName]:
        """Take names for the ports of a board that is plugged in.

        :raises UsageError: the placement does not fit.
        """

    def ports_exist(self, ports: Mapping[str, Port]) -> None:
        """Tell the host that the ports are there."""

    def ports_vanish(self) -> None:
        """Tell the host that the ports are gone; their links are."""

    def give_back(self, name: PortName) -> None:
        """Give back the name of a port whose pty is closed."""

    def is_where(self, placement: Placement) -> bool:
        """Whether a plugged board is where it is to be."""

    def describe(self) -> dict[str, str | None] | None:
        """Return what the client's ``BoardState.usb`` says; ``None``: no USB."""


class PlainCable:
    """No bus at all: links to ptys in the bench's directory."""

    def __init__(self, names: PortNames) -> None:
        """Hang a board on the bench.

        :param names: names of links.
        """
        self._names = names

    def check(self, roles: Sequence[str], placement: Placement) -> None:  # noqa: ARG002 - the contract's
        """Refuse a placement: a plain port has none.

        :raises UsageError: a port or a name is asked for.
        """
        for key, value in (("port", placement.port), ("names", placement.names)):
            if value:
                raise UsageError(
                    "the board is not on USB",
                    key=key,
                    value=value,
                    expected="a bench started with a USB lab (start_bench(usb=True), harness bench up --usb)",
                )

    def reserve(self, roles: Sequence[str], placement: Placement) -> Mapping[str, PortName]:
        """Take the lowest free names.

        :raises UsageError: a port or a name is asked for.
        """
        self.check(roles, placement)
        taken = {}
        for role in roles:
            link = self._names.take(avoid=placement.avoid)
            taken[role] = PortName(link=link, shown=link)
        return taken

    def ports_exist(self, ports: Mapping[str, Port]) -> None:
        """Tell nobody: there is no bus."""

    def ports_vanish(self) -> None:
        """Tell nobody: there is no bus."""

    def give_back(self, name: PortName) -> None:
        """Give back a name."""
        self._names.release(name.link)

    def is_where(self, placement: Placement) -> bool:
        """Whether it is where it is to be: it is nowhere in particular.

        :raises UsageError: a port or a name is asked for.
        """
        self.check((), placement)
        return True

    def describe(self) -> dict[str, str | None] | None:
        """Return ``None``: no USB."""
        return None
