"""A tiny backend, to test the runner of fakes without any vendor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.backends.contract import BackendSpec
from harness.backends.launcher import start_fake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MODULE = '''
import os

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from harness.errors import UsageError

COUNTS = {}


async def answer(request):
    """Answer with the statuses that the query names, one after the other."""
    wanted = request.query_params["statuses"].split(",")
    number = COUNTS[request.url.query] = COUNTS.get(request.url.query, 0) + 1
    status = int(wanted[min(number, len(wanted)) - 1])
    return JSONResponse({"number": number, "message": f"this is {status}"}, status_code=status)


async def hang(request):
    import asyncio
    await asyncio.Event().wait()


async def echo(request):
    return Response(await request.body(), headers={"x-agent": request.headers["user-agent"],
                                                   "x-own": request.headers.get("x-own", "")})


class Fake:
    def __init__(self, options):
        self.notes = {"options": repr(sorted(options.items()))}
        routes = [
            Route("/answer", answer, methods=["GET", "POST"]),
            Route("/hang", hang),
            Route("/echo", echo, methods=["GET", "POST"]),
        ]
        self.service = Starlette(routes=routes)
        self.control = Starlette(routes=[Route("/who", lambda request: JSONResponse({"pid": os.getpid()}))])


def create(settings):
    print("noise of the factory", file=__import__("sys").stderr)
    if settings.options.get("do") == "refuse":
        raise UsageError("no such option of this fake", key="do", value="refuse")
    if settings.options.get("do") == "crash":
        raise RuntimeError("the factory crashed")
    if settings.options.get("do") == "exit":
        os._exit(7)
    if settings.options.get("do") == "hang":
        __import__("threading").Event().wait()
    return Fake(settings.options)
'''


SPEC = BackendSpec(
    name="tiny",
    title="Tiny Service",
    client="tiny_fake:connect",
    fake="tiny_fake:create",
    capabilities=frozenset({"counting"}),
)


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BackendSpec:
    """Describe the tiny backend; its fake can be imported by processes started from here."""
    package = tmp_path / "modules"
    package.mkdir()
    (package / "tiny_fake.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", str(package))
    return SPEC


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve one tiny backend for all tests of a module."""
    directory = tmp_path_factory.mktemp("tiny")
    (directory / "tiny_fake.py").write_text(MODULE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(directory))
        fake = start_fake(SPEC, directory, lifeline=None)
    with fake:
        yield fake.backend.url


@pytest.fixture
def alive() -> Callable[[int], bool]:
    """Tell whether a process exists and is no zombie."""

    def check(pid: int) -> bool:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:  # noqa: PTH123 - short
                return file.read().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    return check
