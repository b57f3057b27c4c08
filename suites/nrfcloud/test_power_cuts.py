"""A power cut at every step of provisioning: nothing is reported that was not done, lost, or done again.

Each test lets a board provision and sees which points it passes; then the power goes at each of them, trial
after trial. In each the board gets a certificate, a signing request, settings, a pre-shared key and
``finished``, all with contents of their own. :mod:`harness_nordic.power_trials` judges both ends.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Literal

import pytest

from harness.evidence import step
from harness_nordic.client_requests import (
    CertificateSigningRequest,
    Configuration,
    Finished,
    PreSharedKey,
    ServerCertificate,
)
from harness_nordic.power_trials import PowerTrial, TrialFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.inventory.leased_board import LeasedBoard
    from harness_nordic.client_requests import CommandRequest

    CutAtEach = Callable[[Literal["board", "host"], str], list[int]]

pytestmark = [
    pytest.mark.board(driver="nrf91", needs={"attestation", "virtual"}),
    pytest.mark.backend(needs={"device-log", "exact-status"}),
]

#: The points of one kind are shared out over this many tests, which run on as many boards.
SHARES = (0, 1, 2)


@pytest.fixture
def mixes(board: LeasedBoard, root_cas: tuple[str, ...]) -> Iterator[list[CommandRequest]]:
    """Commands for the same slots, again and again with other contents."""
    certificate, key, shared = board.driver.sec_tags[:3]

    def make() -> Iterator[list[CommandRequest]]:
        for number in itertools.count():
            yield [
                ServerCertificate(sec_tag=certificate, content=root_cas[number % len(root_cas)]),
                CertificateSigningRequest(sec_tag=key, attributes=f"CN={number}", key_usage="101010000"),
                Configuration(properties={"harness/a": str(number), "harness/b": str(-number)}),
                PreSharedKey(sec_tag=shared, identity=f"board {number}", secret=f"{number:08x}"),
                Finished(),
            ]

    return make()


@pytest.fixture
def cut_at_each(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, mixes: Iterator[list[CommandRequest]]
) -> Callable[..., int]:
    """Cut the power at a share of the points of one kind, and return how many points of it a run passes."""

    def cut(agent: Literal["board", "host"], point: str, share: int = 0, shares: int = 1) -> int:
        trial = PowerTrial(board, nrfcloud, claimed, agent=agent)
        trial.points(next(mixes))  # the first run finds empty slots, every later one finds them filled
        passed = [detail for name, detail in trial.points(next(mixes)) if name == point]
        chosen = range(share, len(passed), shares)
        with step(f"Cut the power at {len(chosen)} of {len(passed)} points {point!r} of a run"):
            for index in chosen:
                with step(f"Power cut {point} {passed[index].partition('?')[0][:60]}"):
                    wrong = ""
                    try:
                        trial.cut(next(mixes), point, index + 1)
                    except TrialFailed as failed:
                        wrong = str(failed)
                    assert wrong == ""
        return len(passed)

    return cut


@pytest.mark.board(needs={"provisioning-agent"})
@pytest.mark.parametrize("share", SHARES)
@pytest.mark.proves("power cut", "before any AT command of the board's agent: it recovers, all is done once")
def test_before_each_at_command(cut_at_each: Any, share: int) -> None:
    """The command was never executed."""
    assert cut_at_each("board", "before at", share, len(SHARES)) >= 20


@pytest.mark.board(needs={"provisioning-agent"})
@pytest.mark.parametrize("share", SHARES)
@pytest.mark.proves("power cut", "after any AT command of the board's agent: it recovers, all is done once")
def test_after_each_at_command(cut_at_each: Any, share: int) -> None:
    """The command was executed, and nobody heard its answer."""
    assert cut_at_each("board", "after at", share, len(SHARES)) >= 20


@pytest.mark.board(needs={"provisioning-agent"})
@pytest.mark.proves("power cut", "before any write to flash: the old content stays, then the new one comes")
def test_before_each_write_to_flash(cut_at_each: Any) -> None:
    """Nothing of the write was done."""
    assert cut_at_each("board", "before flash") >= 7


@pytest.mark.board(needs={"provisioning-agent"})
@pytest.mark.proves("power cut", "after any write to flash: it is kept, and reported when it is done again")
def test_after_each_write_to_flash(cut_at_each: Any) -> None:
    """The write was done, and nobody was told."""
    assert cut_at_each("board", "after flash") >= 7


@pytest.mark.board(needs={"provisioning-agent"})
@pytest.mark.proves("power cut", "before any exchange: the service hears of it in the next run")
def test_before_each_exchange(cut_at_each: Any) -> None:
    """The service was not asked."""
    assert cut_at_each("board", "before exchange") >= 2


@pytest.mark.board(needs={"provisioning-agent"})
@pytest.mark.proves("power cut", "answer lost in any exchange: what the service took is not done again")
def test_answer_of_each_exchange_lost(cut_at_each: Any) -> None:
    """The service did its part, and the board never saw the answer."""
    assert cut_at_each("board", "request sent") >= 2


@pytest.mark.board(needs={"provisioning-agent"})
@pytest.mark.proves(
    "power cut", "after any exchange: what was fetched is served again, what was reported is not"
)
def test_after_each_exchange(cut_at_each: Any) -> None:
    """The board saw the answer, and forgot it."""
    assert cut_at_each("board", "after exchange") >= 2


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.proves("power cut", "before any AT command of the host's agent: it recovers, all is done once")
def test_before_each_at_command_of_the_host(cut_at_each: Any, share: int) -> None:
    """The host's agent lives on when its board dies; the command was never executed."""
    assert cut_at_each("host", "before at", share, len(SHARES)) > 10


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.proves("power cut", "after any AT command of the host's agent: it recovers, all is done once")
def test_after_each_at_command_of_the_host(cut_at_each: Any, share: int) -> None:
    """The host's agent lives on when its board dies; the command was executed without an answer."""
    assert cut_at_each("host", "after at", share, len(SHARES)) > 10


@pytest.mark.proves(
    "power cut", "before any write to flash for the host's agent: the old content stays first"
)
def test_before_each_write_to_flash_of_the_host(cut_at_each: Any) -> None:
    """Nothing of the write was done, and the host's agent asks again."""
    assert cut_at_each("host", "before flash") >= 5


@pytest.mark.proves("power cut", "after any write to flash for the host's agent: it is kept and done again")
def test_after_each_write_to_flash_of_the_host(cut_at_each: Any) -> None:
    """The write was done without an answer, and the host's agent asks again."""
    assert cut_at_each("host", "after flash") >= 5
