"""The HTTP variant of the library: fetch and report (nrfcloud fact sheet, section 3.2)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.virtual.loop_calls import Abandoned
from harness_nordic.virtual import power
from harness_nordic.virtual.exchange import Answer, ExchangeFailed, ServiceLink
from harness_nordic.virtual.variants import Stopped, modem_version, refused

if TYPE_CHECKING:
    from harness_nordic.virtual.variants import Run

FETCH_PATH = "/v1/provisioning/commands"
REPORT_PATH = "/v1/provisioning/response"

_OK, _NO_CONTENT = 200, 204
_ZEPHYR, _ZEPHYR_BUILD = "4.1", "v4.1.99-ncs1"


class HttpVariant:
    """Fetches and reports over a fresh connection and with a fresh JWT each time."""

    def __init__(self, run: Run) -> None:
        """Serve a run."""
        self._run = run
        self._link = ServiceLink(
            run.settings.service,
            rx_size=run.settings.rx_size,
            timeout=run.settings.http_timeout,
            trusted=run.trusted,
            answered=partial(run.pass_by, power.REQUEST_SENT),
        )

    def fetch(self, after: str) -> bytes | None:
        """Return the next commands, ``None`` if there are none."""
        settings = self._run.settings
        target = (
            f"{FETCH_PATH}?after={after}&rxMaxSize={settings.rx_size}&txMaxSize={settings.tx_size}"
            f"&mver={modem_version(self._run)}&cver={settings.sdk}&limit={settings.limit}"
        )
        headers = [("Accept", "application/cbor"), self._authorization(), ("Content-Type", "*/*")]
        try:
            answer = self._exchange("GET", target, headers)
        except ExchangeFailed as error:
            event = "FAILED_WRONG_ROOT_CA" if error.refused else "FAILED"
            raise Stopped(event, str(error), busy=error.late) from error
        if answer.status == _NO_CONTENT:
            return None
        if answer.status != _OK:
            raise refused(self._run, answer.status, str(answer.status))
        return answer.body

    def report(self, body: bytes) -> bool:
        """Post a report; a refusal is logged, and the run goes on with the next fetch."""
        headers = [("Content-Type", "application/cbor"), ("Accept", "*/*"), self._authorization()]
        try:
            answer = self._exchange("POST", REPORT_PATH, headers, body)
        except ExchangeFailed as error:
            self._run.log.problem(f"the report was not taken: {error}")
            return False
        if answer.status != _OK:
            self._run.log.problem(f"the report was answered {answer.status}")
        return answer.status == _OK

    def tear_down(self) -> None:
        """Break off what is under way, and refuse what comes later. From any thread."""
        self._link.tear_down()

    def close(self) -> None:
        """Do nothing: every connection was closed behind its exchange."""

    def _authorization(self) -> tuple[str, str]:
        return "Authorization", f"Bearer {self._run.jwt()}"

    def _exchange(
        self, method: str, target: str, headers: list[tuple[str, str]], body: bytes | None = None
    ) -> Answer:
        run = self._run
        agent = f"Zephyr/{_ZEPHYR} ({_ZEPHYR_BUILD} {run.settings.board})"
        headers = [*headers, ("User-Agent", agent), ("Connection", "close")]
        run.pass_by(power.BEFORE_EXCHANGE, f"{method} {target}")
        try:
            answer = self._link.exchange(method, target, headers, body)
        except ExchangeFailed as error:
            if run.abandoned:
                raise Abandoned from error
            run.log.exchange(method, target, error.status, 0)
            raise
        run.log.exchange(method, target, answer.status, answer.size)
        run.pass_by(power.AFTER_EXCHANGE, f"{method} {target}")
        return answer
