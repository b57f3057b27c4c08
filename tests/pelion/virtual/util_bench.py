"""The utility that provisions with the parts that it works on, and no board around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.virtual.clock import BoardClock
from harness.virtual.power_points import PowerLost
from harness_pelion.virtual.filesystem import Filesystem
from harness_pelion.virtual.kcm import Kcm
from harness_pelion.virtual.power import make_points
from harness_pelion.virtual.settings import MblSettings
from harness_pelion.virtual.util import ProvisioningUtil
from tests.pelion.virtual.material import DIRECTORY

if TYPE_CHECKING:
    from tests.pelion.virtual.material import Material

_MIB = 1024 * 1024


class UtilBench:
    """A key store, a file system, a clock and the utility."""

    def __init__(self) -> None:
        self.points = make_points()
        self.clock = BoardClock()
        self.settings = MblSettings()
        self.filesystem = Filesystem(self.points, lambda: self.clock.now().timestamp(), _MIB, _MIB)
        self.kcm = Kcm(self.points, lambda size: self.filesystem.check_room("/config/user/pal", size))
        self.util = ProvisioningUtil(self.kcm, self.filesystem, self.clock, self.settings)

    def bring(self, material: Material) -> None:
        """Put the files where the utility looks for them, and none beside them."""
        if not self.filesystem.is_directory(DIRECTORY):
            self.filesystem.make_directory(DIRECTORY)
        for name in self.filesystem.names(DIRECTORY):
            self.filesystem.remove(f"{DIRECTORY}/{name}")
        for name, data in material.files().items():
            self.filesystem.write(f"{DIRECTORY}/{name}", data)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run the utility, and return its exit code and what it wrote."""
        run = self.util.run(arguments)
        return run.status, run.output, run.errors

    def provision(self, material: Material) -> tuple[int, str, str]:
        """Bring files and provision."""
        self.bring(material)
        return self.run("--provision")

    def status(self) -> tuple[int, str]:
        """Return the exit code of the status and what is complained of."""
        status, _output, errors = self.run("--get-pelion-status")
        return status, errors

    def provision_until(self, material: Material, point: str, nth: int) -> bool:
        """Provision with a power cut; tell whether it came."""
        self.bring(material)
        self.points.arm(point, nth, comes_back=False)
        try:
            self.run("--provision")
        except PowerLost:
            self.filesystem.lose_power()
            return True
        finally:
            self.points.disarm()
        return False

    def held(self) -> dict[str, bytes | None]:
        """Return what the key store holds."""
        return {name: self.kcm.get(name) for name in self.kcm.names()}
