"""The judgement on simulated histories whose truth is known, and on small ones whose answer is plain."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from harness.history.flakiness import Findings, Judgement, judge_history, runs_of
from tests.history.attempts import attempt
from tests.history.farms import HOUR, Farm

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.history.attempts import Attempt

FLAKY_TEST_AND_BOARD = Farm(flaky_tests={3: 0.5}, flaky_boards={2: 0.5})


def not_fine(findings: Findings) -> dict[str, str]:
    """Return the judgement on whatever is judged and not fine."""
    accused = {Judgement.BROKEN, Judgement.FLAKY, Judgement.PAIR}
    return {
        one.name: str(one.judgement)
        for one in (*findings.tests, *findings.boards)
        if one.judgement in accused
    }


def judge_all(farm: Farm, seeds: Iterable[int]) -> Counter[frozenset[tuple[str, str]]]:
    """Count what is said of a farm's histories."""
    return Counter(frozenset(not_fine(judge_history(farm.attempts(seed))).items()) for seed in seeds)


def several(test: str, board: str, outcomes: str, **changes: Any) -> list[Attempt]:
    """Return a session for each outcome: ``.`` passed, ``F`` failed, ``s`` skipped, a blank was not run."""
    words = {".": "passed", "F": "failed", "s": "skipped"}
    return [
        attempt(test, board=board, session=f"run-{n}", outcome=words[letter], started=n * HOUR, **changes)
        for n, letter in enumerate(outcomes)
        if letter != " "
    ]


def test_flaky_test_and_flaky_board_are_told_apart() -> None:
    """From 20 recorded runs: the test flaky on all boards, the board flaky in all tests, nobody else."""
    said = judge_all(FLAKY_TEST_AND_BOARD, range(20))

    assert said[frozenset({("test-3", "flaky"), ("board-2", "flaky")})] >= 18


def test_reasons_and_rates() -> None:
    """Of each is said how often it failed, on how many others, and how often by itself."""
    findings = judge_history(FLAKY_TEST_AND_BOARD.attempts(0))

    test, board = findings.tests[0], findings.boards[0]
    assert (test.name, board.name) == ("test-3", "board-2")
    assert (test.runs, test.partners, findings.sessions) == (20, 4, 20)
    assert test.reason == f"failed {test.failures} of 20 times, on {test.failed_with} of 4 boards"
    assert (
        board.reason == f"failed {board.failures} of {board.runs} times, in {board.failed_with} of 10 tests"
    )
    assert test.rate == pytest.approx(0.5, abs=0.2)
    assert board.rate == pytest.approx(0.5, abs=0.2)
    blamed = [one.reason for one in findings.tests if one.failures and one is not test]
    assert blamed
    assert all(reason.endswith("board board-2 to blame") for reason in blamed)


def test_healthy_farm_accuses_nobody() -> None:
    """Failures by chance alone: fewer than 1 history in 20 accuses anybody, as is promised."""
    assert judge_all(Farm(), range(50))[frozenset()] >= 49
    assert judge_all(Farm(noise=0.01), range(50))[frozenset()] >= 48


def test_larger_farm() -> None:
    """Among a hundred tests and eight boards those that are flaky are found, and only they."""
    farm = Farm(tests=100, boards=8, flaky_tests={7: 0.4, 70: 0.6}, flaky_boards={5: 0.3})

    findings = judge_history(farm.attempts(1))

    assert not_fine(findings) == {"test-7": "flaky", "test-70": "flaky", "board-5": "flaky"}


def test_broken_test() -> None:
    """A test that only fails since some session is broken since then, and no board is to blame for it."""
    findings = judge_history(Farm(broken_tests={4: 12}).attempts(3))

    assert not_fine(findings) == {"test-4": "broken"}
    assert findings.tests[0].since == 12 * HOUR + 4
    assert findings.tests[0].reason == "failed each of the last 8 times"
    assert any(one.reason.endswith("; test test-4 to blame") for one in findings.boards)


def test_dead_board() -> None:
    """A board on which everything fails since some session is broken, and no test is."""
    findings = judge_history(Farm(dead_boards={1: 15}).attempts(3))

    assert not_fine(findings) == {"board-1": "broken"}
    assert findings.boards[0].since is not None
    assert findings.boards[0].since // HOUR == 15


def test_flaky_beside_broken() -> None:
    """What is broken does not hide what is flaky."""
    findings = judge_history(
        Farm(broken_tests={4: 10}, dead_boards={1: 14}, flaky_tests={7: 0.5}).attempts(2)
    )

    assert not_fine(findings) == {"test-4": "broken", "board-1": "broken", "test-7": "flaky"}


def test_bad_luck_on_a_flaky_board_breaks_no_test() -> None:
    """A test whose last runs were all on the flaky board, and failed there, is not broken."""
    for seed in (103, 109, 160, 198, 201, 238):
        attempts = list(FLAKY_TEST_AND_BOARD.attempts(seed))
        last = {
            each.test: [one.outcome for one in attempts if one.test == each.test][-3:] for each in attempts
        }

        assert ["failed"] * 3 in last.values()
        assert "broken" not in not_fine(judge_history(attempts)).values()


def test_bad_session_accuses_neither_test_nor_board() -> None:
    """While the service was down everything failed; that is said, and nobody is blamed for it."""
    findings = judge_history(Farm(bad_sessions={5: 0.9, 19: 1.0}).attempts(1))

    assert not_fine(findings) == {}
    assert {note.partition(" was bad")[0] for note in findings.notes} == {"session run-5", "session run-19"}


def test_service_down_to_the_end_breaks_nobody() -> None:
    """Several bad sessions at the end are streaks of everybody, and so of nobody."""
    findings = judge_history(Farm(bad_sessions={17: 1.0, 18: 1.0, 19: 1.0}).attempts(1))

    assert not_fine(findings) == {}
    assert len(findings.notes) == 3


def test_everything_fails_at_times() -> None:
    """Where nobody stands out the service or the host is looked at, and nobody is called fine for it."""
    findings = judge_history(Farm(noise=0.3).attempts(1))

    assert not_fine(findings) == {}
    (note,) = findings.notes
    assert note.startswith("everything fails at times (")
    unknown = [one for one in findings.tests if one.judgement is Judgement.UNKNOWN]
    assert unknown
    assert all(one.reason.endswith("no more than everything else") for one in unknown)


def test_one_test_that_suits_one_board_only() -> None:
    """It always fails there and never elsewhere: neither is flaky, the two do not go together."""
    attempts = [
        *several("test-a", "board-0", "FFFFFFFF"),
        *(each for n in range(1, 4) for each in several("test-a", f"board-{n}", "........")),
        *(each for t in "bcd" for n in range(4) for each in several(f"test-{t}", f"board-{n}", "........")),
    ]

    findings = judge_history(attempts)

    assert not_fine(findings) == {"test-a": "fails as a pair", "board-0": "fails as a pair"}
    assert findings.tests[0].reason == "failed 8 of 32 times, on 1 of 4 boards; only together with board-0"


def test_single_board_cannot_be_told_from_the_service() -> None:
    """With one board on the desk nobody says that it is the board; a flaky test is one all the same."""
    board = judge_history(Farm(boards=1, flaky_boards={0: 0.4}).attempts(1))
    test = judge_history(Farm(boards=1, flaky_tests={2: 0.5}).attempts(1))

    assert not_fine(board) == {}
    assert board.boards[0].judgement is Judgement.UNKNOWN
    assert board.boards[0].reason.endswith(
        "it may be board board-0, the service or the host: no other board ran"
    )
    assert not_fine(test) == {"test-2": "flaky"}


def test_one_test_on_one_board() -> None:
    """Nobody can tell which of the two it is, and both are named."""
    findings = judge_history(several("test-a", "board-0", "F..F.F.FF..F..F.."))

    reasons = [one.reason for one in (*findings.tests, *findings.boards)]
    assert not_fine(findings) == {}
    assert all("it may be " in reason for reason in reasons)
    assert all("test test-a" in reason and "board board-0" in reason for reason in reasons)


@pytest.mark.parametrize(
    ("outcomes", "judgement", "reason"),
    [
        ("....", "not enough runs", "ran 4 times"),
        (".....", "fine", "never failed"),
        (".......F............", "fine", "by chance"),
        ("...F....", "not enough runs", "failed 1 of 8 times"),
        ("...FF...............", "not enough runs", "failed 2 of 20 times"),
        ("...FFF", "broken", "failed each of the last 3 times"),
        ("..FFF", "flaky", "failed 3 of 5 times"),
        ("FFF", "broken", "has never passed in 3 times"),
        ("FF", "not enough runs", "failed 2 of 2 times, on 2 of 2 boards; it has not passed yet"),
        (".F.FFF", "flaky", "failed 4 of 6 times"),
    ],
)
def test_few_runs(outcomes: str, judgement: str, reason: str) -> None:
    """Little is said when little is known; among many healthy tests one is judged by its own runs."""
    healthy = (each for n in range(8) for each in several(f"test-{n}", f"board-{n % 3}", "." * 20))
    mine = (
        each
        for n, letter in enumerate(outcomes)
        for each in several("test-x", f"board-{n % 3}", " " * n + letter)
    )

    findings = judge_history([*healthy, *mine])

    (judged,) = [one for one in findings.tests if one.name == "test-x"]
    assert (str(judged.judgement), reason in judged.reason) == (judgement, True), judged


def test_what_does_not_count() -> None:
    """Skipped tests and what was asked for wrongly say nothing; several boards are none's fault."""
    runs = runs_of(
        [
            attempt("skipped", outcome="skipped"),
            attempt("usage", outcome="failed", verdict="usage"),
            attempt("several", outcome="failed", others=("kit-1",)),
            attempt("plain", started=1.0),
        ]
    )

    assert [(run.test.partition("\0")[2], run.board, run.failed) for run in runs] == [
        ("plain", "kit-0", False),
        ("several", "", True),
    ]


def test_skipped_tests_are_not_fine() -> None:
    """A test that only was skipped is not judged at all."""
    assert judge_history(several("test-a", "board-0", "ssssssss")).tests == ()


def test_projects_are_told_apart() -> None:
    """Tests of two projects may have one id; boards are the same for all."""
    findings = judge_history(
        [
            *several("test-a", "board-0", "........", project="one"),
            *several("test-a", "board-0", "...", project="two"),
        ]
    )

    assert [(one.project, one.runs) for one in findings.tests] == [("two", 3), ("one", 8)]
    assert [(one.name, one.runs) for one in findings.boards] == [("board-0", 11)]


def test_nothing_is_known() -> None:
    """An empty history says nothing, and does not fail."""
    assert judge_history([]) == Findings(sessions=0, tests=(), boards=(), notes=())


def test_very_many_runs() -> None:
    """Large numbers do not overflow, and few failures of very many are chance."""
    passed = several("test-a", "board-0", "." * 3000)
    findings = judge_history([*passed, *several("test-b", "board-1", "F" + "." * 3000)])

    assert {str(one.judgement) for one in (*findings.tests, *findings.boards)} == {"fine"}
