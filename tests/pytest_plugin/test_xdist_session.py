"""What we use of xdist beyond its hooks is still there, and does what we use it for."""

from __future__ import annotations

import ast
import inspect
import textwrap
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import execnet
import pytest
from xdist.dsession import DSession  # type: ignore[import-untyped]  # xdist ships no types
from xdist.remote import WorkerInteractor  # type: ignore[import-untyped]  # nor here
from xdist.workermanage import WorkerController  # type: ignore[import-untyped]  # nor here

from harness.pytest_plugin.xdist_session import XdistSession, XdistWorker, shown_as_running, worker_specs

if TYPE_CHECKING:
    from collections.abc import Callable


class Stage:
    """The controller's session of xdist, with workers that nobody starts."""

    def __init__(self) -> None:
        self.started: list[tuple[execnet.XSpec, Any]] = []
        option = SimpleNamespace(debug=False, maxworkerrestart=None, numprocesses=2)
        plugins = SimpleNamespace(getplugin=lambda _name: None, get_plugin=lambda _name: self.dsession)
        config = SimpleNamespace(option=option, getvalue=lambda _name: 2, pluginmanager=plugins)
        self.dsession: Any = DSession(cast("Any", config))
        group = execnet.Group()
        specs = [execnet.XSpec("popen")]
        group.allocate_id(specs[0])
        self.dsession.shouldstop = False  # as its loop begins
        self.dsession.nodemanager = SimpleNamespace(specs=specs, group=group, setup_node=self.set_up)
        self.dsession._active_nodes = {"gw0"}
        self.dsession.sched = SimpleNamespace(tests_finished=False)
        self.session = XdistSession(cast("Any", config))

    def set_up(self, spec: execnet.XSpec, putevent: Any) -> str:
        """Be the node manager's."""
        self.started.append((spec, putevent))
        return str(spec.id)


def test_what_is_posted_is_done_in_the_loop() -> None:
    """In the order in which it was posted, one thing between two events."""
    stage = Stage()
    done: list[int] = []
    stage.session.post(lambda: done.append(1))
    stage.session.post(lambda: done.append(2))
    assert done == []

    stage.dsession.loop_once()
    assert done == [1]
    stage.dsession.loop_once()
    assert done == [1, 2]


def test_a_worker_more() -> None:
    """It gets an id of its own, is one of the active ones, and the session goes on."""
    stage = Stage()
    stage.dsession.shuttingdown = True

    stage.session.start_worker()

    ((spec, putevent),) = stage.started
    assert spec.id not in {None, "gw0"}
    assert stage.dsession.nodemanager.specs[0].id == "gw0"
    assert putevent == stage.dsession.queue.put
    assert stage.dsession._active_nodes == {"gw0", spec.id}
    assert not stage.dsession.shuttingdown


def test_failures_are_counted() -> None:
    """The second of two failures that are too many ends the session early."""
    stage = Stage()
    report = cast("pytest.TestReport", SimpleNamespace(failed=True))

    stage.session.count(report)
    assert not stage.session.ends_early
    stage.session.count(report)
    assert stage.session.ends_early


def test_a_session_with_too_many_crashes_ends_early() -> None:
    """Nobody starts workers for it any more."""
    stage = Stage()
    stage.dsession._max_worker_restart = 0
    stage.dsession.sched = SimpleNamespace(tests_finished=False, remove_node=lambda _node: None, nodes=[])
    stage.dsession.config.hook = SimpleNamespace(pytest_testnodedown=lambda **_arguments: None)
    node = SimpleNamespace(gateway=SimpleNamespace(id="gw0"))
    stage.dsession._active_nodes = [node]

    assert not stage.session.ends_early
    stage.dsession.worker_errordown(node, "it died")
    assert stage.session.ends_early


class Channel:
    """Both ends of a connection between controller and worker.

    :ivar told: what the worker told the controller.
    """

    def __init__(self) -> None:
        self.gateway = SimpleNamespace(execmodel=execnet.gateway_base.get_execmodel("thread"))
        self.told: list[tuple[str, dict[str, Any]]] = []
        self._unheard: list[object] = []
        self._hear: Callable[[object], None] = self._unheard.append

    def setcallback(self, callback: Callable[[object], None], endmarker: object) -> None:
        """Hear from now on, and what was sent before."""
        assert endmarker is None
        self._hear = callback
        for command in self._unheard:
            callback(command)

    def send(self, message: Any) -> None:
        """Take what the worker tells."""
        self.told.append(message)

    def close(self) -> None:
        """The controller is gone: execnet says the end marker."""
        self._hear(None)


class ControllersEnd:
    """The controller's handle of the worker, which sends by xdist's own methods."""

    log = staticmethod(lambda *_text: None)
    send_runtest_some = WorkerController.send_runtest_some
    shutdown = WorkerController.shutdown
    sendcommand = WorkerController.sendcommand
    _down = False

    def __init__(self, channel: Channel) -> None:
        self.channel = SimpleNamespace(send=channel._hear)


def make_worker(channel: Channel) -> tuple[XdistWorker, Any]:
    """Return our end of a worker, and xdist's, which is the real one."""
    plugins = pytest.PytestPluginManager()
    config = SimpleNamespace(
        workerinput={"workerid": "gw0", "testrunuid": "x"},
        option=SimpleNamespace(debug=False),
        pluginmanager=plugins,
    )
    interactor = WorkerInteractor(config, channel)
    return XdistWorker(cast("Any", config)), interactor


def test_what_the_controller_sends_is_heard() -> None:
    """Also what it sent before anybody listened; a controller that is gone is like one that said the end."""
    channel = Channel()
    early = ControllersEnd(channel)
    early.send_runtest_some([3])
    worker, _ = make_worker(channel)

    worker.listen()
    late = ControllersEnd(channel)
    late.send_runtest_some([1, 2])

    assert worker.next() == 3
    assert worker.known() == (1, 2)
    assert worker.known() == (1, 2), "looking takes nothing"
    assert worker.next() == 1
    late.shutdown()
    assert worker.known() == (2, None)
    assert (worker.next(), worker.next()) == (2, None)
    channel.close()
    assert worker.next() is None


def test_what_the_worker_tells() -> None:
    """The end of a test, as xdist's controller takes it; and reports are about the test that they name."""
    channel = Channel()
    worker, interactor = make_worker(channel)

    worker.complete(4, 0.5)

    ((name, facts),) = channel.told
    assert facts == {"item_index": 4, "duration": 0.5}
    assert set(DSession.worker_runtest_protocol_complete.__annotations__) >= {"node", *facts}
    assert hasattr(DSession, f"worker_{name}")
    interactor.item_index = 7
    with worker.reporting_on(2):
        assert interactor.item_index == 2
    assert interactor.item_index == 7


def test_what_xdists_own_loop_does_is_all_that_we_do() -> None:
    """Should it learn anything new, ours has to learn it, too."""
    calls = set()
    for method in (WorkerInteractor.pytest_runtestloop, WorkerInteractor.run_one_test):
        tree = ast.parse(textwrap.dedent(inspect.getsource(method)))
        calls |= {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}

    assert calls == {
        *("self.log", "isinstance", "worker_title", "time.perf_counter"),
        *("self.channel.setcallback", "self.torun.get", "self.run_one_test"),
        *("self.config.hook.pytest_runtest_protocol", "self.sendevent"),
    }


def test_a_running_test_is_shown() -> None:
    """Where setproctitle is not installed nothing happens, and nothing fails."""
    with shown_as_running("test_it.py::test_it"):
        pass


def test_how_many_workers_xdist_starts() -> None:
    """A number and a star stand for so many of them."""
    config = SimpleNamespace(getvalue=lambda name: {"tx": ["2*popen", "popen//id=x"]}[name])

    assert worker_specs(cast("Any", config)) == ["popen", "popen", "popen//id=x"]
