"""Many devices from one board: it makes requests in the names of its peers, and is itself again afterwards.

What a component says of itself it is told when it is initialised, so a test of many devices needs no more
than one board. Its peers exist by name only: nobody installs what they are provisioned with.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness_guardian.client_definitions import INFUSION_PUMP, CertificateSlot, ComponentDefinition

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard
    from harness_guardian.client_package import PackageKey
    from harness_guardian.client_systems import SystemHandle
    from harness_guardian.driver_models import MadeRequest

#: A component with one certificate: what costs least where many devices are needed.
SENSOR = ComponentDefinition(name="sensor", certificates=(CertificateSlot(slot="identity"),))


@dataclass(frozen=True, slots=True)
class Peer:
    """A device, with a request that it has made and not submitted.

    :ivar hw_id: its hardware id.
    :ivar request: the request.
    """

    hw_id: str
    request: MadeRequest

    @property
    def id(self) -> str:
        """Id of the request."""
        return self.request.request_id


def own_hw_id() -> str:
    """Return a hardware id that no other device has."""
    return f"SN-{secrets.token_hex(6)}"


def initialise(
    board: LeasedBoard,
    system: SystemHandle,
    *,
    component: str = INFUSION_PUMP.name,
    hw_id: str | None = None,
    instance: int = 0,
    key: PackageKey | None = None,
) -> str:
    """Make a board a device of a system, as manufacturing does.

    :param instance: number of the system instance.
    :param key: of the package; the system's by default.
    :return: its hardware id.
    """
    chosen = hw_id or own_hw_id()
    board.driver.install_package(system.package(instance, key))
    board.driver.initialize(component, chosen, system.instance(instance).id)
    return chosen


def make_peers(
    board: LeasedBoard,
    system: SystemHandle,
    count: int,
    *,
    component: str = INFUSION_PUMP.name,
    instance: int = 0,
) -> list[Peer]:
    """Have a board make a request for each of several devices; the last one is the board itself.

    So the board can install what the last request is answered with, and stays that device.
    """
    board.driver.install_package(system.package(instance))
    return [
        _as_another(board, component, own_hw_id(), system.instance(instance).id) for _number in range(count)
    ]


def _as_another(board: LeasedBoard, component: str, hw_id: str, instance_id: str) -> Peer:
    board.driver.initialize(component, hw_id, instance_id)
    return Peer(hw_id, board.driver.make_request())
