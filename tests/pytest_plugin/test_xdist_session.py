"""What we use of xdist beyond its hooks is still there, and does what we use it for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import execnet
from xdist.dsession import DSession  # type: ignore[import-untyped]  # xdist ships no types

from harness.pytest_plugin.xdist_session import XdistSession

if TYPE_CHECKING:
    import pytest


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
