"""Whether a board answers: by its driver, by its console, and within a time."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from harness.errors import BoardLost, ConsoleTimeout, RigFault, UsageError
from harness.health.asking import what_ails
from tests.health.patients import Patient, plugins_with


def driver_of(board: Patient) -> object:
    """Make the driver again, as a plugin does."""
    return board.driver


def ask(patient: Patient, seconds: float = 5.0) -> str | None:
    """Ask a patient whose driver a plugin makes."""
    plugins = plugins_with(harness_make_driver=driver_of)
    return what_ails(patient.as_board, plugins, seconds=seconds)


def test_a_board_whose_driver_says_so_is_fit() -> None:
    """Nothing is opened but what the driver opens, and no driver seems to have been used."""
    patient = Patient(True)

    assert ask(patient) is None
    assert patient.did == []
    assert patient.made_driver is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (False, "its driver 'd' got no answer"),
        (ConsoleTimeout("nothing for 3 s"), "nothing for 3 s"),
        (ValueError("what?"), "asking it failed: ValueError: what?"),
    ],
)
def test_what_ails_it_is_said(answer: object, words: str) -> None:
    """In the words of whoever found out, also where a vendor's probe is broken."""
    assert ask(Patient(answer)) == words


def test_a_driver_in_use_is_asked() -> None:
    """It knows the dialect in which the board is spoken to."""
    patient = Patient(False)
    patient.made_driver = SimpleNamespace(health=lambda: True)

    assert ask(patient) is None


def test_without_such_a_driver_its_console_has_to_open() -> None:
    """The console alone, or where there is none of that name the first endpoint."""
    patient = Patient(True)
    patient.driver = None
    assert ask(patient) is None
    assert patient.did == ["open console"]
    patient.broken = RigFault("the port is gone")
    assert ask(patient) == "the port is gone"
    patient.broken = None
    del patient.description.endpoints["console"]
    assert ask(patient) is None
    assert patient.did[-1] == "open trace"


@pytest.mark.parametrize("driver", [None, SimpleNamespace(health=lambda: False)], ids=["none", "silent"])
def test_a_board_that_is_not_there_has_no_ailment(driver: object) -> None:
    """Another one may be in its place; a driver would only say that it got no answer."""
    patient = Patient(True)
    patient.made_driver = patient.driver = driver
    patient.broken = BoardLost("what is at 1-1 is another board")

    with pytest.raises(BoardLost, match="another board"):
        ask(patient)


def test_a_board_without_serial_endpoints_and_driver_is_not_judged() -> None:
    """Nobody knows how to ask it."""
    patient = Patient(True)
    patient.driver = None
    patient.description.endpoints.clear()

    assert ask(patient) is None


def test_who_takes_too_long_gives_no_answer() -> None:
    """A probe that hangs is interrupted, whatever it waits for."""
    patient = Patient(lambda: threading.Event().wait(60))

    assert ask(patient, seconds=0.05) == "it gave no answer within 0.05 s"


def test_what_was_asked_for_wrongly_is_not_the_boards_fault() -> None:
    """The test will say it, with the key."""
    with pytest.raises(UsageError, match="no such key"):
        ask(Patient(UsageError("no such key")))
