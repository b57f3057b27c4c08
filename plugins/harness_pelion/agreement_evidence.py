"""What the shared check looks at: directory, events, servers' log and boards, collected after a test."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.errors import BoardFault, BoardLost
from harness_pelion.client_models import PelionRefused
from harness_pelion.driver_models import ClientLogView

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.inventory.leased_board import LeasedBoard
    from harness_pelion.client import PelionClient
    from harness_pelion.client_models import Device, DeviceEvent, LogEntry
    from harness_pelion.driver_models import HeldItem
    from harness_pelion.resources import DeveloperCredentials

SETTLE_SECONDS = 5.0
"""How long a client that was started may take until it is registered, or says why it is not."""

_PAUSE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardEvidence:
    """What a board says of itself, and what it holds.

    :ivar configured: whether it says that it is configured; ``None``: it contradicts itself.
    :ivar folder: whether the temporary folder is there.
    :ivar log: of its client.
    :ivar items: what its store holds; ``None`` on hardware.
    :ivar commands: what it was asked to run over SSH, as its process list shows it; empty on hardware.
    """

    id: str
    configured: bool | None = False
    folder: bool = False
    log: ClientLogView = field(default_factory=ClientLogView)
    items: Mapping[str, HeldItem] | None = None
    commands: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEvidence:
    """What the service says of an account, and what the boards say that used it.

    :ivar certificates: ids of the certificates that the test made and that are still there.
    :ivar credentials: what the test knows of them, with their private keys.
    :ivar devices: of those certificates.
    :ivar events: of those devices, by their ids, oldest first; ``None`` where what they hold is not known.
    :ivar notes: the servers' own log, oldest first; ``None`` where there is none.
    :ivar most_devices: how many may use one certificate.
    :ivar clock_shifted: whether the service's clock was shifted, so that registrations may have ended unseen.
    :ivar texts: what was logged and said, by where, to be searched for keys.
    """

    account_id: str = ""
    certificates: frozenset[str] = frozenset()
    credentials: Sequence[DeveloperCredentials] = field(default=(), repr=False)
    devices: Sequence[Device] = ()
    events: Mapping[str, Sequence[DeviceEvent]] | None = None
    notes: Sequence[LogEntry] | None = None
    boards: Sequence[BoardEvidence] = ()
    most_devices: int = 100
    clock_shifted: bool = False
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)


def collect(
    pelion: PelionClient, boards: Iterable[LeasedBoard], *, most_devices: int = 100
) -> AccountEvidence:
    """Ask both ends what they say of the certificates that the running test made.

    A board that cannot be reached says nothing.

    :param most_devices: how many devices may use one certificate.
    """
    of_boards = tuple(each for each in map(of_board, boards) if each is not None)
    certificates = frozenset(pelion.certificates_made)
    devices = [device for each in sorted(certificates) for device in pelion.devices(ca_id=each)]
    known = "event-details" in pelion.capabilities
    notes = pelion.server_log() if "server-log" in pelion.capabilities else None
    texts = {f"the client's log of board {board.id}": board.log.text for board in of_boards}
    texts |= {f"the process list of board {board.id}": board.commands for board in of_boards}
    if notes is not None:
        texts["the servers' log"] = "\n".join(f"{note.what} {note.details}" for note in notes)
    return AccountEvidence(
        account_id=pelion.world.account_id,
        certificates=certificates,
        credentials=tuple(_credentials(pelion, certificates)),
        devices=devices,
        events={device.id: pelion.events(device.id) for device in devices} if known else None,
        notes=notes,
        boards=of_boards,
        most_devices=most_devices,
        clock_shifted=pelion.world.clock_shifted,
        texts=texts,
    )


def of_board(board: LeasedBoard) -> BoardEvidence | None:
    """Ask a board how it is, once its client is at rest; ``None`` when it cannot be reached."""
    virtual = board.description.virtual
    try:
        log = _settled_log(board)
        return BoardEvidence(
            id=board.id,
            configured=_configured(board),
            folder=board.driver.watched_folder(),
            log=log,
            items=board.driver.items() if virtual else None,
            commands=_commands(board) if virtual else "",
        )
    except BoardLost:
        return None


def _commands(board: LeasedBoard) -> str:
    connections = board.virtual.call("connections")
    return "\n".join(command for connection in connections for command in connection["commands"])


def _configured(board: LeasedBoard) -> bool | None:
    try:
        return bool(board.driver.status().configured)
    except BoardFault:
        return None


def _settled_log(board: LeasedBoard) -> ClientLogView:
    """Return the log of a client that has registered, or said why it did not, or does not run."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        log: ClientLogView = board.driver.watched_log()
        if log.at_rest or time.monotonic() >= deadline:
            return log
        threading.Event().wait(_PAUSE)  # a log is a file: nobody tells that it has grown


def _credentials(pelion: PelionClient, certificates: Iterable[str]) -> Iterable[DeveloperCredentials]:
    for identifier in sorted(certificates):
        try:
            yield pelion.developer_certificate(identifier).credentials()
        except PelionRefused:
            continue  # it is an authority that was uploaded, or gone already
