"""When the firmware polls by itself (nrfcloud fact sheet, sections 3.1, 3.6 and 3.9)."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness_nordic.virtual.agent_settings import AgentSettings
from harness_nordic.virtual.firmware_settings import FirmwareSettings
from harness_nordic.virtual.schedule import INTERVAL_KEY, PollingSchedule, read_seconds
from tests.nordic.virtual.agent_runs import ID

if TYPE_CHECKING:
    from collections.abc import Callable


class Wait:
    """A timer that a test lets fire."""

    def __init__(self, seconds: float, fire: Callable[[], None]) -> None:
        self.seconds = seconds
        self.fire = fire
        self.called_off = False

    def cancel(self) -> None:
        self.called_off = True


class Firmware:
    """A schedule whose timers a test holds."""

    def __init__(self, **settings: Any) -> None:
        self.waits: list[Wait] = []
        self.stored = FirmwareSettings()
        self.settings = AgentSettings(**{"scheduled": True, "interval": 1000, **settings})
        self.starts = 0
        self.schedule = PollingSchedule(self, self.settings, self.stored, self.start)  # type: ignore[arg-type] # it needs timers only

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Wait:
        self.waits.append(Wait(seconds, callback))
        return self.waits[-1]

    def start(self) -> None:
        self.starts += 1
        self.schedule.started()

    @property
    def due(self) -> list[float]:
        """What the timers that run wait for, in whole seconds."""
        return [round(wait.seconds) for wait in self.waits if not wait.called_off]

    def fire(self) -> None:
        (wait,) = [wait for wait in self.waits if not wait.called_off]
        wait.called_off = True
        wait.fire()

    def poll(self, *, busy: bool = False) -> None:
        self.fire()
        self.schedule.ended(busy=busy)


def test_first_poll_and_interval() -> None:
    """After a boot the firmware polls at once, then at its interval."""
    firmware = Firmware()
    firmware.schedule.boot()
    assert firmware.due == [0]
    for polls in (1, 2, 3):
        firmware.poll()
        assert firmware.starts == firmware.schedule.polls == polls
        assert firmware.due == [1000]


def test_firmware_that_waits_to_be_told() -> None:
    """Unless it was built so, nothing is ever due."""
    for options in ({"scheduled": False}, {"agent": False}):
        firmware = Firmware(**options)
        firmware.schedule.boot()
        firmware.schedule.ended(busy=False)
        firmware.schedule.changed()
        assert firmware.due == []
        assert firmware.schedule.due_in is None


def test_nothing_is_due_while_the_agent_runs() -> None:
    """A run that somebody started by hand takes the place of the one that was due."""
    firmware = Firmware()
    firmware.schedule.boot()
    firmware.poll()
    firmware.schedule.started()
    assert firmware.due == []
    firmware.schedule.ended(busy=False)
    assert firmware.due == [1000]


def test_stored_interval_counts_from_the_next_poll_on() -> None:
    """What a configuration stores is the interval behind the run that stored it."""
    firmware = Firmware()
    firmware.schedule.boot()
    firmware.fire()
    firmware.stored.save(INTERVAL_KEY, "99")
    firmware.schedule.ended(busy=False)
    assert firmware.due == [99]


@pytest.mark.parametrize("text", ["", "0", "-5", "soon", "0x", "x9"])
def test_interval_that_is_none(text: str) -> None:
    """A stored text that is no interval leaves the one that the firmware was built with."""
    firmware = Firmware()
    firmware.stored.save(INTERVAL_KEY, text)
    assert firmware.schedule.interval == 1000


def test_interval_that_is_typed() -> None:
    """It is stored and begins at once; a negative one and the one that there is change nothing."""
    firmware = Firmware()
    firmware.schedule.boot()
    firmware.poll()
    for seconds in (-1, 1000):
        firmware.schedule.set_interval(seconds)
        assert firmware.stored.items() == {}
    firmware.schedule.set_interval(45)
    assert firmware.stored.items() == {INTERVAL_KEY: "45"}
    assert firmware.due == [45]


def test_back_off_while_the_service_is_busy() -> None:
    """It comes back after 60 s, then later and later up to a day; an answer ends that."""
    firmware = Firmware()
    firmware.schedule.boot()
    waits = []
    for _time in range(13):
        firmware.poll(busy=True)
        waits += firmware.due
    assert waits == [60, 120, 240, 480, 960, 1920, 3840, 7680, 15360, 30720, 61440, 86400, 86400]
    firmware.poll()
    assert firmware.due == [1000]
    firmware.poll(busy=True)
    assert firmware.due == [60]


def test_power_goes_and_comes() -> None:
    """Without power nothing is due, whatever changes; a boot forgets the back-off."""
    firmware = Firmware()
    firmware.schedule.boot()
    firmware.poll(busy=True)
    firmware.schedule.stop()
    firmware.schedule.changed()
    assert firmware.due == []
    firmware.schedule.boot()
    firmware.poll(busy=True)
    assert firmware.due == [60]


def test_time_that_passes() -> None:
    """Timers run ahead; what is overdue is due now, once."""
    firmware = Firmware()
    firmware.schedule.boot()
    firmware.poll()
    firmware.schedule.pass_time(400)
    assert firmware.due == [600]
    assert round(firmware.schedule.due_in or 0) == 600
    firmware.schedule.pass_time(5000)
    assert firmware.due == [0]
    firmware.poll()
    assert firmware.due == [1000]


@given(
    st.one_of(
        st.from_regex(r"\A[ \t]?[+-]?(0[xX][0-9a-fA-F]{0,6}|0[0-9]{0,6}|[0-9]{0,9})[a-z ]{0,2}\Z"),
        st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=6),
    )
)
def test_numbers_are_read_as_c_reads_them(text: str) -> None:
    """The host's own ``strtoll`` with base 0 reads the same number."""
    strtoll = ctypes.CDLL(None).strtoll
    strtoll.restype = ctypes.c_longlong
    strtoll.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int]

    assert read_seconds(text) == strtoll(text.encode(), None, 0)


def test_board_that_polls_by_itself(make_board: Callable[..., Any], service: Any) -> None:
    """It polls after its boot and whenever its interval is over, which a configuration changes."""
    board = make_board()
    board.call("set_service", url=service.url)
    assert board.call("schedule") == {"scheduled": False, "interval": 86400, "due_in": None, "polls": 0}
    board.call("configure", scheduled=True, interval=500)
    assert 490 < board.call("schedule")["due_in"] <= 500

    service.commands([f"{ID}.3", 1, {"provisioning/interval-sec": "7000"}])
    service.status(200)
    service.status(204)
    board.call("pass_time", seconds=500)
    board.host.wait_said(b"#XNRFPROV: 0")

    after = board.call("schedule")
    assert (after["interval"], after["polls"]) == (7000, 1)
    assert 6900 < after["due_in"] <= 7000
    start = len(board.host.sent("console"))
    board.power_off()
    assert board.call("schedule")["due_in"] is None
    board.power_on()
    board.host.wait_said(b"#XNRFPROV: 0", start=start)
    assert board.call("schedule")["polls"] == 2
    board.host.on_loop(board.board.clear_faults)
    assert board.call("schedule")["due_in"] is None


def test_busy_service(make_board: Callable[..., Any], service: Any) -> None:
    """500 means come back in a minute; what is no answer in time means the same; 503 does not."""
    board = make_board()
    board.call("set_service", url=service.url)
    board.call("configure", scheduled=True, interval=5000)
    board.type(b"AT#XNRFPROV\r")
    board.host.wait_said(b"#XNRFPROV: 0")
    for answer, due in ((500, 60), (503, 5000), (None, 60)):
        start = len(board.host.sent("console"))
        if answer is None:
            board.call("configure", http_timeout=0.3)
            service.hold.clear()
        else:
            service.status(answer)
        board.type(b"AT#XNRFPROV\r")
        board.host.wait_said(b"#XNRFPROV: -1", start=start)
        assert due - 10 < board.call("schedule")["due_in"] <= due


@pytest.mark.parametrize("seconds", [-1, "1", True, None, 1e12])
def test_time_that_cannot_pass(board: Any, seconds: object) -> None:
    """Only seconds pass."""
    with pytest.raises(ValueError, match="expected seconds that pass"):
        board.call("pass_time", seconds=seconds)
