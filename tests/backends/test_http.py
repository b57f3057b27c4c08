"""The HTTP client: deadlines, retries of safe calls, clear problems, a record of every exchange."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from harness import __version__
from harness.backends.http import ServiceHttp
from harness.errors import BackendFault, BackendUnreachable, RequestRefused

if TYPE_CHECKING:
    from pathlib import Path

    from harness.backends.contract import Exchange


def test_exchanges_are_recorded(url: str) -> None:
    """Every exchange is told with both sides of it."""
    exchanges: list[Exchange] = []
    with ServiceHttp(url, headers={"X-Own": "a"}, on_exchange=exchanges.append) as http:
        response = http.send("POST", "/echo", operation="Echo", content=b"\x00body")

    assert response.content == b"\x00body"
    (exchange,) = exchanges
    assert (exchange.operation, exchange.method, exchange.url) == ("Echo", "POST", f"{url}/echo")
    assert exchange.request_headers["x-own"] == "a"
    assert exchange.request_headers["user-agent"] == f"provisioning-harness/{__version__}"
    assert exchange.response_headers["x-agent"] == f"provisioning-harness/{__version__}"
    assert (exchange.request_body, exchange.response_body) == (b"\x00body", b"\x00body")
    assert (exchange.status, exchange.problem) == (200, None)
    assert 0 < exchange.seconds < 30


def test_headers_of_a_sibling_and_of_a_request(url: str) -> None:
    """A sibling has headers of its own; a request's headers win, without blanks around their values."""
    with ServiceHttp(url, headers={"X-Own": "a"}) as http:
        sibling = http.with_headers({"X-Own": "b"})
        assert http.send("GET", "/echo").headers["x-own"] == "a"
        assert sibling.send("GET", "/echo").headers["x-own"] == "b"
        assert sibling.send("GET", "/echo", headers={"x-own": " c "}).headers["x-own"] == "c"


@pytest.mark.parametrize("status", [502, 503, 504])
def test_safe_calls_are_repeated(url: str, status: int) -> None:
    """GET is repeated after passing trouble, and each attempt is recorded."""
    exchanges: list[Exchange] = []
    with ServiceHttp(url, on_exchange=exchanges.append) as http:
        query = {"statuses": f"{status},{status},200"}
        response = http.request("GET", "/answer", operation="Ask", accept={200}, params=query)

    assert response.json()["number"] == 3
    assert [exchange.status for exchange in exchanges] == [status, status, 200]


def test_retries_are_bounded(url: str) -> None:
    """A service that stays in trouble is asked four times and then refused with what it said."""
    exchanges: list[Exchange] = []
    with (
        ServiceHttp(url, on_exchange=exchanges.append) as http,
        pytest.raises(RequestRefused, match="Ask was answered 503: this is 503"),
    ):
        http.request("GET", "/answer", operation="Ask", accept={200}, params={"statuses": "503"})

    assert len(exchanges) == 4


@pytest.mark.parametrize(("method", "status"), [("POST", 503), ("GET", 500), ("GET", 404), ("GET", 429)])
def test_other_calls_are_not_repeated(url: str, method: str, status: int) -> None:
    """What is not safe, or no passing trouble, is sent once; the refusal has its parts."""
    exchanges: list[Exchange] = []
    with ServiceHttp(url, on_exchange=exchanges.append) as http, pytest.raises(RequestRefused) as caught:
        http.request(method, "/answer", operation="Ask", accept={200}, params={"statuses": f"{status},200"})

    assert (caught.value.operation, caught.value.status) == ("Ask", status)
    assert caught.value.problem == f"this is {status}"
    assert len(exchanges) == 1


def test_nobody_there() -> None:
    """A refused connection is tried again for GET only, and told as unreachable with the address."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        for method, attempts in (("GET", 4), ("POST", 1)):
            exchanges: list[Exchange] = []
            with (
                ServiceHttp(url, on_exchange=exchanges.append) as http,
                pytest.raises(BackendUnreachable, match=f"Ask got no answer from {url}"),
            ):
                http.send(method, "/", operation="Ask")
            assert len(exchanges) == attempts
            assert exchanges[0].status is None
            assert "ConnectError" in str(exchanges[0].problem)


def test_socket_that_is_not_there(tmp_path: Path) -> None:
    """A control socket that is gone is named."""
    path = str(tmp_path / "gone.sock")
    with (
        ServiceHttp("http://fake", socket=path) as http,
        pytest.raises(BackendUnreachable, match=r"gone\.sock"),
    ):
        http.send("POST", "/")


def test_deadline(url: str) -> None:
    """A service that does not answer in time is unreachable; nothing is repeated."""
    exchanges: list[Exchange] = []
    with (
        ServiceHttp(url, on_exchange=exchanges.append, read_deadline=0.2) as http,
        pytest.raises(BackendUnreachable, match=r"GET /hang got no answer(?s:.*)ReadTimeout"),
    ):
        http.send("GET", "/hang")

    assert [exchange.problem for exchange in exchanges] == ["ReadTimeout: timed out"]


def test_broken_connection() -> None:
    """A connection that breaks in mid-answer is tried again for GET, and told as broken."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        seen: list[int] = []

        def hang_up() -> None:
            for number in range(5):
                connection, _ = server.accept()
                with connection:
                    seen.append(number)
                    connection.recv(4096)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")

        thread = threading.Thread(target=hang_up)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with ServiceHttp(url) as http:
            with pytest.raises(BackendUnreachable, match="after 4 attempts: RemoteProtocolError"):
                http.send("GET", "/")
            with pytest.raises(BackendUnreachable, match=r"POST / got no answer from [^ ]*: Remote"):
                http.send("POST", "/")
        thread.join(5)
        assert len(seen) == 5


def test_close_ends_a_pause(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing a client does not wait for the pauses between its attempts."""
    monkeypatch.setattr("harness.backends.http.FIRST_PAUSE", 60.0)
    http = ServiceHttp(url)
    first = threading.Event()
    http._on_exchange = lambda _exchange: first.set()
    problems: list[BaseException] = []

    def ask() -> None:
        try:
            http.request("GET", "/answer", operation="Ask", accept={200}, params={"statuses": "503"})
        except BackendFault as fault:
            problems.append(fault)

    thread = threading.Thread(target=ask)
    thread.start()
    assert first.wait(5)
    http.close()
    thread.join(10)

    assert not thread.is_alive()
    assert "503" in str(problems[0])


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b'{"message": "why"}', "why"),
        (b'{"message": ""}', '{"message": ""}'),
        (b'{"message": 7}', '{"message": 7}'),
        (b"[]", r"\[\]"),
        (b"plain", "plain"),
        (b"x" * 1000, r"x{300}\.\.\.$"),
        (b"", "no body"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_problem_texts(url: str, body: bytes, problem: str) -> None:
    """The problem is the service's message, or the start of what it sent."""
    with ServiceHttp(url) as http, pytest.raises(RequestRefused, match=f"answered 200: {problem}"):
        http.request("POST", "/echo", operation="Echo", accept={201}, content=body)
