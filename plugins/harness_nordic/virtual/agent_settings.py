"""How the firmware with the provisioning agent was built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: What the console may speak.
AT_HOST, AT_SHELL = "at-host", "at-shell"
#: Fields that are one of a few.
CHOICES = {
    "coap_block_size": (16, 32, 64, 128, 256, 512, 1024),
    "discipline": (AT_HOST, AT_SHELL),
    "lte_control": ("board", "host"),
    "transport": ("http", "coap"),
}
#: Fields that say where the service is, not how the firmware was built.
ADDRESSES = ("service", "coap_service")


@dataclass(slots=True, kw_only=True)
class AgentSettings:
    """How the firmware was built, and where its service is.

    :ivar service: address of the device endpoint, ``http://host:port`` or ``https://host:port``.
    :ivar coap_service: its address for the CoAP variant, ``coap://host:port``.
    :ivar transport: which variant of the library it is: ``http`` or ``coap``.
    :ivar agent: whether there is an agent at all; without one it is plain AT firmware.
    :ivar root_ca_tag: security tag of the certificates that the service is verified with.
    :ivar root_ca: certificate (PEM) that the firmware writes under that tag when it is empty (section 3.6,
        step 1); empty for none.
    :ivar rx_size: receive buffer (``rxMaxSize``).
    :ivar tx_size: transmit buffer (``txMaxSize``).
    :ivar at_size: longest AT command; the buffer is the larger of this and ``tx_size``.
    :ivar limit: record limit of the codec (``limit``).
    :ivar sdk: version of the SDK (``cver``).
    :ivar board: name of the board in the User-Agent.
    :ivar canonical: whether the CBOR build is canonical.
    :ivar lte_control: who takes the modem offline and online: the ``board``'s own application, or the
        ``host`` on ``#XNRFPROV: 1`` and ``2``, as the Serial Modem application leaves it.
    :ivar at_timeout: seconds after which a silent modem counts as failed.
    :ivar time_wait: seconds to wait for network and network time.
    :ivar state_wait: seconds to wait for a functional mode that was asked for.
    :ivar http_timeout: seconds of an HTTP exchange.
    :ivar coap_timeout: seconds for the answer to one datagram.
    :ivar coap_ack_timeout: seconds until a datagram is sent again the first time (RFC 7252: ACK_TIMEOUT).
    :ivar coap_block_size: bytes of a block, both ways.
    :ivar coap_keep_open: whether the firmware keeps its connection while the modem is offline.
    :ivar most_rounds: fetches in one run; real firmware has no bound. [design]
    :ivar discipline: what the console speaks: AT itself, or a Zephyr shell with an ``at`` command.
    :ivar shell_size: command buffer of the shell.
    :ivar terminal_width: columns after which the shell breaks what it echoes.
    :ivar scheduled: whether the firmware polls by itself: after a boot, and then at the interval.
    :ivar interval: seconds between two polls unless ``provisioning/interval-sec`` says otherwise.
    """

    service: str | None = None
    coap_service: str | None = None
    transport: Literal["http", "coap"] = "http"
    agent: bool = True
    root_ca_tag: int = 50
    root_ca: str = ""
    rx_size: int = 2304
    tx_size: int = 2304
    at_size: int = 2048
    limit: int = 10
    sdk: str = "3.1.0"
    board: str = "nrf9151dk"
    canonical: bool = True
    lte_control: Literal["board", "host"] = "board"
    at_timeout: float = 10.0
    time_wait: float = 60.0
    state_wait: float = 120.0
    http_timeout: float = 30.0
    coap_timeout: float = 30.0
    coap_ack_timeout: float = 2.0
    coap_block_size: int = 1024
    coap_keep_open: bool = True
    most_rounds: int = 100
    discipline: Literal["at-host", "at-shell"] = "at-host"
    shell_size: int = 4096
    terminal_width: int = 80
    scheduled: bool = False
    interval: int = 86400


def check_choice(name: str, value: object) -> None:
    """Refuse a field that is none of the few that it may be.

    :raises ValueError: it is not.
    """
    known = CHOICES.get(name)
    if known is not None and value not in known:
        raise ValueError(f"{name} is {value!r}; expected {' or '.join(map(repr, known))}")
