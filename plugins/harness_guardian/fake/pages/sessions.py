"""Who is signed in to the pages: sessions behind a cookie, what a form must prove, what is yet to be said.

The cookie holds a random name of the session, never the user's token; a page of another site can neither send
it (``SameSite=Strict``) nor know what the forms of the session have to send back.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness_guardian.enums import Action, ProvisionSource

COOKIE = "guardian-session"
LONGEST = 12 * 3600.0
"""Seconds that a session lasts."""

MOST_SESSIONS = 500
MOST_CONFIRMATIONS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something to be said on the next page.

    :ivar good: whether it is a success.
    """

    text: str
    good: bool = True
    details: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What a confirmation panel asked: only that can be confirmed, for these requests.

    :ivar actions: what its buttons do.
    :ivar requests: the keys of the requests, as they were counted in it.
    """

    actions: tuple[Action, ...]
    requests: tuple[tuple[ProvisionSource, str], ...]


@dataclass(slots=True, kw_only=True, eq=False)
class Session:
    """Somebody who is signed in.

    :ivar token: the user's; looked up again with each request, so that a session ends with it.
    :ivar csrf: what every form has to send back.
    """

    token: str = field(repr=False)
    csrf: str = field(repr=False, default_factory=lambda: secrets.token_urlsafe(24))
    ends: float
    _messages: list[Message] = field(default_factory=list)
    _confirmations: OrderedDict[str, Confirmation] = field(default_factory=OrderedDict)

    def proves(self, csrf: str) -> bool:
        """Tell whether a form is one of this session's."""
        return hmac.compare_digest(csrf.encode(), self.csrf.encode())

    def say(self, message: Message) -> None:
        """Say something on the next whole page."""
        self._messages.append(message)

    def take_messages(self) -> list[Message]:
        """Return what is to be said, once."""
        messages, self._messages = self._messages, []
        return messages

    def ask(self, confirmation: Confirmation) -> str:
        """Remember what a panel asks.

        :return: what its form sends back.
        """
        name = secrets.token_urlsafe(12)
        self._confirmations[name] = confirmation
        while len(self._confirmations) > MOST_CONFIRMATIONS:
            self._confirmations.popitem(last=False)
        return name

    def confirmed(self, name: str) -> Confirmation | None:
        """Return what a panel asked, once; ``None`` when it asked nothing, or was answered."""
        return self._confirmations.pop(name, None)


class Sessions:
    """All sessions; the oldest ends when there are too many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with none.

        :param clock: seconds; sessions are not ended by a test that shifts the service's clock.
        """
        self._clock = clock
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def open(self, token: str) -> tuple[str, Session]:
        """Begin a session.

        :return: what its cookie holds, and the session.
        """
        name = secrets.token_urlsafe(24)
        session = Session(token=token, ends=self._clock() + LONGEST)
        self._sessions[name] = session
        while len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return name, session

    def find(self, name: str | None) -> Session | None:
        """Return the session of a cookie; ``None`` when there is none, or it is over."""
        session = self._sessions.get(name) if name else None
        if session is not None and session.ends <= self._clock():
            self.close(name)
            return None
        return session

    def close(self, name: str | None) -> None:
        """End a session; idempotent."""
        if name:
            self._sessions.pop(name, None)
