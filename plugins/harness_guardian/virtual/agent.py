"""The agent's runs: one at a time, each on a thread; a deadline, ``cancel`` or a power cut ends them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.virtual.loop_calls import Abandoned
from harness_guardian.virtual.errors import AgentCode, AgentRefusal, failed
from harness_guardian.virtual.replies import Reply
from harness_guardian.virtual.session import CANCELLED, NO_NETWORK, Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.virtual.contract import BoardHost
    from harness.virtual.power_points import PowerPoints
    from harness_guardian.virtual.component import Component
    from harness_guardian.virtual.settings import AgentSettings


class Agent:
    """Starts runs and ends them; called on the loop thread only.

    :ivar settings: how it was built.
    :ivar component: whose agent it is.
    :ivar link_up: whether the board has a network.
    """

    def __init__(
        self, host: BoardHost, component: Component, settings: AgentSettings, points: PowerPoints
    ) -> None:
        """Be idle."""
        self.settings = settings
        self.component = component
        self.link_up = True
        self._host = host
        self._points = points
        self._session: Session | None = None
        self._after: list[Callable[[], None]] = []

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self._session is not None

    def check_free(self) -> None:
        """Refuse what would change something while a run is under way.

        :raises AgentRefusal: one is.
        """
        if self._session is not None:
            raise failed("something is under way already; cancel ends it")

    def check_reachable(self) -> str:
        """Return where the service is.

        :raises AgentRefusal: nobody said it, or there is no network.
        """
        service = self.component.service
        if service is None:
            raise failed("nobody said where the service is")
        if not self.link_up:
            raise failed(NO_NETWORK)
        return service

    def start(self, job: Callable[[Session], Reply], done: Callable[[Reply], None]) -> None:
        """Begin a run.

        :param job: what it does; called on a thread of its own.
        :param done: told on the loop thread how it ended, unless the power went.
        :raises AgentRefusal: one is under way, or the service is out of reach.
        """
        self.check_free()
        session = Session(self._host, self.component, self.settings, self._points, self.check_reachable())
        self._session = session
        self._host.run_blocking(partial(self._work, session, job, done))

    def cancel(self, ended: Callable[[], None]) -> None:
        """Call off what is under way.

        :param ended: called when it has ended.
        :raises AgentRefusal: nothing is.
        """
        if self._session is None:
            raise failed("nothing is under way")
        self._after.append(ended)
        self._session.call_off(CANCELLED)

    def set_link(self, *, up: bool) -> None:
        """Have a network or not; without one whatever is under way fails."""
        self.link_up = up
        if not up and self._session is not None:
            self._session.call_off(NO_NETWORK)

    def stop(self) -> None:
        """Lose power: what is under way ends without a word."""
        session, self._session = self._session, None
        self._after.clear()
        if session is not None:
            session.abandon()

    def _work(self, session: Session, job: Callable[[Session], Reply], done: Callable[[Reply], None]) -> None:
        reply = Reply(code=AgentCode.FAIL, text="the agent failed")  # by an exception nobody thought of
        try:
            reply = job(session)
        except AgentRefusal as refusal:
            reply = Reply.refusing(refusal)
        except Abandoned:
            return
        finally:
            session.close()
            self._host.call_soon(partial(self._ended, session, done, reply))

    def _ended(self, session: Session, done: Callable[[Reply], None], reply: Reply) -> None:
        if session is not self._session:
            return  # the power went meanwhile
        self._session = None
        done(reply)
        after, self._after = self._after, []
        for each in after:
            each()
