"""The provisioning agent on the board: Nordic's ``nrf_provisioning`` over HTTP, step by step.

Source: nrfcloud fact sheet, sections 3.1, 3.2, 3.6 and 3.9. The agent blocks, so it runs on a thread of the
bench; each of its AT commands is executed on the loop thread, where the console's are too, so the console
stays live meanwhile.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from harness_nordic.virtual.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.virtual.contract import BoardHost
    from harness_nordic.virtual.agent_log import AgentLog
    from harness_nordic.virtual.firmware_settings import FirmwareSettings
    from harness_nordic.virtual.modem import Modem

#: What ``#XNRFPROV: <n>`` says (Serial Modem documentation, "nRF Provisioning AT commands").
URC_NUMBERS = {
    "DONE": 0,
    "NO_COMMANDS": 0,
    "NEED_LTE_DEACTIVATED": 1,
    "NEED_LTE_ACTIVATED": 2,
    "FAILED": -1,
    "FAILED_DEVICE_NOT_CLAIMED": -2,
    "FAILED_WRONG_ROOT_CA": -3,
    "FAILED_NO_VALID_DATETIME": -4,
    "FAILED_TOO_MANY_COMMANDS": -5,
    "FATAL_ERROR": -6,
}


@dataclass(slots=True, kw_only=True)
class AgentSettings:
    """How the firmware was built, and where its service is.

    :ivar service: address of the device endpoint, ``http://host:port`` or ``https://host:port``.
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
    :ivar most_rounds: fetches in one run; real firmware has no bound. [design]
    """

    service: str | None = None
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
    most_rounds: int = 100


class Agent:
    """Starts runs and ends them; called on the loop thread only."""

    def __init__(
        self,
        host: BoardHost,
        modem: Modem,
        stored: FirmwareSettings,
        settings: AgentSettings,
        log: AgentLog,
        *,
        announce: Callable[[str], None],
    ) -> None:
        """Be idle.

        :param host: threads and the loop.
        :param modem: executes AT commands.
        :param stored: where configuration goes.
        :param settings: how the firmware was built.
        :param log: keeps what happens.
        :param announce: sends an unsolicited line on the console.
        """
        self.settings = settings
        self._host = host
        self._modem = modem
        self._stored = stored
        self._log = log
        self._announce = announce
        self._changed = threading.Condition()
        self._session: Session | None = None
        self._again = False
        self._after = ""

    def start(self) -> None:
        """Provision now; asked during a run, once more after it."""
        if self._session is not None:
            self._again = True
            return
        session = Session(
            self._host,
            self._modem,
            self._stored,
            self.settings,
            self._log,
            after=self._after,
            announce=self._need,
            changed=self._changed,
        )
        self._session = session
        self._host.run_blocking(partial(self._work, session))

    def state_changed(self) -> None:
        """The modem changed its mode, its registration or its time: whoever waits looks again."""
        with self._changed:
            self._changed.notify_all()

    def stop(self) -> None:
        """Lose power: a run ends at once without a word, and ``after`` is forgotten."""
        session, self._session = self._session, None
        self._again = False
        self._after = ""
        if session is not None:
            session.abandon()

    def _work(self, session: Session) -> None:
        event: str | None = "FATAL_ERROR"  # what a run is that ends by an exception nobody thought of
        try:
            event = session.run()
        finally:
            if event is not None:
                self._host.call_soon(partial(self._ended, session, event))

    def _need(self, event: str) -> None:
        if self.settings.lte_control == "host":
            self._announce(f"#XNRFPROV: {URC_NUMBERS[event]}")

    def _ended(self, session: Session, event: str) -> None:
        if session is not self._session:
            return  # the power went meanwhile
        self._session = None
        self._after = session.after
        self._log.event("STOP")
        self._log.event(event)
        self._announce(f"#XNRFPROV: {URC_NUMBERS[event]}")
        if self._again:
            self._again = False
            self.start()
