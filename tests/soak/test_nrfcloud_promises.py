"""The stateful tests of the fake, at length: whatever teams and boards do, every promise is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from harness.backends.launcher import start_fake
from harness_nordic import plugin
from tests.nordic.test_stateful import STEPS, Service
from tests.nordic.test_stateful_groups import STEPS as STEPS_OF_GROUPS
from tests.nordic.test_stateful_groups import Groups
from tests.soak.support.rounds import scaled

if TYPE_CHECKING:
    import pytest

EXAMPLES = 300
EXAMPLES_OF_GROUPS = 60


def test_promises_hold_for_long(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One owner a board, blocked queues stay, final is final, 20 open at most, every command ends."""
    (spec,) = plugin.harness_backends()
    with start_fake(spec, tmp_path_factory.mktemp("fake"), lifeline=None) as fake:
        Service.backend = fake.backend
        run_state_machine_as_test(
            Service,
            settings=settings(
                max_examples=scaled(EXAMPLES),
                stateful_step_count=STEPS,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )


def test_groups_keep_their_promises_for_long() -> None:
    """Tags show where they are held, rules apply once, rows stay apart, viewers change nothing."""
    run_state_machine_as_test(
        Groups,
        settings=settings(
            max_examples=scaled(EXAMPLES_OF_GROUPS),
            stateful_step_count=2 * STEPS_OF_GROUPS,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
