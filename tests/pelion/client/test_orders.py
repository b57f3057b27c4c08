"""What only a fake does on order ends with the test, and is to be had from a fake only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import BackendFault, BackendUnreachable, RequestRefused, UsageError
from harness_pelion.client_models import PelionRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness_pelion.client import PelionClient

ACCOUNT = "GET /v3/accounts/me"


def test_fault_strikes_so_often(pelion: PelionClient) -> None:
    """A fault strikes where and as often as it was ordered, and not after."""
    pelion.fault("api", "status", step=f"{ACCOUNT}/", status=403, times=1, skip=1)

    pelion.account()
    with pytest.raises(PelionRefused, match="403"):
        pelion.account()
    pelion.account()


def test_fault_ends_with_its_block(pelion: PelionClient) -> None:
    """What was ordered in a block is gone behind it."""
    with pelion.fault("api", "status", step=ACCOUNT, status=500, times=99), pytest.raises(PelionRefused):
        pelion.account()

    pelion.account()


def test_faults_end_with_the_test(pelion: PelionClient) -> None:
    """Undo takes orders back before it deletes anything."""
    pelion.create_developer_certificate(pelion.own_name("dev"))
    pelion.fault("api", "hang_up", times=99)
    with pytest.raises(BackendUnreachable):
        pelion.raw.request("POST", "/v3/developer-certificates", json={})

    pelion.undo()

    assert pelion.developer_certificates() == []


def test_fault_that_makes_no_sense(pelion: PelionClient) -> None:
    """The fake says so."""
    with pytest.raises(RequestRefused, match="400"):
        pelion.fault("api", "earthquake")


def test_clock_is_shifted_and_put_back(pelion: PelionClient) -> None:
    """What is made later is later; the end of the test puts the clock back."""
    pelion.shift_clock(3600)
    late = pelion.create_developer_certificate(pelion.own_name("late"))
    assert pelion.world.clock_shifted

    pelion.undo()

    usual = pelion.create_developer_certificate(pelion.own_name("usual"))
    assert late.record.created_at is not None
    assert usual.record.created_at is not None
    assert 3500 < (late.record.created_at - usual.record.created_at).total_seconds() < 3700
    assert not pelion.world.clock_shifted


def test_user_of_the_account(pelion: PelionClient) -> None:
    """A further user sees the same account, by a key of their own, until the test ends."""
    user = pelion.new_user(pelion.own_name("user"))
    other = pelion.as_user(user.api_key)
    assert other.account().id == pelion.account().id
    assert other.my_api_key().id != pelion.my_api_key().id

    pelion.undo()

    with pytest.raises(PelionRefused, match="401"):
        other.account()


def test_user_that_is_kept(pelion: PelionClient) -> None:
    """A test that is kept keeps its users: the end of the next test removes none of them."""
    user = pelion.new_user(pelion.own_name("user"))

    pelion.forget()
    pelion.undo()

    assert pelion.as_user(user.api_key).account().id == pelion.account().id


def test_accounts_do_not_see_each_other(pelion: PelionClient) -> None:
    """What one account has, another neither lists nor gets nor deletes."""
    certificate = pelion.create_developer_certificate(pelion.own_name("dev"))
    other = pelion.another_account()
    try:
        assert other.trusted_certificates() == []
        for call in (other.developer_certificate, other.delete_certificate):
            with pytest.raises(PelionRefused, match="404"):
                call(certificate.id)
    finally:
        other.undo()
        other.world.close()
    assert pelion.trusted_certificate(certificate.id).name == certificate.name


def test_missing_note_is_told(pelion: PelionClient) -> None:
    """Who waits for a note of the servers that never comes is told how often it came."""
    with pytest.raises(BackendFault, match=r"'registered' 1 times .* they did 0 times"):
        pelion.wait_for_log("registered", timeout=0.05)


CALLS: dict[str, Callable[[PelionClient], Any]] = {
    "fault": lambda client: client.fault("api", "hang_up"),
    "clock": lambda client: client.shift_clock(1),
    "limits": lambda client: client.set_limits(certificates=1),
    "user": lambda client: client.new_user("x"),
    "log": lambda client: client.server_log(),
    "account": lambda client: client.another_account(),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_service_that_is_no_fake_takes_no_orders(
    on_paper: PelionClient, call: Callable[[PelionClient], Any]
) -> None:
    """The message says which option gives a fake."""
    with pytest.raises(UsageError, match=r"--backend: .* from a fake only .* expected pelion=fake"):
        call(on_paper)
