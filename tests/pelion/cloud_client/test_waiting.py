"""The client ends within a second whatever it waits for, and leaves nothing behind."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiocoap.numbers.codes import CHANGED, CREATED, DELETE  # type: ignore[import-untyped]  # it has no annotations

from tests.pelion.cloud_client.scripted_server import LOCATION, Peer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.pelion.cloud_client.site import Site

QUICK = 1.0
FILES = Path("/proc/self/fd")


class Halting:
    """A script that takes some steps and stands still then.

    :ivar reached: it stands still.
    """

    def __init__(self, *steps: Callable[[Peer], object]) -> None:
        self.reached = threading.Event()
        self._steps = steps

    def __call__(self, peer: Peer) -> None:
        for step in self._steps:
            step(peer)
        self.reached.set()
        peer.until_gone()


def accept(peer: Peer) -> None:
    """Take the bootstrap request."""
    peer.answer(peer.take(), CHANGED)


@pytest.mark.parametrize(
    "steps",
    [
        (lambda peer: peer.take(),),
        (accept,),
        (accept, lambda peer: peer.ask(DELETE, "0")),
    ],
    ids=["no answer", "no step", "no end"],
)
def test_stopped_in_a_bootstrap(site: Site, steps: tuple[Callable[[Peer], object], ...]) -> None:
    """Waiting for the server's answer, its first step, its next step."""
    script = Halting(*steps)
    site.bootstrap.follow(script)
    site.board.start()
    assert script.reached.wait(5)

    assert site.board.stop() < QUICK
    assert site.board.said() == ["mbl-cloud-client started", "Bootstrapping"]
    assert site.board.store.commits == []


def test_stopped_in_a_registration(site: Site) -> None:
    """Waiting for the answer to the registration."""
    script = Halting(lambda peer: peer.take())
    site.lwm2m.follow(script)
    site.board.start()
    assert script.reached.wait(5)

    assert site.board.state()["state"] == "registering"
    assert site.board.stop() < QUICK


def test_stopped_in_an_update(site: Site) -> None:
    """Waiting for the answer to an update."""
    script = Halting(
        lambda peer: peer.answer(peer.take(), CREATED, location=LOCATION), lambda peer: peer.take()
    )
    site.lwm2m.follow(script)
    site.board.settings.register_every_s = 0.01
    site.board.start()
    assert script.reached.wait(5)

    assert site.board.stop() < QUICK


def test_stopped_in_a_handshake(site: Site) -> None:
    """The server accepts the connection and says nothing."""
    reached = threading.Event()

    def silent(plain: socket.socket) -> None:
        plain.recv(1)
        reached.set()
        while plain.recv(65536):
            pass

    silent.plain = True  # type: ignore[attr-defined]  # the server looks for it
    site.bootstrap.follow(silent)  # type: ignore[arg-type]  # it wants the bare socket
    site.board.start()
    assert reached.wait(5)

    assert site.board.stop() < QUICK


def test_stopped_while_it_connects(site: Site) -> None:
    """A server whose queue is full answers no connection; on the loopback it takes a few to fill it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        site.board.provision(site.pki, port)
        site.board.start()
        site.board.wait(lambda: ("before exchange", "TLS bootstrap") in site.board.points.passed())

        assert site.board.stop() < QUICK
        for filler in fillers:
            filler.close()


def test_stopped_while_a_name_is_looked_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that hangs holds nobody up; its own thread ends with it."""
    asked, go_on = threading.Event(), threading.Event()

    def hanging(*_args: object, flags: int = 0, **_kwargs: object) -> list[object]:
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror
        asked.set()
        go_on.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    site.board.store.items["mbed.BootstrapServerURI"] = b"coaps://slow.invalid"
    site.board.start()
    assert asked.wait(5)

    assert site.board.stop() < QUICK
    resolvers = [thread for thread in threading.enumerate() if thread.name == "resolve-slow.invalid"]
    go_on.set()
    for thread in resolvers:
        thread.join(5)
        assert not thread.is_alive()


def test_a_slow_resolver_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """No address in time is an error of the resolver's."""
    go_on = threading.Event()

    def hanging(*_args: object, flags: int = 0, **_kwargs: object) -> list[object]:
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror
        go_on.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    site.board.store.items["mbed.BootstrapServerURI"] = b"coaps://slow.invalid"
    site.board.settings.client_timeout_s = 0.05
    site.board.settings.retry_first_s = site.board.settings.retry_longest_s = 60
    site.board.start()
    site.board.wait_state("failed")

    assert site.board.errors() == [("ConnectDnsResolvingFailed", "267", "no address of slow.invalid in time")]
    go_on.set()


def test_stopped_before_a_retry(site: Site) -> None:
    """Between two tries."""
    site.board.settings.retry_first_s = site.board.settings.retry_longest_s = 60
    site.board.on_loop(lambda: site.board.client.set_link(up=False))
    site.board.start()
    site.board.wait_state("failed")

    assert site.board.stop() < QUICK


def test_starting_and_stopping_leave_nothing(site: Site) -> None:
    """Twenty starts that are stopped at once: no thread and no file is left; the last one registers."""
    site.register()
    site.board.stop()
    before = len(list(FILES.iterdir()))

    for _ in range(20):
        site.board.on_loop(site.board.client.start)
        site.board.on_loop(site.board.client.start)  # it runs already
        site.board.on_loop(site.board.client.stop)
        site.board.on_loop(site.board.client.stop)  # it is stopped already
    site.board.join()
    site.register()
    site.board.stop()

    site.board.wait(lambda: len(list(FILES.iterdir())) <= before + 1)


def test_a_restart_in_one_go(site: Site) -> None:
    """Stop and start in one breath: the old run says nothing more, the new one registers."""
    site.register()

    def restart() -> None:
        site.board.client.stop()
        site.board.client.start()

    site.board.on_loop(restart)

    site.board.wait_state("registered")
    assert site.board.errors() == []
    assert site.board.said().count("mbl-cloud-client started") == 2


def test_what_nobody_thought_of_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect of the client's own is in the log and with the bench; the service can be started again."""

    def broken(*_args: object) -> None:
        raise RuntimeError("a defect")

    with monkeypatch.context() as patched:
        patched.setattr("harness_pelion.virtual.client_work.Work.attempt", broken)
        site.board.start()
        site.board.join()
    assert site.board.errors() == [("ConnectUnknownError", "263", "the client failed")]
    assert [str(failure) for failure in site.board.failures] == ["a defect"]
    site.board.failures.clear()

    site.register()
