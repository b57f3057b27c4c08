"""The virtual Mbed Linux device: a Linux board that is reached by SSH and provisioned by a utility on it.

Its console carries a boot log and hears nothing. What it keeps without power: its key store, the permanent
part of its file system, its host key, host name and port. ``/scratch`` is lost.
"""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING, Any

from harness.virtual.clock import BoardClock
from harness_pelion.virtual.calling import Machine
from harness_pelion.virtual.client_log import ClientLog
from harness_pelion.virtual.cloud_client import CloudClient
from harness_pelion.virtual.controls import Controls
from harness_pelion.virtual.device_ssh import DeviceSsh
from harness_pelion.virtual.filesystem import Filesystem
from harness_pelion.virtual.kcm import Kcm
from harness_pelion.virtual.kinds import (
    BOOT_LOG,
    HOST_NAME,
    KERNEL,
    KIND,
    MODEL,
    MOST_HOST_NUMBER,
    RELEASE,
    SERIAL,
)
from harness_pelion.virtual.mdns import Advertisement
from harness_pelion.virtual.power import make_points
from harness_pelion.virtual.services import CLOUD_CLIENT, CloudClientService
from harness_pelion.virtual.settings import built_with
from harness_pelion.virtual.shell import install_programs
from harness_pelion.virtual.system_programs import REBOOT
from harness_pelion.virtual.util import ProvisioningUtil

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.virtual.contract import BoardHost, Timer, VirtualBoard, VirtualBoardSpec

_CONSOLE = "console"
_STORE = "/config/user/pal"
_LOG = "/var/log/mbl-cloud-client.log"
_BOOT_ID = "/proc/sys/kernel/random/boot_id"


class MblDevice:
    """One device. All of it happens on the bench's loop thread but SSH itself and exchanges with servers."""

    def __init__(self, host: BoardHost, spec: VirtualBoardSpec) -> None:
        """Make a device without credentials and without power.

        :param host: the bench.
        :param spec: kind, number and options: the fields of
            :class:`~harness_pelion.virtual.settings.MblSettings`.
        :raises ValueError: the kind or an option is unknown, or does not fit.
        """
        if spec.kind != KIND:
            raise ValueError(f"unknown kind {spec.kind!r}; expected {KIND}")
        self._settings = built_with(dict(spec.options))
        self._host = host
        self._powered = False
        self._booting: Timer | None = None
        self._boot_id = ""
        self._serial = SERIAL.format(number=spec.number)
        number = self._settings.host_number
        self._host_name = HOST_NAME.format(
            number=secrets.randbelow(MOST_HOST_NUMBER + 1) if number < 0 else number
        )
        clock, points = BoardClock(), make_points()
        points.connect(self._lose_power)
        self._filesystem = Filesystem(
            points,
            lambda: clock.now().timestamp(),
            self._settings.disk_bytes,
            self._settings.scratch_bytes,
        )
        kcm = Kcm(points, lambda size: self._filesystem.check_room(_STORE, size))
        log = ClientLog(clock)
        self._client = CloudClient(host, kcm, log, self._settings, points, clock)
        self._service = CloudClientService(self._client)
        machine = Machine(
            filesystem=self._filesystem,
            util=ProvisioningUtil(kcm, self._filesystem, clock, self._settings),
            clock=clock,
            points=points,
            services={CLOUD_CLIENT: self._service},
            host_name=self._host_name,
        )
        self._install(log)
        self._ssh = DeviceSsh(host, machine, self._settings, spec.id, self._go_down)
        self._advertisement = Advertisement(self._host_name, self._settings.ssh_address, self._ssh.port)
        self._controls = Controls(self, machine, kcm, log, self._client, self._settings, self._ssh)

    @property
    def up(self) -> bool:
        """Whether it has booted."""
        return self._powered and self._booting is None

    def power_on(self) -> None:
        """Boot."""
        self._powered = True
        self._boot_id = str(uuid.uuid4())
        known = {
            "host_name": self._host_name,
            "kernel": KERNEL,
            "model": MODEL,
            "serial": self._serial,
        }
        for line in BOOT_LOG:
            self._host.send(_CONSOLE, line.format(**known).encode() + b"\r\n")
        if self._settings.boot_s > 0:
            self._booting = self._host.call_later(self._settings.boot_s, self._come_up)
        else:
            self._come_up()

    def power_off(self) -> None:
        """Lose everything that is not kept without power."""
        self._powered = False
        if self._booting is not None:
            self._booting.cancel()
            self._booting = None
        self._ssh.shut()
        self._service.stop()
        self._advertisement.stop()
        self._filesystem.lose_power()

    def reset(self) -> None:
        """Boot anew."""
        self.power_off()
        self.power_on()

    def receive(self, role: str, data: bytes) -> None:
        """Take bytes: the console does not listen."""

    def clear_faults(self) -> None:
        """End every fault, and be built again as at first."""
        self._controls.clear_faults()

    def describe(self) -> Mapping[str, str]:
        """Return facts for the inventory."""
        return {
            "model": MODEL,
            "firmware": RELEASE,
            "serial": self._serial,
            "host_name": self._host_name,
            **self._ssh.describe(),
        }

    def call(self, method: str, params: Mapping[str, Any]) -> Any:
        """Answer a control call; see :class:`~harness_pelion.virtual.controls.Controls`.

        :raises ValueError: unknown method or unfit parameters.
        """
        return self._controls.call(method, params)

    def close(self) -> None:
        """Stop the cloud client, SSH and mDNS."""
        self._powered = False
        self._service.stop()
        self._ssh.close()
        self._advertisement.close()

    def advertise(self) -> None:
        """Be known by mDNS as the settings say."""
        if self._settings.mdns and self.up:
            self._advertisement.start()
        else:
            self._advertisement.stop()

    def restart_client(self) -> None:
        """Let the cloud client begin anew, if the device is up."""
        self._service.stop()
        if self.up:
            self._service.start()

    def _come_up(self) -> None:
        self._booting = None
        self._service.start()
        self._ssh.open()
        self.advertise()

    def _go_down(self, what: str) -> None:
        """Reboot, or go dark until somebody switches the device on."""
        if what == REBOOT:
            self.reset()
        else:
            self._lose_power(comes_back=False)

    def _lose_power(self, comes_back: bool) -> None:  # noqa: FBT001 - the form of the callback
        self._host.cut_power(comes_back=comes_back)

    def _tell_boot(self) -> bytes:
        return f"{self._boot_id}\n".encode()

    def _install(self, log: ClientLog) -> None:
        """Make the file system that of the image."""
        install_programs(self._filesystem)
        self._filesystem.install("/etc/hostname", f"{self._host_name}\n".encode())
        self._filesystem.install("/etc/os-release", f'NAME="Mbed Linux OS"\nVERSION="{RELEASE}"\n'.encode())
        self._filesystem.show("/dev/null", bytes)
        self._filesystem.show(_LOG, lambda: log.text().encode())
        self._filesystem.show(_BOOT_ID, self._tell_boot)


def create(host: BoardHost, spec: VirtualBoardSpec) -> VirtualBoard:
    """Make a virtual device: the factory that ``harness_virtual_boards`` names."""
    return MblDevice(host, spec)
