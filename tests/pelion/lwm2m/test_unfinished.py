"""Bootstraps that break off: nothing is counted twice, and nothing that was not given away opens anything."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import pytest

from harness_pelion.fake.limits import Limits
from harness_pelion.fake.stream import Session
from harness_pelion.fake.tls import LinkEnded
from tests.pelion.lwm2m.raw_device import STEPS, take_bootstrap
from tests.pelion.lwm2m.test_bootstrap import begin, counted, failure
from tests.pelion.lwm2m.test_stream import hex_bootstrap

if TYPE_CHECKING:
    from harness_pelion.fake.tls import SecureLink
    from tests.pelion.lwm2m.conftest import Bootstrap, Connect, Register
    from tests.pelion.lwm2m.device_site import DeviceSite


@pytest.mark.parametrize("step", STEPS)
def test_a_device_that_goes_away_is_not_counted(
    site: DeviceSite, bootstrap: Bootstrap, to_bootstrap: Connect, step: str
) -> None:
    """The log says at which step; the next try is the first device, not the second."""
    developer = site.developer(site.account(devices=1))
    device = to_bootstrap(developer.pair)
    begin(device, developer)
    take_bootstrap(device, stop_at=step)
    device.socket.close()
    site.wait_for_note(developer.account.id, "bootstrap failed")
    assert failure(site, developer)[0] == step
    assert counted(site, developer) == []
    given = bootstrap(developer)
    assert counted(site, developer) == [given.device_id]


class EarlyEnd:
    """A connection that ends around the first answer, before anything else can be done."""

    def __init__(self, request: bytes, *, answer_is_sent: bool) -> None:
        self._left = [request]
        self._answer_is_sent = answer_is_sent

    async def receive(self, _seconds: float) -> bytes | None:
        if self._left:
            return self._left.pop()
        raise LinkEnded("a damaged record came with the request")

    async def send(self, _data: bytes) -> None:
        if not self._answer_is_sent:
            raise LinkEnded("the device has gone")


@pytest.mark.parametrize("answer_is_sent", [False, True], ids=["before", "behind"])
def test_a_device_that_goes_away_at_the_first_answer_keeps_no_place(
    site: DeviceSite,
    bootstrap: Bootstrap,
    answer_is_sent: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Nothing was begun that could break off: the one place that there is, is free all the same."""
    developer = site.developer(site.account(devices=1))
    link = EarlyEnd(hex_bootstrap(developer, "40021234"), answer_is_sent=answer_is_sent)
    session = Session(cast("SecureLink", link), developer.pair.der, site.bootstrap, Limits())
    with pytest.raises(LinkEnded):
        asyncio.run(session.run())
    given = bootstrap(developer)
    assert counted(site, developer) == [given.device_id]


def test_a_device_whose_last_answer_is_lost_may_register(
    site: DeviceSite, to_bootstrap: Connect, to_lwm2m: Connect, register: Register
) -> None:
    """It shows what only its bootstrap can have given it: it is counted then, once."""
    developer = site.developer()
    device = to_bootstrap(developer.pair)
    begin(device, developer)
    given = take_bootstrap(device, stop_at="finish")
    device.socket.close()
    site.wait_for_note(developer.account.id, "bootstrap failed")
    assert counted(site, developer) == []
    register(to_lwm2m(given.pair), given, objects=b"</3/0>")
    assert counted(site, developer) == [given.device_id]
    kinds = [kind for kind, device_id in site.events(developer.account) if device_id == given.device_id]
    assert kinds.index("bootstrap") < kinds.index("registration")


def test_a_device_whose_last_answer_is_lost_has_lost_its_registration(
    site: DeviceSite, bootstrap: Bootstrap, to_bootstrap: Connect, to_lwm2m: Connect, register: Register
) -> None:
    """What it registered with is not its identity any more, as after a bootstrap whose end is known."""
    developer = site.developer()
    given = bootstrap(developer)
    location = register(to_lwm2m(given.pair), given, objects=b"")
    device = to_bootstrap(developer.pair)
    begin(device, developer, f"iep={given.device_id}")
    again = take_bootstrap(device, stop_at="finish")
    device.socket.close()
    site.wait_for_note(developer.account.id, "bootstrap failed")
    answer = to_lwm2m(again.pair).ask("POST", location)
    assert str(answer.code) == "4.04 Not Found"
    assert site.devices(developer.account)[0].state == "bootstrapped"


def test_a_device_whose_last_answer_is_lost_is_not_one_too_many(
    site: DeviceSite, bootstrap: Bootstrap, to_bootstrap: Connect, to_lwm2m: Connect
) -> None:
    """Its place went to another one in the meantime: it is refused, with an event."""
    developer = site.developer(site.account(devices=1))
    device = to_bootstrap(developer.pair)
    begin(device, developer)
    late = take_bootstrap(device, stop_at="finish")
    device.socket.close()
    site.wait_for_note(developer.account.id, "bootstrap failed")
    given = bootstrap(developer)
    answer = to_lwm2m(late.pair).ask("POST", "/rd", [f"ep={late.device_id}", "lt=600"])
    assert str(answer.code) == "4.03 Forbidden"
    assert counted(site, developer) == [given.device_id]
    assert ("refusal", "") in site.events(developer.account)


def test_a_device_whose_last_answer_is_lost_may_bootstrap_again(
    site: DeviceSite, bootstrap: Bootstrap, to_bootstrap: Connect
) -> None:
    """It keeps the name that it was given, and is counted once."""
    developer = site.developer()
    device = to_bootstrap(developer.pair)
    begin(device, developer)
    given = take_bootstrap(device, stop_at="finish")
    device.socket.close()
    site.wait_for_note(developer.account.id, "bootstrap failed")
    again = bootstrap(developer, f"iep={given.device_id}")
    assert counted(site, developer) == [given.device_id] == [again.device_id]


def test_what_was_not_told_to_be_the_end_does_not_register(
    site: DeviceSite, to_bootstrap: Connect, to_lwm2m: Connect
) -> None:
    """A certificate of a bootstrap that broke off before its end opens nothing."""
    developer = site.developer()
    device = to_bootstrap(developer.pair)
    begin(device, developer)
    given = take_bootstrap(device, stop_at="device")
    device.socket.close()
    site.wait_for_note(developer.account.id, "bootstrap failed")
    answer = to_lwm2m(given.pair).ask("POST", "/rd", [f"ep={given.device_id}", "lt=600"])
    assert str(answer.code) == "4.03 Forbidden"
    assert counted(site, developer) == []


def test_a_certificate_deleted_during_a_bootstrap_ends_it(site: DeviceSite, to_bootstrap: Connect) -> None:
    """The device is never told that it is bootstrapped."""
    developer = site.developer()
    device = to_bootstrap(developer.pair)
    begin(device, developer)
    take_bootstrap(device, stop_at="device")
    site.drop(developer)
    device.answer_last("CHANGED")
    assert device.is_closed()
    assert "not trusted any more" in failure(site, developer)[1]


def test_what_is_given_opens_nothing_before_the_end(
    site: DeviceSite, to_bootstrap: Connect, to_lwm2m: Connect
) -> None:
    """A device that registers while its bootstrap is under way is refused, and may go on with that."""
    developer = site.developer()
    device = to_bootstrap(developer.pair)
    begin(device, developer)
    given = take_bootstrap(device, stop_at="device")
    answer = to_lwm2m(given.pair).ask("POST", "/rd", [f"ep={given.device_id}", "lt=600"])
    assert str(answer.code) == "4.03 Forbidden"
    device.answer_last("CHANGED")
    device.answer(device.next_request(), "CHANGED")
    device.ask("GET", "/nothing")
    assert counted(site, developer) == [given.device_id]


def test_what_was_given_first_stays_good_when_a_retry_breaks_off(
    site: DeviceSite, to_bootstrap: Connect, to_lwm2m: Connect, register: Register
) -> None:
    """The last answer was lost, the next try got halfway: the device still has what it got first."""
    developer = site.developer(site.account(devices=1))
    device = to_bootstrap(developer.pair)
    begin(device, developer)
    first = take_bootstrap(device, stop_at="finish")
    device.socket.close()
    site.wait_for_note(developer.account.id, "bootstrap failed")
    again = to_bootstrap(developer.pair)
    begin(again, developer, f"iep={first.device_id}")
    second = take_bootstrap(again, stop_at="server")
    again.socket.close()
    site.wait_until(lambda: len(site.notes(developer.account.id, "bootstrap failed")) == 2)
    assert second.device_id == first.device_id
    answer = to_lwm2m(second.pair).ask("POST", "/rd", [f"ep={first.device_id}", "lt=600"])
    assert str(answer.code) == "4.03 Forbidden"
    register(to_lwm2m(first.pair), first, objects=b"")
    assert counted(site, developer) == [first.device_id]
