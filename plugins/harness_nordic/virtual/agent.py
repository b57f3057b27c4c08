"""The provisioning agent on the board: Nordic's ``nrf_provisioning`` over HTTP, step by step.

Source: nrfcloud fact sheet, sections 3.1, 3.2, 3.6 and 3.9. The agent blocks, so it runs on a thread of the
bench; each of its AT commands is executed on the loop thread, where the console's are too, so the console
stays live meanwhile.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from harness_nordic.virtual.schedule import PollingSchedule
from harness_nordic.virtual.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.virtual.contract import BoardHost
    from harness_nordic.virtual.agent_log import AgentLog
    from harness_nordic.virtual.agent_settings import AgentSettings
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
        self.schedule = PollingSchedule(host, settings, stored, self.start)

    def boot(self) -> None:
        """Begin to poll, if the firmware does that by itself."""
        self.schedule.boot()

    def set_interval(self, seconds: int) -> None:
        """Keep another polling interval, which begins now."""
        self.schedule.set_interval(seconds)

    def start(self) -> None:
        """Provision now; asked during a run, once more after it."""
        if self._session is not None:
            self._again = True
            return
        self.schedule.started()
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
        self.schedule.stop()
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
        else:
            self.schedule.ended(busy=session.busy)
