"""What the tests of the virtual component share: boards in hand, and a service on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.guardian.virtual.paper_bench import BoardInHand
from tests.guardian.virtual.paper_service import COMPONENT, HW_ID, PaperService
from tests.guardian.virtual.profile_bench import ProfileBench

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def make_board() -> Iterator[Callable[..., BoardInHand]]:
    """Make boards that are switched on; they end with the test."""
    boards: list[BoardInHand] = []

    def make(kind: str = "guardian-component-virtual", number: int = 0, **options: Any) -> BoardInHand:
        board = BoardInHand(kind, number, options)
        boards.append(board)
        board.power_on()
        return board

    yield make
    for board in boards:
        board.close()


@pytest.fixture
def board(make_board: Callable[..., BoardInHand]) -> BoardInHand:
    """A blank component that is switched on."""
    return make_board()


@pytest.fixture
def service() -> Iterator[PaperService]:
    """A Guardian on paper."""
    service = PaperService()
    yield service
    service.close()


@pytest.fixture
def make_ready(service: PaperService) -> Callable[[BoardInHand], BoardInHand]:
    """Give boards the package, and tell them who they are and where the service is."""

    def prepare(board: BoardInHand) -> BoardInHand:
        board.put("package", service.package())
        board.ask(f"init {COMPONENT} {HW_ID}")
        board.ask(f"service {service.url}")
        return board

    return prepare


@pytest.fixture
def ready(board: BoardInHand, make_ready: Callable[[BoardInHand], BoardInHand]) -> BoardInHand:
    """A component with package, name and service, that was never provisioned."""
    return make_ready(board)


@pytest.fixture
def provisioned(ready: BoardInHand) -> BoardInHand:
    """A component that is provisioned."""
    assert ready.provision().startswith("0 OK")
    return ready


@pytest.fixture
def bench(ready: BoardInHand, service: PaperService) -> ProfileBench:
    """A board with an open request."""
    return ProfileBench(ready, service)
