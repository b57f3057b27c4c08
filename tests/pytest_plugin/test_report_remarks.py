"""What is to be known of a service stands in the report of every run that had it."""

from __future__ import annotations

from types import SimpleNamespace

from harness.backends.contract import Backend
from harness.pytest_plugin.report_session import bench_facts


def test_remark_of_a_service() -> None:
    """A remark stands beside the mode of its service, and beside no other."""
    url = "http://127.0.0.1:1"
    loud = Backend(name="loud", mode="fake", url=url, remarks=("nothing is kept secret",))
    plain = Backend(name="plain", mode="url", url=url)
    session = SimpleNamespace(
        settings=SimpleNamespace(bench=None, house_rules=()),
        boards=(),
        backends={"loud": loud, "plain": plain},
        story=(),
    )

    facts = bench_facts(session)  # type: ignore[arg-type] # as much of a session as it looks at

    assert facts.backends == (
        ("loud", "fake (nothing is kept secret)", url),
        ("plain", "url", url),
    )
