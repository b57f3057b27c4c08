"""Who is to blame for a failed test: one pure table.

=====================================  ===================================================================
what was raised                        verdict
=====================================  ===================================================================
:class:`~harness.errors.UsageError`    *usage*: the run was asked for wrongly
:class:`~harness.errors.RigFault`      *rig*: port, power, lease, board lost
:class:`~harness.errors.BackendFault`  *backend*: the service
:class:`~harness.errors.BoardFault`    *product*
a failed check (``AssertionError``)    *product* if the board answers a health probe, *rig* if it does not;
                                       without a board *backend* if the test talked to a service, else *suite*
:class:`~harness.errors.TestDeadline`  *rig* if the test's board does not answer any more, else *suite*
anything else                          *suite*: a mistake in the test itself, or in ours
=====================================  ===================================================================

What an error was raised *from* counts too: on a failed rig nothing can be said of the product, so a
``RigFault`` among the explicit causes decides. An error that the table does not know is judged by what it
was raised from or while handling. Of a group, the member that explains the others decides.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal

from harness.errors import BackendFault, BoardFault, RigFault, TestDeadline, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Verdict(StrEnum):
    """Who is to blame.

    The order counts: of several verdicts on one failure the first explains the others. A run that was asked
    for wrongly explains a rig that fails, a rig that fails a service that cannot be reached, and so on.
    """

    USAGE = "usage"
    RIG = "rig"
    BACKEND = "backend"
    PRODUCT = "product"
    SUITE = "suite"

    @property
    def meaning(self) -> str:
        """One sentence for a report."""
        return _MEANINGS[self]


_MEANINGS = {
    Verdict.USAGE: "the run was asked for wrongly: mend the option, file or key that the message names",
    Verdict.RIG: "the lab failed: a port, power, a lease or a board that went away or answers nothing",
    Verdict.BACKEND: "the provisioning service did wrong or did not answer",
    Verdict.PRODUCT: "the board did wrong, and it still answers",
    Verdict.SUITE: "a mistake in the test or in the harness",
}

#: The table for errors of the harness. A subclass is judged like its base.
VERDICTS: dict[type[BaseException], Verdict] = {
    UsageError: Verdict.USAGE,
    RigFault: Verdict.RIG,
    BackendFault: Verdict.BACKEND,
    BoardFault: Verdict.PRODUCT,
}


def judge(
    error: BaseException,
    *,
    board_answers: Callable[[], bool] | None = None,
    used_a_backend: bool = False,
    failed_checks: tuple[type[BaseException], ...] = (AssertionError,),
) -> Verdict:
    """Say who is to blame for a test that raised an error.

    :param error: what the test, or a fixture of it, raised.
    :param board_answers: the health probe of the test's board, called only when it decides; ``None`` when
        the test had no board. A probe that raises counts as one without an answer.
    :param used_a_backend: whether the test talked to a provisioning service.
    :param failed_checks: classes that mean "what was checked does not hold" (pytest adds its own).
    :return: the verdict.
    """
    cause = _find_cause(error, failed_checks, set())
    if isinstance(cause, Verdict):
        return cause
    if cause is None:
        hung = _ran_out_of_time(error) and board_answers is not None and not _probe(board_answers)
        return Verdict.RIG if hung else Verdict.SUITE
    if board_answers is None:
        return Verdict.BACKEND if used_a_backend else Verdict.SUITE
    return Verdict.PRODUCT if _probe(board_answers) else Verdict.RIG


def _ran_out_of_time(error: BaseException) -> bool:
    """Tell whether a test was interrupted: also several of its fixtures may be, and are one group then."""
    if isinstance(error, BaseExceptionGroup):
        return any(map(_ran_out_of_time, error.exceptions))
    return isinstance(error, TestDeadline)


def _probe(board_answers: Callable[[], bool]) -> bool:
    try:
        return board_answers()
    except Exception:  # noqa: BLE001 - whatever a probe raises, the board gave no answer
        return False


_FAILED_CHECK: Final = "failed check"
_EXPLAINS_THE_OTHERS: tuple[Verdict | Literal["failed check"], ...] = (
    Verdict.USAGE,
    Verdict.RIG,
    Verdict.BACKEND,
    Verdict.PRODUCT,
    _FAILED_CHECK,
)


def _find_cause(
    error: BaseException, failed_checks: tuple[type[BaseException], ...], seen: set[int]
) -> Verdict | Literal["failed check"] | None:
    """Return the verdict that classes alone give, :data:`_FAILED_CHECK`, or ``None`` for nothing known.

    :param seen: ids of the errors that were looked at: a group and its members may name each other.
    """
    chain = [link for link in _chain(error) if id(link) not in seen]
    seen.update(map(id, chain))
    explicit = set(map(id, _explicit_causes(error)))
    if any(isinstance(link, RigFault) for link in chain if id(link) in explicit):
        return Verdict.RIG
    for link in chain:
        if isinstance(link, BaseExceptionGroup):
            found = {_find_cause(member, failed_checks, seen) for member in link.exceptions}
            if decided := next((cause for cause in _EXPLAINS_THE_OTHERS if cause in found), None):
                return decided
        for known, verdict in VERDICTS.items():
            if isinstance(link, known):
                return verdict
        if isinstance(link, failed_checks):
            return _FAILED_CHECK
    return None


def _explicit_causes(error: BaseException) -> Iterator[BaseException]:
    """Walk ``raise ... from ...``, the error itself first."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Walk what an error was raised from or while handling, the error itself first."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
