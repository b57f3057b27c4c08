"""The CoAP variant of the library: prove who the board is, fetch, report (nrfcloud fact sheet, section 3.3).

[design] Where the real library makes a DTLS handshake, ours takes a UDP port of its own: there is no DTLS.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.virtual.loop_calls import Abandoned
from harness_nordic.virtual import power
from harness_nordic.virtual.coap_link import CoapLink, Request
from harness_nordic.virtual.coap_message import CBOR, GET, POST
from harness_nordic.virtual.exchange import Answer, ExchangeFailed
from harness_nordic.virtual.variants import Stopped, modem_version, refused

if TYPE_CHECKING:
    from harness_nordic.virtual.datagram_faults import DatagramFaults
    from harness_nordic.virtual.variants import Run

AUTHENTICATE, FETCH, REPORT, SUSPEND = "p/auth-jwt", "p/cmd", "p/rsp", ".dtls/suspend"

_CREATED, _CHANGED, _CONTENT, _NOT_FOUND = 201, 204, 205, 404
_BUSY = frozenset({500, 503})


class CoapVariant:
    """Keeps one connection as long as it may, and proves once on each who the board is."""

    def __init__(self, run: Run, faults: DatagramFaults) -> None:
        """Serve a run."""
        settings = run.settings
        self._run = run
        self._keep_open = settings.coap_keep_open
        self._authenticated = False
        self._link = CoapLink(
            settings.coap_service,
            rx_size=settings.rx_size,
            timeout=settings.coap_timeout,
            ack_timeout=settings.coap_ack_timeout,
            block_size=settings.coap_block_size,
            faults=faults,
            answered=partial(run.pass_by, power.REQUEST_SENT),
            repeated=run.log.repeated,
        )

    def fetch(self, after: str) -> bytes | None:
        """Return the next commands, ``None`` if there are none: then the payload is empty."""
        settings = self._run.settings
        query = (
            f"after={after}",
            f"rxMaxSize={settings.rx_size}",
            f"txMaxSize={settings.tx_size}",
            f"limit={settings.limit}",
        )
        answer = self._ask(Request(code=GET, path=FETCH, query=query, accept=CBOR))
        if answer.status != _CONTENT:
            raise self._refused(answer.status)
        if not answer.body:
            return None
        self._suspend()
        return answer.body

    def report(self, body: bytes) -> bool:
        """Send a report; a refusal is logged, and the run goes on with the next fetch."""
        request = Request(code=POST, path=REPORT, payload=body, content_format=CBOR)
        try:
            self._connect()
            answer = self._exchange(request)
        except ExchangeFailed as error:
            self._run.log.problem(f"the report was not taken: {error}")
            return False
        if answer.status != _CHANGED:
            self._run.log.problem(f"the report was answered {_written(answer.status)}")
        return answer.status == _CHANGED

    def tear_down(self) -> None:
        """Break off what is under way, and refuse what comes later. From any thread."""
        self._link.tear_down()

    def close(self) -> None:
        """Give up the connection."""
        self._authenticated = False
        self._link.close()

    def _ask(self, request: Request) -> Answer:
        """Make a request on a connection on which the service knows the board.

        :raises Stopped: there was no answer.
        """
        try:
            self._connect()
            return self._exchange(request)
        except ExchangeFailed as error:
            event = "FAILED_WRONG_ROOT_CA" if error.refused else "FAILED"
            raise Stopped(event, str(error), busy=error.late) from error

    def _connect(self) -> None:
        """Have a connection on which the service knows the board.

        :raises ExchangeFailed: nobody answers there.
        :raises Stopped: the service does not want to know the board.
        """
        if self._authenticated:
            return
        query = (f"mver={modem_version(self._run)}", f"cver={self._run.settings.sdk}")
        payload = self._run.jwt().encode()
        self._link.open()
        request = Request(code=POST, path=AUTHENTICATE, query=query, payload=payload, content_format=CBOR)
        answer = self._exchange(request)
        if answer.status != _CREATED:
            raise self._refused(answer.status)
        self._authenticated = True

    def _suspend(self) -> None:
        """Let the connection outlive the time without a network, if the service can do that."""
        if self._keep_open:
            try:
                status = self._link.notify(Request(code=POST, path=SUSPEND))
            except ExchangeFailed as error:
                if self._run.abandoned:
                    raise Abandoned from error
                status = None
            self._run.log.exchange("POST", SUSPEND, status, 0, variant="coap")
            self._keep_open = status != _NOT_FOUND
        if not self._keep_open:
            self.close()

    def _exchange(self, request: Request) -> Answer:
        run = self._run
        target = request.path + ("?" + "&".join(request.query) if request.query else "")
        method = request.name.partition(" ")[0]
        run.pass_by(power.BEFORE_EXCHANGE, f"{method} {target}")
        try:
            answer = self._link.request(request)
        except ExchangeFailed as error:
            if run.abandoned:
                raise Abandoned from error
            run.log.exchange(method, target, error.status, 0, variant="coap")
            raise
        run.log.exchange(method, target, answer.status, answer.size, variant="coap")
        run.pass_by(power.AFTER_EXCHANGE, f"{method} {target}")
        return answer

    def _refused(self, status: int) -> Stopped:
        stopped = refused(self._run, status, _written(status))
        stopped.busy = status in _BUSY
        return stopped


def _written(status: int) -> str:
    """Return a code as it is written: 4.01."""
    return f"{status // 100}.{status % 100:02}"
