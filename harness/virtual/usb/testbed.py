"""The directory that umockdev's preload library shows to a process as ``/sys`` and ``/dev``.

We write it ourselves, not through libumockdev: that library ends the process that calls it when a client
does not read its monitor, needs the preload in the daemon too, and gets slow with the number of devices
(testbed fact sheet, section 1). A removed device leaves nothing behind.
"""

from __future__ import annotations

import errno
import itertools
import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from harness.virtual.usb.device_tree import SysfsDevice

_BUSES = frozenset({"pci", "usb", "usb-serial"})


class HostTree:
    """Writes devices into a directory and removes them. The caller owns the directory."""

    def __init__(self, root: Path) -> None:
        """Lay out an empty host.

        :param root: an existing directory.
        """
        self.root = root
        self.dev = root / "dev"
        self._links: dict[str, list[str]] = {}
        self._pool = _Pool(root / ".pool")
        for each in ("sys/class/tty", "sys/bus/usb/devices", "dev/.node"):
            (root / each).mkdir(parents=True)

    def add(self, device: SysfsDevice) -> None:
        """Make a device appear: its node first of all, then its directory, then the ways to it."""
        directory = self._sys(device.path)
        directory.mkdir(parents=True, exist_ok=True)
        for name, value in device.attributes.items():
            self._pool.file(directory / name, f"{value}\n")
        for name, target in {**device.links, **self._standard_links(device)}.items():
            self._pool.link(directory / name, _relative(directory, self._sys(target)))
        (directory / "uevent").write_text(uevent_file(device), encoding="utf-8")
        for entry in self._entries(device):
            entry.parent.mkdir(parents=True, exist_ok=True)
            _link(entry, directory)
        if device.number is not None and "DEVNAME" in device.kernel:
            node = self.dev / ".node" / device.kernel["DEVNAME"].replace("/", "_")
            node.symlink_to(f"{device.number[0]}:{device.number[1]}")
        for link in device.device_links:
            self._links.setdefault(link, []).append(device.kernel["DEVNAME"])
            self._point(link)

    def remove(self, device: SysfsDevice) -> None:
        """Make a device disappear; its children have to be gone."""
        for link in device.device_links:
            self._links[link].remove(device.kernel["DEVNAME"])
            self._point(link)
        if "DEVNAME" in device.kernel:
            (self.dev / ".node" / device.kernel["DEVNAME"].replace("/", "_")).unlink(missing_ok=True)
        for entry in self._entries(device):
            entry.unlink(missing_ok=True)
        shutil.rmtree(self._sys(device.path))
        if device.subsystem == "tty":
            self._sys(device.path).parent.rmdir()

    def _point(self, link: str) -> None:
        """Let a link lead to who claimed it last, as udev does; nobody does: it goes."""
        claimed = self._links[link]
        path = self.dev / link
        # umockdev's sockets for ioctls are found under the name that was opened: links lead there, too.
        socket = self.root / "ioctl" / "dev" / link
        for each, folder in ((path, self.dev), (socket, self.root / "ioctl" / "dev")):
            if not claimed:
                each.unlink(missing_ok=True)
                _remove_empty(each.parent, folder)
                continue
            each.parent.mkdir(parents=True, exist_ok=True)
            temporary = each.with_name(f".{each.name}.new")
            _link(temporary, folder / claimed[-1])
            temporary.rename(each)
        if not claimed:
            del self._links[link]

    def _sys(self, path: str) -> Path:
        return self.root / "sys" / path.lstrip("/")

    def _standard_links(self, device: SysfsDevice) -> dict[str, str]:
        folder = "bus" if device.subsystem in _BUSES else "class"
        links = {"subsystem": f"/{folder}/{device.subsystem}"}
        if "DRIVER" in device.kernel:
            links["driver"] = f"/bus/{device.subsystem}/drivers/{device.kernel['DRIVER']}"
            self._sys(links["driver"]).mkdir(parents=True, exist_ok=True)
        return links

    def _entries(self, device: SysfsDevice) -> list[Path]:
        """Return the links by which a device is found."""
        folder = "bus" if device.subsystem in _BUSES else "class"
        below = "/devices" if folder == "bus" else ""
        entries = [self._sys(f"/{folder}/{device.subsystem}{below}/{device.name}")]
        if device.number is not None:
            entries.append(self._sys(f"/dev/char/{device.number[0]}:{device.number[1]}"))
        return entries


def uevent_file(device: SysfsDevice) -> str:
    """Return the ``uevent`` file of a device.

    The kernel's holds less, but umockdev lets libudev see no database: what would be there has to be here.
    """
    said = {**device.kernel, **device.properties}
    if device.device_links:
        said["DEVLINKS"] = " ".join(f"/dev/{link}" for link in device.device_links)
    return "".join(f"{key}={value}\n" for key, value in said.items())


class _Pool:
    """Files and links that many devices have alike, each made once: a further name is quick on every disk."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self._directory = directory
        self._made: dict[tuple[str, str], str] = {}
        self._numbers = itertools.count()

    def file(self, path: Path, text: str) -> None:
        """Make a file that nobody will write to."""
        self._share(path, "file", text)

    def link(self, path: Path, target: str) -> None:
        """Make a symbolic link."""
        self._share(path, "link", target)

    def _share(self, path: Path, sort: str, content: str) -> None:
        made = self._made.get((sort, content))
        if made is not None:
            try:
                os.link(made, path, follow_symlinks=False)
            except OSError as error:
                if error.errno != errno.EMLINK:
                    raise
            else:
                return
        if sort == "file":
            path.write_text(content, encoding="utf-8")
        else:
            path.symlink_to(content)
        own = self._directory / str(next(self._numbers))
        os.link(path, own, follow_symlinks=False)
        self._made[sort, content] = str(own)


def _relative(directory: Path, target: Path) -> str:
    """Return a relative path: in the mocked world the testbed's root is not there."""
    return os.path.relpath(target, directory)


def _link(link: Path, target: Path) -> None:
    with suppress(FileExistsError):
        link.symlink_to(_relative(link.parent, target))


def _remove_empty(directory: Path, top: Path) -> None:
    while directory != top:
        try:
            directory.rmdir()
        except OSError:
            return
        directory = directory.parent
