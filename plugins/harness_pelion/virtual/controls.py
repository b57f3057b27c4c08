"""The vendor's own control calls of a virtual device: power points, SSH, storage, clock, network, items."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from harness.virtual.control_calls import ControlCalls, clock_offset, yes_or_no
from harness_pelion.virtual import ssh_faults
from harness_pelion.virtual.filesystem import ROOT, File, FsError, absolute
from harness_pelion.virtual.kcm import KcmRefusal
from harness_pelion.virtual.settings import MblSettings, check_setting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness_pelion.virtual.board import MblDevice
    from harness_pelion.virtual.calling import Machine
    from harness_pelion.virtual.client_log import ClientLog
    from harness_pelion.virtual.cloud_client import CloudClient
    from harness_pelion.virtual.device_ssh import DeviceSsh
    from harness_pelion.virtual.filesystem import Mount
    from harness_pelion.virtual.kcm import Kcm


class Controls(ControlCalls):
    """Answers control calls by name; the public methods are the calls."""

    def __init__(
        self,
        device: MblDevice,
        machine: Machine,
        kcm: Kcm,
        log: ClientLog,
        client: CloudClient,
        settings: MblSettings,
        ssh: DeviceSsh,
    ) -> None:
        """Know the parts of the device."""
        super().__init__()
        self._device = device
        self._machine = machine
        self._kcm = kcm
        self._log = log
        self._client = client
        self._settings = settings
        self._built = dataclasses.replace(settings)
        self._ssh = ssh

    # -- power --

    def points(self, *, clear: bool = False) -> list[tuple[str, str]]:
        """Return the points that were passed, oldest first: each with what was being done.

        :param clear: forget them.
        """
        passed = self._machine.points.passed()
        if clear:
            self._machine.points.clear()
        return passed

    def clear_points(self) -> None:
        """Forget which points were passed."""
        self._machine.points.clear()

    def cut_power_at(self, point: str, nth: int = 1, *, comes_back: bool = False) -> None:
        """Let the power go at the nth passing of a point from now on.

        :param point: see :data:`harness_pelion.virtual.power.POINTS`.
        :param nth: 1 is the next passing.
        :param comes_back: the power returns as soon as the device is dark; else somebody switches it on.
        """
        self._machine.points.arm(point, nth, comes_back=comes_back)

    # -- SSH --

    def ssh(self) -> dict[str, Any]:
        """Return where and how the device is reached by SSH.

        ``host``, ``port``, ``user``, ``host_key``, ``auth`` (how it lets root in), and what that needs:
        ``private_key_pem``, ``password``.
        """
        return self._ssh.access()

    def set_ssh(self, mode: str) -> None:
        """Let the port behave so from now on.

        :param mode: ``open``, ``refusing`` (nobody listens) or ``silent`` (no banner).
        """
        self._ssh.set_mode(mode)

    def cut_ssh_at(self, nth: int = 1, when: str = ssh_faults.CONNECTION) -> None:
        """Cut an SSH connection at the nth such moment from now on.

        :param nth: 1 is the next.
        :param when: see :data:`harness_pelion.virtual.ssh_faults.MOMENTS`.
        """
        self._ssh.faults.cut_at(nth, when)

    def connections(self, *, clear: bool = False) -> list[dict[str, Any]]:
        """Return the SSH connections that came, oldest first: ``number``, ``user`` and ``commands`` of each.

        :param clear: forget them.
        """
        return self._ssh.faults.connections(clear=clear)

    # -- storage --

    def kcm(self) -> dict[str, dict[str, Any]]:
        """Return what the key store holds: of each item its size and digest."""
        return self._kcm.digests()

    def store_item(self, name: str, data: str) -> None:
        """Put an item into the key store.

        :param data: in hexadecimal.
        """
        try:
            self._kcm.store(name, bytes.fromhex(data))
        except KcmRefusal as refusal:
            raise ValueError(f"the key store refuses it: {refusal}") from refusal

    def drop_item(self, name: str) -> bool:
        """Take an item out of the key store, and tell whether there was one."""
        try:
            return self._kcm.delete(name)
        except KcmRefusal as refusal:
            raise ValueError(f"the key store refuses it: {refusal}") from refusal

    def forget(self) -> None:
        """Be as new: no credentials, the files of the image, no log; the cloud client begins anew."""
        self._kcm.forget()
        self._log.clear()
        self._machine.filesystem.restore_image()
        self._device.restart_client()

    def files(self, path: str = ROOT) -> list[str]:
        """Return the paths of all files and directories below a path; none when there is nothing."""
        top = absolute(path)
        try:
            return [each for each, _entry in self._machine.filesystem.walk(top) if each != top]
        except FsError:
            return []

    def file_mode(self, path: str) -> str | None:
        """Return the mode of a file or directory in octal, ``None`` when there is none."""
        entry = self._machine.filesystem.find(absolute(path))
        return None if entry is None else f"{'f' if isinstance(entry, File) else 'd'}{entry.mode:04o}"

    def fill_disk(self, mount: str | None = None, left: int = 0) -> None:
        """Leave so many bytes of room.

        :param mount: ``/``, ``/scratch``, ``/tmp`` or ``/run``; default: everywhere.
        """
        if isinstance(left, bool) or not isinstance(left, int) or left < 0:
            raise ValueError(f"left is {left!r}; expected bytes from 0")
        for each in self._mounts(mount):
            each.left = left

    def set_read_only(self, *, on: bool, mount: str | None = None) -> None:
        """Let nothing be written, or again.

        :param mount: ``/``, ``/scratch``, ``/tmp`` or ``/run``; default: everywhere.
        """
        for each in self._mounts(mount):
            each.read_only = yes_or_no("on", on)

    def _mounts(self, where: str | None) -> Iterable[Mount]:
        mounts = self._machine.filesystem.mounts
        if where is None:
            return mounts.values()
        if where not in mounts:
            raise ValueError(f"mount is {where!r}; expected one of {', '.join(mounts)}")
        return [mounts[where]]

    # -- surroundings --

    def set_clock(self, offset_seconds: float) -> None:
        """Put the device's clock off by some seconds."""
        self._machine.clock.offset = clock_offset(offset_seconds)

    def set_link(self, *, up: bool) -> None:
        """Give the cloud client a network, or take it away; SSH stays."""
        self._settings.link_up = yes_or_no("up", up)
        self._client.set_link(up=up)

    def advertise(self, *, on: bool) -> None:
        """Make the device known by mDNS on the loopback interface, or no more; it takes a moment."""
        self._settings.mdns = yes_or_no("on", on)
        self._device.advertise()

    def client_state(self) -> dict[str, Any]:
        """Return what the cloud client does; see :meth:`CloudClient.state`."""
        return self._client.state()

    def restart_client(self) -> None:
        """Start the cloud client anew, as its service does."""
        self._device.restart_client()

    def client_log(self) -> str:
        """Return the log of the cloud client, as it is in its file."""
        return self._log.text()

    def deregister(self) -> None:
        """Let the cloud client take back its registration."""
        self._client.deregister()

    def update_registration(self) -> None:
        """Let the cloud client update its registration once, at once."""
        self._client.update_registration()

    def configure(self, **options: Any) -> None:
        """Change how the device was built.

        :param options: fields of :class:`~harness_pelion.virtual.settings.MblSettings`.
        """
        for name, value in options.items():
            check_setting(name, value)
        for name in set(options) & {"disk_bytes", "scratch_bytes", "host_number", "ssh_address", "ssh_port"}:
            raise ValueError(f"{name} is fixed when the device is made")
        for name, value in options.items():
            setattr(self._settings, name, value)
        self._settings_changed()

    def configuration(self) -> dict[str, Any]:
        """Return how the device was built."""
        return dataclasses.asdict(self._settings)

    def clear_faults(self) -> None:
        """End what a test ordered; what the device keeps without power stays.

        The harness calls it after each test.
        """
        self._machine.points.disarm()
        self._machine.clock.offset = 0.0
        self._machine.filesystem.end_faults()
        self._ssh.clear_faults()
        for field in dataclasses.fields(MblSettings):
            setattr(self._settings, field.name, getattr(self._built, field.name))
        self._settings_changed()

    def _settings_changed(self) -> None:
        self._client.set_link(up=self._settings.link_up)
        self._client.settings_changed()
        self._device.advertise()
