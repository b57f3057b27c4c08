"""How the device makes itself known: its SSH by mDNS, on the interface of its address only.

A service ``_ssh._tcp`` under its host name, with a TXT record that is exactly the key ``mblos`` without a
value (pelion fact sheet, section 1.2). Registering takes a second or two, so it happens on a thread.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import threading
from typing import Any

_log = logging.getLogger(__name__)

SERVICE = "_ssh._tcp.local."
KEY = "mblos"

_CLOSING_SECONDS = 10.0


class Advertisement:
    """Makes an SSH server known, or not. On the bench's loop thread, which it does not block."""

    def __init__(self, host_name: str, address: str, port: int) -> None:
        """Say nothing yet.

        :param address: of its SSH; a link-local one with its interface.
        """
        self._host_name = host_name
        self._address = address
        self._port = port
        self._ending: threading.Event | None = None
        self._threads: list[threading.Thread] = []

    @property
    def on(self) -> bool:
        """Whether the device makes itself known, or is about to."""
        return self._ending is not None

    def start(self) -> None:
        """Begin to say it; nothing happens when it is said already."""
        if self._ending is not None:
            return
        self._ending = threading.Event()
        before = [each for each in self._threads if each.is_alive()]
        thread = threading.Thread(
            target=self._say, args=(self._ending, before), name=f"{self._host_name}-mdns", daemon=True
        )
        self._threads = [*before, thread]
        thread.start()

    def stop(self) -> None:
        """Say it no more; the end of it happens behind this call."""
        ending, self._ending = self._ending, None
        if ending is not None:
            ending.set()

    def close(self) -> None:
        """Say it no more, and wait until that is known."""
        self.stop()
        for thread in self._threads:
            thread.join(_CLOSING_SECONDS)
        self._threads = []

    def _say(self, ending: threading.Event, before: list[threading.Thread]) -> None:
        from zeroconf import Error as MdnsError
        from zeroconf import ServiceInfo, Zeroconf

        for thread in before:
            thread.join()
        if ending.is_set():
            return
        info = ServiceInfo(
            SERVICE,
            f"{self._host_name}.{SERVICE}",
            port=self._port,
            addresses=[ipaddress.ip_address(self._address.partition("%")[0]).packed],
            properties={KEY: None},
            server=f"{self._host_name}.local.",
        )
        try:
            with Zeroconf(**self._where()) as responder:
                responder.register_service(info)
                ending.wait()
                responder.unregister_service(info)
        except (OSError, MdnsError):
            _log.exception("%s cannot make itself known by mDNS", self._host_name)

    def _where(self) -> dict[str, Any]:
        """Return on which interface it is said."""
        from zeroconf import IPVersion

        address, _, interface = self._address.partition("%")
        if interface:
            return {"interfaces": [socket.if_nametoindex(interface)], "ip_version": IPVersion.V6Only}
        version = IPVersion.V6Only if ":" in address else IPVersion.V4Only
        return {"interfaces": [address], "ip_version": version}
