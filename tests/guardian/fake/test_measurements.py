"""Rows for measurements: as many as wanted, honestly without a request behind them."""

from __future__ import annotations

from collections import Counter

import pytest

from harness_guardian.enums import Action, Status
from harness_guardian.fake.refusals import Refused
from tests.guardian.fake.domain import CLOUD, Domain, component, outcome, passed


def test_many_rows_are_made_approved_and_found() -> None:
    """Two thousand are there in a moment, beside real ones; those that wait can be approved together."""
    domain = Domain()
    try:
        system = domain.system("Manual", component("pump"), component("valve"))
        real = domain.waiting(system)
        domain.service.fill_for_measurements("acme", system.name, 2_000)
        rows = domain.service.visible(domain.user(), system.name)
        assert len(rows) == 2_001
        assert Counter(row.status for row in rows if row is not real) == {
            Status.PROVISIONED: 1000,
            Status.NEEDS_APPROVAL: 400,
            Status.COMPLETE_PROVISIONING: 200,
            Status.REJECTED_BY_USER: 200,
            Status.ERROR: 200,
        }
        assert rows[0] is real
        assert [row.number for row in rows] == sorted({row.number for row in rows})
        assert {row.component_name for row in rows} == {"pump", "valve"}
        waiting = [row for row in rows if row.status is Status.NEEDS_APPROVAL]
        results = domain.bulk(Action.APPROVE, waiting)
        assert all(result.ok for result in results)
        assert {outcome(row) for row in waiting} == {"complete_provisioning"}
        assert domain.service.request(CLOUD, rows[-1].id) is rows[-1]
        first = next(row for row in rows if row.status is Status.PROVISIONED)
        assert passed(first)[-2:] == ["provisioning", "provisioned"]
        assert outcome(domain.provision(waiting[1])) == "PR_SIGNATURE_MALFORMED"
    finally:
        domain.close()


def test_rows_need_a_system_instance() -> None:
    """Without one there is nothing that they could show."""
    domain = Domain()
    try:
        system = domain.system("Manual", instances=[])
        with pytest.raises(Refused) as refusal:
            domain.service.fill_for_measurements("acme", system.name, 1)
        assert refusal.value.status == 422
    finally:
        domain.close()
