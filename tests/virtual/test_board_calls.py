"""Calls of a board's own controls: what passes to it and back, and what does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.errors import BenchFault

if TYPE_CHECKING:
    from harness.virtual.client import BenchClient


def test_calls_reach_the_board(client: BenchClient) -> None:
    """Any parameters, whatever they are called, and the answer comes back."""
    a = client.board("a")

    assert a.call("echo", board=1, params={"x": [None, True]}, id="ä") == {
        "board": 1,
        "params": {"x": [None, True]},
        "id": "ä",
    }


def test_a_refused_call_is_told(client: BenchClient) -> None:
    """The board's own words reach the caller, and the board has not crashed."""
    with pytest.raises(BenchFault, match=r"^a toy cannot fly$"):
        client.board("a").call("fly")
    assert client.board("a").state().crashed is None


def test_a_call_that_raises_is_a_crash(client: BenchClient) -> None:
    """Anything but a ValueError is a defect of the board and says so."""
    with pytest.raises(BenchFault, match=r"board a has crashed: call 'crash': RuntimeError: this work fails"):
        client.board("a").call("crash")


def test_an_answer_that_json_has_no_form_for(client: BenchClient) -> None:
    """It is told as an error; connection and board live on."""
    with pytest.raises(BenchFault, match=r"call: no answer: .*object"):
        client.board("a").call("unspeakable")
    assert client.board("a").state().crashed is None


def test_parameters_that_json_has_no_form_for(client: BenchClient) -> None:
    """They are refused before anything is sent."""
    with pytest.raises(BenchFault, match=r"^call: parameters that JSON has no form for"):
        client.board("a").call("echo", what=object())
    assert client.board("a").call("echo", what=1) == {"what": 1}
