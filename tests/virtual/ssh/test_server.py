"""The SSH server of virtual boards: many on one loop, each with its own end, none in another's way."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import paramiko
import pytest

from harness.virtual.ssh import NONE, PASSWORD, KeptPort, KeyPair, SshServer, Turned, Visit
from tests.virtual.ssh.ssh_board import DEADLINE, USER, begin, blocked, end

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.virtual.ssh.ssh_board import AsyncHost, SshBoard


def test_two_boards_at_a_time(make_ssh_board: Callable[[str], SshBoard]) -> None:
    """While a command of one board is under way the other one serves; both are on one thread."""
    before = set(threading.enumerate())
    first, second = (make_ssh_board(f"board-{number}") for number in (1, 2))
    with first.log_in() as transport:
        held = begin(transport, "hold")
        assert first.commands.begun.wait(DEADLINE)
        assert second.run("other") == (7, b"did other\n")
        ours = {each.name for each in set(threading.enumerate()) - before if not _is_paramikos(each)}
        assert ours == {"boards-asyncio"}
        first.commands.go_on()
        assert end(held) == (7, b"did hold\n")
    assert first.commands.ended.result(DEADLINE) == "done"


def _is_paramikos(thread: threading.Thread) -> bool:
    return isinstance(thread, paramiko.Transport)


def test_board_is_closed_while_a_command_runs(make_ssh_board: Callable[[str], SshBoard]) -> None:
    """The command is cancelled and its connection cut; the port is given back, and the other board serves."""
    first, second = (make_ssh_board(f"board-{number}") for number in (1, 2))
    address = first.address
    with first.log_in() as transport:
        held = begin(transport, "hold")
        assert first.commands.begun.wait(DEADLINE)
        first.server.close()
        assert end(held) == (-1, b"")
        assert first.commands.ended.result(DEADLINE) == "cancelled"
        transport.join(DEADLINE)
        assert not transport.is_alive()
    KeptPort(*address).close()
    assert second.run("other") == (7, b"did other\n")
    first.server.close()


def test_failure_of_a_command(
    make_ssh_board: Callable[[str], SshBoard], caplog: pytest.LogCaptureFixture
) -> None:
    """A defect in a board cuts that connection and is told to the log; nobody else notices."""
    first, second = (make_ssh_board(f"board-{number}") for number in (1, 2))
    with second.log_in() as neighbour, first.log_in() as fellow:
        assert first.run("fail") == (-1, b"")
        assert end(begin(neighbour, "a")) == (7, b"did a\n")
        assert end(begin(fellow, "b")) == (7, b"did b\n")
    (told,) = [each for each in caplog.records if each.levelname == "ERROR"]
    assert told.getMessage() == "board-1: SSH failed"
    assert told.exc_info is not None
    assert told.exc_info[0] is ZeroDivisionError


def test_failure_of_a_decision(board: SshBoard, caplog: pytest.LogCaptureFixture) -> None:
    """A board that cannot say what becomes of a connection loses that one only."""
    kept, board.visit = board.visit, ZeroDivisionError("a defect of the board")
    with socket.create_connection(board.address, DEADLINE) as link:
        assert link.recv(1) == b""
    board.visit = kept
    assert board.run("again") == (7, b"did again\n")
    assert "board-1: SSH failed" in caplog.text
    assert "a defect of the board" in caplog.text


def test_server_that_cannot_begin(host: AsyncHost, caplog: pytest.LogCaptureFixture) -> None:
    """A key that is none is told to the log; the server can be closed all the same."""
    server = SshServer(host, "board-1", KeptPort("127.0.0.1"), "no key", lambda: Turned.CUT)
    server.listen()
    server.close()
    assert "board-1: SSH failed" in caplog.text
    assert "KeyImportError" in caplog.text


def test_deadline_of_closing(board: SshBoard, host: AsyncHost, caplog: pytest.LogCaptureFixture) -> None:
    """Closing ends in its time even when a board, against the contract, blocks the loop; the log says so."""
    assert board.run("first") == (7, b"did first\n")
    with blocked(host):
        board.server.close(0.05)
        assert "board-1: SSH does not end within 0.05 s" in caplog.text


def test_who_comes_to_a_port_that_was_opened_anew(board: SshBoard, host: AsyncHost) -> None:
    """However late the loop comes to it, what ended before is cut, and who came after that is served."""
    with board.log_in() as before:
        with blocked(host):
            board.server.refuse()
            board.server.cut()
            board.server.listen()
            link = socket.create_connection(board.address, DEADLINE)
        with link, board.log_in(link) as after:
            assert end(begin(after, "after")) == (7, b"did after\n")
        before.join(DEADLINE)
        assert not before.is_alive()


def test_cut_and_listen_again(board: SshBoard) -> None:
    """A server that refuses and cuts is there again at the same port, under the same key."""
    address = board.address
    with board.log_in() as transport:
        held = begin(transport, "hold")
        assert board.commands.begun.wait(DEADLINE)
        board.server.refuse()
        board.server.cut()
        assert end(held) == (-1, b"")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, DEADLINE)
    board.server.listen()
    assert board.run("again") == (7, b"did again\n")
    assert board.address == address


def test_cut_while_somebody_comes(board: SshBoard) -> None:
    """Who is being taken at the moment of a cut is cut with the others; who comes after that is served."""
    board.on_coming = board.server.cut
    with socket.create_connection(board.address, DEADLINE) as link:
        try:
            while link.recv(4096):
                pass
        except ConnectionResetError:
            pass
    board.on_coming = lambda: None

    board.server.refuse()
    board.server.listen()

    assert board.greets()
    assert board.run("after") == (7, b"did after\n")


def test_refusing_keeps_connections(board: SshBoard) -> None:
    """Who is there stays when nobody else is taken."""
    with board.log_in() as transport:
        board.server.refuse()
        assert end(begin(transport, "still")) == (7, b"did still\n")


def test_turned_away(board: SshBoard) -> None:
    """A connection is cut at once, or held without a word until it is dropped."""
    board.visit = Turned.CUT
    with socket.create_connection(board.address, DEADLINE) as link:
        assert link.recv(1) == b""
    board.visit = Turned.SILENT
    with socket.create_connection(board.address, DEADLINE) as link:
        link.settimeout(0.1)
        with pytest.raises(TimeoutError):
            link.recv(1)
        board.wait_until_came(2)
        link.settimeout(DEADLINE)
        board.server.drop_silent()
        assert link.recv(1) == b""
    assert board.came == 2


def test_silent_ones_are_cut(board: SshBoard) -> None:
    """Without power nobody is held."""
    board.visit = Turned.SILENT
    with socket.create_connection(board.address, DEADLINE) as link:
        link.settimeout(0.1)
        with pytest.raises(TimeoutError):
            link.recv(1)
        board.wait_until_came(1)
        board.server.cut()
        link.settimeout(DEADLINE)
        assert link.recv(1) == b""


def test_strange_key_and_user(board: SshBoard) -> None:
    """Another key opens nothing, nor does the right one for another user."""
    right = board.user_key
    board.user_key = KeyPair.generate()
    with pytest.raises(paramiko.AuthenticationException), board.log_in():
        pass
    board.user_key = right
    board.visit = Visit(user="nobody", method="key", key=right.public, serve=board.commands.serve)
    with pytest.raises(paramiko.AuthenticationException), board.log_in():
        pass


def test_without_a_key(board: SshBoard) -> None:
    """By password, or without anything: as the visit says, for its user alone."""
    serve = board.commands.serve
    board.visit = Visit(user=USER, method=PASSWORD, password="open", serve=serve)
    transport = paramiko.Transport(board.address)
    try:
        transport.start_client(timeout=DEADLINE)
        with pytest.raises(paramiko.AuthenticationException):
            transport.auth_password(USER, "shut")
        with pytest.raises(paramiko.AuthenticationException):
            transport.auth_password("nobody", "open")
        transport.auth_password(USER, "open")
        assert transport.is_authenticated()
    finally:
        transport.close()
    board.visit = Visit(user=USER, method=NONE, serve=serve)
    for user, welcome in (("nobody", False), (USER, True)):
        transport = paramiko.Transport(board.address)
        try:
            transport.start_client(timeout=DEADLINE)
            if welcome:
                transport.auth_none(user)
            else:
                with pytest.raises(paramiko.BadAuthenticationType):
                    transport.auth_none(user)
            assert transport.is_authenticated() is welcome
        finally:
            transport.close()


def test_told_who_logged_in(board: SshBoard) -> None:
    """Whoever is told of a login may cut it."""
    told: list[str] = []

    def logged_in(user: str) -> bool:
        told.append(user)
        return False

    board.visit = Visit(
        user=USER,
        method="key",
        key=board.user_key.public,
        serve=board.commands.serve,
        logged_in=logged_in,
    )
    with pytest.raises((paramiko.SSHException, EOFError)):
        board.run("never")
    assert told == [USER]


def test_port_is_kept() -> None:
    """A port is its board's whether it listens or not; who connects meanwhile is refused."""
    with pytest.raises(ValueError, match=r"cannot listen at 192\.0\.2\.1 port 0: "):
        KeptPort("192.0.2.1")
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(ValueError, match=f"cannot listen at 127.0.0.1 port {taken}: Address already"):
            KeptPort("127.0.0.1", taken)
    port = KeptPort("127.0.0.1")
    try:
        for listens in (False, True, False):
            for _twice in range(2):
                port.listen() if listens else port.refuse()
            assert port.listens is listens
            with socket.socket() as other, pytest.raises(OSError, match="Address already in use"):
                other.bind((port.address, port.number))
            if not listens:
                with pytest.raises(ConnectionRefusedError):
                    socket.create_connection((port.address, port.number), DEADLINE)
    finally:
        port.close()
