"""How the agent on the host behaves, and what it tells the service about itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HostAgentOptions:
    """What a build of Nordic's library has as Kconfig options (nrfcloud fact sheet, section 3.2).

    :ivar rx_size: bytes that a whole answer of the service may have (``rxMaxSize``).
    :ivar tx_size: bytes that one AT command may have (``txMaxSize``).
    :ivar limit: commands in one answer (``limit``).
    :ivar sdk: version of the SDK whose library it follows (``cver``).
    :ivar at_timeout: seconds until a silent modem counts as failed.
    :ivar keygen_timeout: the same for a command that makes a key.
    :ivar http_timeout: seconds of an HTTP exchange.
    :ivar most_rounds: fetches in one run; real firmware has no bound. [design]
    """

    rx_size: int = 4096
    tx_size: int = 4096
    limit: int = 10
    sdk: str = "3.1.0"
    at_timeout: float = 10.0
    keygen_timeout: float = 30.0
    http_timeout: float = 30.0
    most_rounds: int = 100
