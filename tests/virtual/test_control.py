"""The control socket: many clients, nonsense, and a bench that does not answer."""

from __future__ import annotations

import json
import socket
import stat
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import BenchFault
from harness.virtual.client import BenchClient, BoardState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.virtual.launcher import RunningBench


@pytest.fixture
def raw(running: RunningBench) -> Iterator[socket.socket]:
    """A bare connection to the control socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(5)
        peer.connect(str(running.socket))
        yield peer


def read_line(peer: socket.socket) -> dict[str, object]:
    """Read one answer."""
    line = b""
    while not line.endswith(b"\n"):
        piece = peer.recv(1)
        assert piece, f"hung up after {line!r}"
        line += piece
    answer: dict[str, object] = json.loads(line)
    return answer


def test_only_the_user_may_come(running: RunningBench) -> None:
    """Socket 0600, directories 0700, log 0600."""
    modes = [
        stat.S_IMODE(path.stat().st_mode)
        for path in (running.socket, running.directory, running.directory / "dev", running.log)
    ]

    assert modes == [0o600, 0o700, 0o700, 0o600]


def test_several_clients_at_once(running: RunningBench) -> None:
    """Each of eight clients gets its own answers while all of them ask."""
    wrong: list[object] = []

    def ask(number: int) -> None:
        with BenchClient(running.socket) as client:
            for round_ in range(50):
                answer = client.board("a").call("echo", number=number, round=round_)
                if answer != {"number": number, "round": round_}:
                    wrong.append(answer)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert not any(thread.is_alive() for thread in threads)
    assert wrong == []


def test_threads_may_share_a_client(client: BenchClient) -> None:
    """Answers do not get mixed up between threads."""
    wrong: list[object] = []

    def ask(number: int) -> None:
        for _ in range(50):
            answer = client.board("a").call("echo", number=number)
            if answer != {"number": number}:
                wrong.append(answer)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert wrong == []


def test_orders_for_a_board_that_is_being_pulled_wait(running: RunningBench) -> None:
    """Several clients that pull and plug one board at once get no error; it ends in one piece."""
    faults: list[Exception] = []

    def shake(number: int) -> None:
        with BenchClient(running.socket) as client:
            board = client.board("a")
            for _ in range(15):
                try:
                    board.unplug() if number % 2 else board.plug()
                    board.state()
                except BenchFault as fault:
                    faults.append(fault)

    threads = [threading.Thread(target=shake, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with BenchClient(running.socket) as client:
        client.board("a").plug()
        state = client.board("a").state()

    assert faults == []
    assert sorted(state.ports) == ["console", "trace"]
    links = sorted(link.name for link in (running.directory / "dev").iterdir())
    assert links == ["ttyVB0", "ttyVB1", "ttyVB2", "ttyVB3"]


def test_requests_on_one_connection_need_not_wait(raw: socket.socket) -> None:
    """Several lines in one packet, and a line in several, are answered in turn."""
    raw.sendall(b'{"id":1,"method":"kinds"}\n\n{"id":2,"method":"ping"}\n{"id":3,')
    first, second = read_line(raw), read_line(raw)
    raw.sendall(b'"method":"state","params":{"board":"b"}}\n')
    third = read_line(raw)

    assert (first["id"], second["id"], third["id"]) == (1, 2, 3)
    result = third["result"]
    assert isinstance(result, dict)
    assert result["id"] == "b"


@given(lines=st.lists(st.binary(max_size=200), min_size=1, max_size=5))
@settings(
    max_examples=50,
    deadline=None,
    # One bench serves all examples: that it survives the last one is the point.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_nonsense_is_answered_and_disturbs_nobody(running: RunningBench, lines: list[bytes]) -> None:
    """Whatever comes in, each line is answered by an error, and the bench goes on for this client too."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(5)
        peer.connect(str(running.socket))
        nonsense = b"\n".join(lines) + b"\n"
        peer.sendall(nonsense + b'{"id":7,"method":"ping"}\n')
        for line in nonsense.split(b"\n"):
            if line.strip():
                answer = read_line(peer)
                assert answer["id"] is None
                assert str(answer["error"]).startswith("malformed request: ")
        assert read_line(peer)["id"] == 7


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (
            {"method": "dance"},
            "method: no such method (got 'dance'); expected add, add_stranger, boards, call, ",
        ),
        ({"method": "state"}, "parameter 'board' is missing"),
        ({"method": "state", "params": {"board": 1}}, "parameter 'board': expected str, got 1"),
        ({"method": "power", "params": {"board": "a"}}, "parameter 'on' is missing"),
        ({"method": "power", "params": {"board": "a", "on": 1}}, "parameter 'on': expected bool, got 1"),
        ({"method": "ping", "params": {"x": 1}}, "unknown parameter 'x'"),
        ({"method": "reset", "params": {"board": "z"}}, "the bench has no board 'z'; it has a, b"),
        (
            {"method": "call", "params": {"board": "a", "method": "echo", "params": []}},
            "parameter 'params': ",
        ),
    ],
)
def test_wrong_requests_are_explained(raw: socket.socket, request_: dict[str, object], problem: str) -> None:
    """Unknown methods, missing, unknown and unfit parameters are named."""
    raw.sendall(json.dumps({"id": 5, **request_}).encode() + b"\n")
    answer = read_line(raw)

    assert answer["id"] == 5
    assert str(answer["error"]).startswith(problem)


def test_a_line_without_end_is_cut_off(raw: socket.socket, running: RunningBench) -> None:
    """A client that never ends its line is told and dropped; the bench serves the others."""
    with pytest.raises(OSError, match=r"reset|Broken pipe"):
        for _ in range(6 * 16):
            raw.sendall(b"x" * 65536)
        read_line(raw)
        raw.sendall(b"x")
        raw.sendall(b"x")
    with BenchClient(running.socket) as client:
        assert len(client.boards()) == 2


def test_a_client_that_never_reads_is_dropped(raw: socket.socket, running: RunningBench) -> None:
    """Answers that nobody fetches do not fill the memory."""
    text = "x" * 1_000_000
    call = {"board": "a", "method": "echo", "params": {"text": text}}
    line = json.dumps({"id": 1, "method": "call", "params": call}).encode() + b"\n"
    with pytest.raises(OSError, match=r"reset|Broken pipe"):
        for _ in range(20):
            raw.sendall(line)
    with BenchClient(running.socket) as client:
        assert len(client.boards()) == 2
    assert "does not read its answers" in running.log.read_text()


def test_a_long_answer_arrives_whole(client: BenchClient) -> None:
    """More than a socket takes at once."""
    text = "x" * 3_000_000

    assert client.board("a").call("echo", text=text) == {"text": text}


def test_boards_outlive_clients(running: RunningBench) -> None:
    """A client that goes, even in mid-request, takes nothing with it."""
    with BenchClient(running.socket) as client:
        client.add("toy", id="mine")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.connect(str(running.socket))
        peer.sendall(b'{"id":1,"method":"unplug","params":{"board":"mine"}}\n{"id":2,"meth')
    with BenchClient(running.socket) as client:
        states = {state.id: state for state in client.boards()}

    assert sorted(states) == ["a", "b", "mine"]


def test_no_bench(tmp_path: Path) -> None:
    """Nobody listens: the fault names the socket."""
    with (
        BenchClient(tmp_path / "none.sock") as client,
        pytest.raises(BenchFault, match="no bench answers at"),
    ):
        client.boards()


class Impostor:
    """A server that answers what a test wants it to."""

    def __init__(self, path: Path) -> None:
        """Listen."""
        self.path = path
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()
        self._peers: list[socket.socket] = []

    def answer_next(self, *answers: bytes | None) -> threading.Thread:
        """For each answer take a connection, read a request and answer; ``None`` hangs up."""

        def serve() -> None:
            for answer in answers:
                peer, _ = self._listener.accept()
                self._peers.append(peer)
                peer.recv(65536)
                if answer is None:
                    peer.close()
                else:
                    peer.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        return thread

    def close(self) -> None:
        """Hang up."""
        for peer in (*self._peers, self._listener):
            peer.close()


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[Impostor]:
    """A server that is no bench."""
    impostor = Impostor(tmp_path / "i.sock")
    yield impostor
    impostor.close()


def test_a_bench_that_does_not_answer(impostor: Impostor) -> None:
    """The deadline ends the wait, says which call it was, and the next call starts afresh."""
    serving = impostor.answer_next(b"", b'{"id":2,"result":[]}\n')
    with BenchClient(impostor.path, deadline=1) as client:
        with pytest.raises(BenchFault, match=r"did not answer 'boards' within 1 s"):
            client.boards()
        assert client.boards() == []
    serving.join()


def test_a_trickling_answer_does_not_stretch_the_deadline(impostor: Impostor) -> None:
    """Half an answer is none."""
    serving = impostor.answer_next(b'{"id":1,')
    with (
        BenchClient(impostor.path, deadline=0.1) as client,
        pytest.raises(BenchFault, match="did not answer"),
    ):
        client.boards()
    serving.join()


def test_a_bench_that_hangs_up(impostor: Impostor) -> None:
    """The fault says so."""
    serving = impostor.answer_next(None)
    with (
        BenchClient(impostor.path) as client,
        pytest.raises(BenchFault, match="failed in 'kinds': it hung up"),
    ):
        client.kinds()
    serving.join()


def test_a_peer_that_is_no_bench(impostor: Impostor) -> None:
    """What is no answer of our protocol is a fault, not a crash of the client."""
    serving = impostor.answer_next(b"220 ready\n", b'{"id":2,"result":[{"id":"a"}]}\n')
    with BenchClient(impostor.path) as client:
        with pytest.raises(BenchFault, match="failed in 'boards'"):
            client.boards()
        with pytest.raises(BenchFault, match="in a form that is not known"):
            client.boards()
    serving.join()


def test_a_late_answer_is_passed_over(impostor: Impostor) -> None:
    """An answer to another request is not taken for ours."""
    serving = impostor.answer_next(b'{"id":99,"result":["old"]}\n{"id":1,"result":["new"]}\n')
    with BenchClient(impostor.path) as client:
        assert client.kinds() == ["new"]
    serving.join()


def test_a_state_of_another_version() -> None:
    """Fields that we do not know are a clear fault."""
    with pytest.raises(BenchFault, match="form that is not known"):
        BoardState.from_json(
            {"id": "a", "kind": "k", "plugged": True, "powered": True, "ports": {}, "new": 1}
        )
