"""Watches which of a session's boards are there, and has those asked that must say who they are.

What happens to ports is told by :class:`~harness.inventory.port_watch.PortWatch`, and what it means for
boards is decided by :class:`~harness.inventory.presence.Presence`. Asking takes seconds, so each question
has a thread of its own and nobody waits for it.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Self

from harness.errors import HarnessError
from harness.inventory.board_news import Ask
from harness.inventory.identity import Answer, ask_boards
from harness.inventory.port_watch import PortAdded, PortRemoved, PortWatch
from harness.inventory.presence import Presence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from harness.config import Settings
    from harness.inventory.board import Board
    from harness.inventory.board_news import Change, News
    from harness.inventory.serial_ports import SerialPort
    from harness.plugins import HarnessPluginManager

#: How long a board is asked again that does not say who it is. A worker that looks for its own board may
#: hold the port for a while, and a board that just got power has to boot.
ASK_AGAIN_SECONDS = 60.0
#: Between two tries. Neither an answer nor a free port can be waited for.
_PAUSE_SECONDS = 0.5

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Answered:
    """What came of a question."""

    number: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class _Forget:
    """The session gave a board up."""

    board_id: str


class BoardWatch:
    """Tells which boards of a session go, come back and come late, from when it is entered until it is left.

    :param boards: the session's boards, which are known to be who they are.
    :param plugins: the loaded plugins.
    :param settings: the session's settings; the rig file counts.
    :param late: boards that are plugged in from now on may join.
    :param tell: is called with the news, on the watch's thread; what it raises is logged.
    :param ask: asks one board who it is, on a thread of its own: it takes the lease that this needs.
    :param ask_again_seconds: how long a board is asked again that does not say who it is.
    :param watch_ports: makes what tells of ports.
    """

    def __init__(
        self,
        boards: Sequence[Board],
        plugins: HarnessPluginManager,
        settings: Settings,
        *,
        late: bool,
        tell: Callable[[News], None],
        ask: Callable[[Board], Answer] | None = None,
        ask_again_seconds: float = ASK_AGAIN_SECONDS,
        watch_ports: Callable[[Callable[[PortAdded | PortRemoved], None]], PortWatch] = PortWatch,
    ) -> None:
        """Read the profiles; nothing is watched yet.

        :raises UsageError: a profile does not fit.
        """
        from harness.inventory.builtin import known_profiles

        self._presence = Presence(boards, known_profiles(plugins), settings.rig, late=late)
        self._plugins = plugins
        self._tell = tell
        self._ask = ask or self._ask_alone
        self._ask_again_seconds = ask_again_seconds
        self._events: SimpleQueue[PortAdded | PortRemoved | _Answered | _Forget | None] = SimpleQueue()
        #: The questions that wait for their answers: what calls each off, and its thread.
        self._questions: dict[int, tuple[threading.Event, threading.Thread]] = {}
        #: Threads of questions that were called off.
        self._ending: list[threading.Thread] = []
        self._watch_ports = watch_ports
        self._close = ExitStack()

    def __enter__(self) -> Self:
        """Begin to watch: what is not where it was found is told as lost at once."""
        with ExitStack() as closing:
            ports = closing.enter_context(self._watch_ports(self._events.put))
            # What happens while the list is made is in the queue, and is taken after the list.
            watching = threading.Thread(target=self._watch, args=(ports.ports,), name="board watch")
            watching.start()
            closing.callback(watching.join)
            closing.callback(self._events.put, None)
            self._close = closing.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End: nothing is told any more, and no question is left open."""
        self._close.close()

    def forget(self, board_id: str) -> None:
        """Give a board up: no more is told of it until it is plugged in again.

        :param board_id: its identity.
        """
        self._events.put(_Forget(board_id))

    def _watch(self, ports: Sequence[SerialPort]) -> None:
        try:
            self._take(self._presence.listed(ports))
            while (event := self._events.get()) is not None:
                self._take(self._changes(event))
        finally:
            for thread in self._call_off(frozenset()):
                thread.join()

    def _changes(self, event: PortAdded | PortRemoved | _Answered | _Forget) -> list[Change]:
        match event:
            case PortAdded(port):
                return self._presence.port_added(port)
            case PortRemoved(device):
                return self._presence.port_removed(device)
            case _Answered(number, answer):
                return self._presence.answered(number, answer)
            case _Forget(board_id):
                return self._presence.forget(board_id)

    def _take(self, changes: Sequence[Change]) -> None:
        self._call_off(self._presence.open_questions)
        for change in changes:
            if isinstance(change, Ask):
                called_off = threading.Event()
                asking = threading.Thread(
                    target=self._question, args=(change, called_off), name=f"who is {change.candidate.id}"
                )
                self._questions[change.number] = (called_off, asking)
                asking.start()
            else:
                self._say(change)

    def _say(self, news: News) -> None:
        try:
            self._tell(news)
        except Exception:  # noqa: BLE001 - whoever listens must not keep us from the next news
            _log.exception("nobody took the news %s", news)

    def _call_off(self, still_open: frozenset[int]) -> list[threading.Thread]:
        """End the questions whose answers nobody needs.

        :param still_open: numbers of those that somebody does.
        :return: their threads; one that asks just now ends when that does.
        """
        ended = [self._questions.pop(number) for number in self._questions.keys() - still_open]
        for called_off, _ in ended:
            called_off.set()
        self._ending = [thread for thread in self._ending if thread.is_alive()]
        self._ending += [thread for _, thread in ended]
        return self._ending

    def _question(self, asked: Ask, called_off: threading.Event) -> None:
        """Ask one board until it answers, the deadline passes or nobody needs the answer any more."""
        deadline = time.monotonic() + self._ask_again_seconds
        while not called_off.is_set():
            try:
                answer = self._ask(asked.candidate)
            except HarnessError as error:  # somebody else's lease, a port that went away
                answer = Answer(board=asked.candidate, problem=str(error))
            if answer.problem is None or time.monotonic() >= deadline:
                self._events.put(_Answered(asked.number, answer))
                return
            called_off.wait(_PAUSE_SECONDS)

    def _ask_alone(self, board: Board) -> Answer:
        (answer,) = ask_boards([board], self._plugins)
        return answer
