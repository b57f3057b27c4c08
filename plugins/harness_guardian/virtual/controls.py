"""The vendor's own control calls of a virtual component: power points, forgeries, clock, network, storage."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from harness.virtual.control_calls import ControlCalls, clock_offset, yes_or_no
from harness.virtual.power_points import PowerLost
from harness_guardian.virtual.commands import check_url
from harness_guardian.virtual.settings import AgentSettings, check_setting

if TYPE_CHECKING:
    from harness.virtual.clock import BoardClock
    from harness.virtual.power_points import PowerPoints
    from harness_guardian.virtual.agent import Agent
    from harness_guardian.virtual.agent_ssh import AgentSsh
    from harness_guardian.virtual.forging import Forging


class Controls(ControlCalls):
    """Answers control calls by name; the public methods are the calls."""

    def __init__(
        self,
        agent: Agent,
        points: PowerPoints,
        clock: BoardClock,
        forging: Forging,
        ssh: AgentSsh | None,
    ) -> None:
        """Know the parts of the board."""
        super().__init__()
        self._agent = agent
        self._points = points
        self._clock = clock
        self._forging = forging
        self._ssh = ssh
        self._built = dataclasses.replace(agent.settings)

    def points(self, *, clear: bool = False) -> list[tuple[str, str]]:
        """Return the points that were passed, oldest first: each with what was being done."""
        passed = self._points.passed()
        if clear:
            self._points.clear()
        return passed

    def clear_points(self) -> None:
        """Forget which points were passed."""
        self._points.clear()

    def cut_power_at(self, point: str, nth: int = 1, *, comes_back: bool = False) -> None:
        """Let the power go at the nth passing of a point from now on.

        :param point: see :data:`harness_guardian.virtual.power.POINTS`.
        :param nth: 1 is the next passing.
        :param comes_back: the power returns as soon as the board is dark; else somebody switches it on.
        """
        self._points.arm(point, nth, comes_back=comes_back)

    def storage(self) -> dict[str, Any]:
        """Return what the secure storage holds: sizes and digests, and the number of its generation."""
        return self._agent.component.storage.digests()

    def configure(self, **options: Any) -> None:
        """Change how the agent was built.

        :param options: fields of :class:`~harness_guardian.virtual.settings.AgentSettings`.
        """
        for name, value in options.items():
            check_setting(name, value)
        for name, value in options.items():
            setattr(self._agent.settings, name, value)

    def configuration(self) -> dict[str, Any]:
        """Return how the agent was built."""
        return dataclasses.asdict(self._agent.settings)

    def forge(self, what: str, times: int = 1, value: Any = None) -> None:
        """Let the next requests that are made be wrong in one respect.

        :param what: see :data:`harness_guardian.virtual.forging.FORGERIES`.
        :param times: how many requests.
        :param value: of ``created-at`` the seconds by which it is off; of ``request-id`` and ``nonce`` the
            one to use instead of that of the request before.
        """
        self._forging.order(what, times, value)

    def set_clock(self, offset_seconds: float) -> None:
        """Put the board's clock off by some seconds."""
        self._clock.offset = clock_offset(offset_seconds)

    def set_service(self, url: str | None) -> None:
        """Set where the service is; ``None`` forgets it."""
        if url is not None:
            check_url(url)
        try:
            self._agent.component.set_service(url)
        except PowerLost as error:
            raise ValueError(f"the power went: {error}") from error

    def set_link(self, *, up: bool) -> None:
        """Give the board a network, or take it away."""
        self._agent.set_link(up=yes_or_no("up", up))

    def ssh(self) -> dict[str, Any]:
        """Return where and how the agent is reached by SSH, with the key of its user.

        :raises ValueError: this board has no SSH.
        """
        if self._ssh is None:
            raise ValueError("this board has no SSH; its option ssh would give it one")
        return self._ssh.access()

    def clear_faults(self) -> None:
        """End what a test ordered; what the board keeps without power stays.

        The harness calls it after each test.
        """
        self._points.disarm()
        self._forging.clear()
        self._clock.offset = 0.0
        self._agent.set_link(up=True)
        for field in dataclasses.fields(AgentSettings):
            setattr(self._agent.settings, field.name, getattr(self._built, field.name))
