"""What the Pelion suites share: credentials, attempts, how a refusal is judged, the shared check."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import RequestRefused
from harness.evidence import step
from harness_pelion.agreement import disagreements
from harness_pelion.agreement_evidence import collect
from harness_pelion.attempting import Attempts
from harness_pelion.update_material import update_resources

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from harness.inventory.leased_board import LeasedBoard
    from harness_pelion.enums import ErrorType
    from harness_pelion.resources import DeveloperCredentials, UpdateResources


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Behind each test: directory, events, the servers' log and the device must agree.

    It is part of the test, so that what it finds counts as the test's failure and not as its fixtures'.
    """
    result = yield
    given: dict[str, Any] = pyfuncitem.funcargs
    pelion = given.get("pelion")
    if pelion is not None:
        boards = [*([given["board"]] if "board" in given else []), *given.get("boards", ())]
        with step("Directory, events, servers and devices are compared"):
            assert disagreements(collect(pelion, boards)) == []
    return result


class Refusals:
    """Judge refusals; see :func:`refused`."""

    def __init__(self, *, exact: bool) -> None:
        """Judge statuses exactly, or let any of a refusal pass."""
        self._exact = exact

    @contextmanager
    def __call__(self, status: int, error: ErrorType | None = None) -> Iterator[None]:
        """Expect a refusal, with this status and type of error where the backend's are known."""
        with pytest.raises(RequestRefused) as caught:
            yield
        told = (caught.value.status, getattr(caught.value, "type", None) if error else None)
        assert told == (status, error) or (not self._exact and 400 <= told[0] < 500)


@pytest.fixture
def refused(pelion: Any) -> Refusals:
    """Judge refusals.

    Which status the real service answers is public for some errors only (pelion fact sheet, section 4), so it
    is asserted only where the backend says that it is known.
    """
    return Refusals(exact="exact-status" in pelion.capabilities)


@pytest.fixture
def refused_as(pelion: Any) -> Callable[[str], set[str]]:
    """Tell as which errors the device's client may log that a server refuses its certificate.

    That it is in the handshake, by an answer to the bootstrap or by one to the registration is our fake's
    choice, so each of them will do where the backend does not say that it is known.
    """
    anyhow = {"ConnectSecureConnectionFailed", "ConnectBootstrapFailed", "ConnectInvalidParameters"}
    return lambda error: {error} if "refusal-step" in pelion.capabilities else anyhow


@pytest.fixture
def developer(pelion: Any) -> DeveloperCredentials:
    """Credentials of a developer certificate that this test made."""
    credentials: DeveloperCredentials = pelion.create_developer_certificate(
        pelion.own_name("developer")
    ).credentials()
    return credentials


@pytest.fixture
def update() -> UpdateResources:
    """Update resources of a vendor's class of devices."""
    return update_resources("update")


@pytest.fixture
def attempts(board: LeasedBoard, pelion: Any) -> Attempts:
    """Provision the board and follow it, from the utility's output to the registered device."""
    return Attempts(board, pelion)


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Wait until something is so that neither end tells by itself."""

    def wait(so: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not so():
            assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
            threading.Event().wait(0.02)  # nobody tells of it

    return wait
