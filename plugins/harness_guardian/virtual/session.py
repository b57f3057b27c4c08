"""One run of the agent on a thread of its own: what it may do there, and how it ends.

Whatever touches the component happens on the bench's loop thread, where the console's commands are executed
and where the power goes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from harness.virtual.loop_calls import LoopCalls
from harness_guardian.virtual import power
from harness_guardian.virtual.errors import failed
from harness_guardian.virtual.exchange import Answer, ExchangeFailed, ServiceLink

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.virtual.contract import BoardHost
    from harness.virtual.power_points import PowerPoints
    from harness_guardian.virtual.component import Component
    from harness_guardian.virtual.settings import AgentSettings

T = TypeVar("T")

CANCELLED = "cancelled"
NO_NETWORK = "there is no network"


class Session:
    """A run of the agent.

    :ivar component: to be used by :meth:`on_loop` only.
    :ivar settings: how the agent was built.
    """

    def __init__(
        self,
        host: BoardHost,
        component: Component,
        settings: AgentSettings,
        points: PowerPoints,
        service: str,
    ) -> None:
        """Prepare a run.

        :param host: the loop.
        :param points: passed with every exchange.
        :param service: where the service is.
        """
        self.component = component
        self.settings = settings
        self._calls = LoopCalls(host)
        self._points = points
        self._called_off: str | None = None
        self._link = ServiceLink(service)
        self._deadline = time.monotonic() + settings.wait_time

    # -- from the loop's thread ---------------------------------------------------------------------------

    def abandon(self) -> None:
        """Break off without a word: the power went."""
        self._calls.abandon()
        self._link.tear_down()

    def call_off(self, reason: str) -> None:
        """Break off; the run ends with a reason."""
        with self._calls.changed:
            self._called_off = reason
            self._calls.changed.notify_all()
        self._link.tear_down()

    # -- from the run's own thread ------------------------------------------------------------------------

    @property
    def remaining(self) -> float:
        """Seconds until the agent gives up waiting."""
        return max(0.0, self._deadline - time.monotonic())

    def on_loop(self, action: Callable[[], T]) -> T:
        """Do something on the loop's thread, and return what came of it.

        :raises Abandoned: the power went.
        """
        return self._calls.call(action)

    def wait(self, seconds: float) -> None:
        """Let the service have the time that it asked for.

        :raises Abandoned: the power went.
        :raises AgentRefusal: the run was called off.
        """
        self._calls.wait(lambda: self._called_off is not None, seconds)
        self._check()

    def exchange(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        waiting: float = 0.0,
    ) -> Answer:
        """Make an exchange with the service.

        :param waiting: seconds that the service was asked to take.
        :raises Abandoned: the power went.
        :raises AgentRefusal: there was no answer, or the run was called off.
        """
        detail = f"{method} {path}"
        self._check()
        self._pass_by(power.BEFORE_EXCHANGE, detail)
        try:
            answer = self._link.exchange(
                method,
                "/api/v1" + path,
                headers or {},
                body,
                patience=self.settings.http_timeout + waiting,
                answered=lambda: self._pass_by(power.REQUEST_SENT, detail),
            )
        except ExchangeFailed as error:
            self._check()
            raise failed(f"the service cannot be reached: {error}") from error
        self._pass_by(power.AFTER_EXCHANGE, detail)
        return answer

    def _pass_by(self, point: str, detail: str) -> None:
        self._calls.pass_by(self._points, point, detail)

    def _check(self) -> None:
        self._calls.check()
        if self._called_off is not None:
            raise failed(self._called_off)

    def close(self) -> None:
        """Give up what the run has open."""
        self._link.close()
