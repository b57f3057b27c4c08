"""A suite for Acme's lamps."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import CommandRefused, RequestRefused

pytestmark = pytest.mark.board(driver="acme", needs={"badge"})


@pytest.mark.proves("register", "201, the lamp wears its badge")
def test_registered_lamp_wears_its_badge(board: Any, acme: Any) -> None:
    """What the service gave is what the lamp holds, and the service lists the lamp."""
    serial_number = board.driver.serial_number()
    badge = acme.register(serial_number)

    board.driver.wear(badge)

    assert board.driver.badge() == badge
    assert serial_number in acme.lamps()


@pytest.mark.proves("register", "409 when it is registered already")
def test_lamp_is_registered_once(board: Any, acme: Any) -> None:
    """A second registration is refused by the service."""
    acme.register(board.driver.serial_number())

    with pytest.raises(RequestRefused, match="is registered already"):
        acme.register(board.driver.serial_number())


@pytest.mark.proves("badge", "refused before registration")
def test_new_lamp_has_no_badge(board: Any) -> None:
    """A lamp that nobody registered refuses to say its badge; other tests leave none behind."""
    with pytest.raises(CommandRefused):
        board.driver.badge()
