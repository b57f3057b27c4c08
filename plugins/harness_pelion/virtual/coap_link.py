"""CoAP over a TLS link: one request of the device's at a time, and answers to those of the server.

Source: RFC 7252, sections 4 and 5, without retransmission, which TCP does. The server's requests may come
while the device waits for an answer.
"""

from __future__ import annotations

import itertools
import os
import time
from typing import TYPE_CHECKING

from harness_pelion.virtual import coap
from harness_pelion.virtual.client_log import ClientFailure, ErrorName
from harness_pelion.virtual.client_session import Woken
from harness_pelion.virtual.coap import MalformedMessage, Message, Option, Type

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness_pelion.virtual.client_session import Session
    from harness_pelion.virtual.tls_link import TlsLink

    #: Answers a request of the server's.
    Serve = Callable[[Message], Message]

_TOKEN_BYTES = 4
_IDS = 1 << 16


class CoapLink:
    """Speaks CoAP with one server.

    :ivar refused: what the last request of the server's was refused for, ``None`` when it was not.
    """

    def __init__(self, link: TlsLink, session: Session, serve: Serve) -> None:
        """Speak over a link that stands.

        :param serve: answers the server's requests; called on the run's thread.
        """
        self.refused: str | None = None
        self._link = link
        self._session = session
        self._serve = serve
        self._ids = itertools.cycle(range(1, _IDS))

    def request(
        self,
        method: int,
        path: str,
        *,
        query: tuple[str, ...] = (),
        payload: bytes = b"",
        content_format: int | None = None,
    ) -> Message:
        """Make a request and return the response, whatever it says.

        :param path: as ``/rd``.
        :param query: one text an option.
        :raises ClientFailure: there is no answer, or the connection breaks.
        :raises Abandoned: the run was ended.
        """
        name = f"{coap.shown(method)} {path}"
        options = coap.paths(Option.URI_PATH, path)
        if content_format is not None:
            options += ((int(Option.CONTENT_FORMAT), coap.uint(content_format)),)
        options += tuple((int(Option.URI_QUERY), each.encode()) for each in query)
        asked = Message(
            type=Type.CON,
            code=method,
            id=next(self._ids),
            token=os.urandom(_TOKEN_BYTES),
            options=options,
            payload=payload,
        )
        with self._session.exchange(name):
            self._link.send(coap.encode(asked))
            return self._await_answer(asked, name)

    def _await_answer(self, asked: Message, name: str) -> Message:
        patience = self._session.settings.client_timeout_s
        deadline = time.monotonic() + patience
        while True:
            data = self._link.receive(deadline)
            if isinstance(data, Woken):
                raise ClientFailure(ErrorName.ConnectTimeout, f"no answer to {name} within {patience:g} s")
            message = self._take(data)
            if message is None:
                continue
            if message.type is Type.RST and message.id == asked.id:
                raise ClientFailure(ErrorName.ConnectNetworkError, f"the server rejected {name} by a reset")
            if message.is_response and message.token == asked.token:
                if message.type is Type.CON:
                    self._link.send(coap.encode(Message(type=Type.ACK, code=coap.EMPTY, id=message.id)))
                return message

    def serve(self, deadline: float) -> Woken:
        """Wait for one message of the server's, and answer it if it is a request.

        :param deadline: when to give up, on the monotonic clock.
        :return: how the wait ended; a nudge ends it, too.
        :raises ClientFailure: the connection breaks.
        :raises Abandoned: the run was ended.
        """
        data = self._link.receive(deadline, nudgeable=True)
        if isinstance(data, Woken):
            return data
        self._take(data)
        return Woken.READY

    def _take(self, data: bytes) -> Message | None:
        """Answer what asks for an answer; return what may be one itself."""
        try:
            message = coap.decode(data)
        except MalformedMessage as error:
            self.refused = f"it is no CoAP message: {error}"
            if error.reset is not None:
                self._link.send(error.reset)
            return None
        if message.is_request:
            self._answer(message)
            return None
        if message.type is Type.CON and not message.is_response:
            # The ping of RFC 7252, section 4.3; and codes that nobody knows.
            self._link.send(coap.encode(Message(type=Type.RST, code=coap.EMPTY, id=message.id)))
            return None
        return message

    def _answer(self, message: Message) -> None:
        name = f"{coap.shown(message.code)} {message.path}"
        with self._session.exchange(f"answer {name}"):
            reply = message.reply(coap.BAD_OPTION) if message.unknown_critical else self._serve(message)
            self.refused = None if reply.succeeded else f"{name}: {reply.payload.decode(errors='replace')}"
            self._link.send(coap.encode(reply))

    def close(self, *, politely: bool) -> None:
        """Close the link; see :meth:`TlsLink.close`."""
        self._link.close(politely=politely)
