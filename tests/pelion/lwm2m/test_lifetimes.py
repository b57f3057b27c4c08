"""Registrations that end by themselves, by the account's clock, and those that must not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from harness_pelion.fake.clock import Clock
from harness_pelion.fake.lifetimes import Lifetimes

if TYPE_CHECKING:
    from tests.pelion.lwm2m.conftest import Bootstrap, Connect, Register
    from tests.pelion.lwm2m.device_site import DeviceSite


def test_a_registration_ends_with_its_lifetime(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect, register: Register
) -> None:
    """Not a second before; with an event that says why, and the location is no more."""
    developer = site.developer()
    given_ = bootstrap(developer)
    device = to_lwm2m(given_.pair)
    location = register(device, given_, "lt=600", objects=b"")
    (record,) = site.devices(developer.account)
    site.shift(developer.account, 570)
    assert record.state == "registered"
    site.shift(developer.account, 601)
    assert record.state == "deregistered"
    assert ("expiration", record.id) in site.events(developer.account)
    assert site.notes(developer.account.id, "deregistered")[0]["reason"] == "lifetime"
    assert str(device.ask("POST", location).code) == "4.04 Not Found"
    register(device, given_, objects=b"")
    assert record.state == "registered"


def test_a_device_that_updates_stays(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect, register: Register
) -> None:
    """However long, as long as it updates in time; a new lifetime counts from the update on."""
    developer = site.developer()
    given_ = bootstrap(developer)
    device = to_lwm2m(given_.pair)
    location = register(device, given_, "lt=600", objects=b"")
    (record,) = site.devices(developer.account)
    for hour in range(1, 6):
        site.shift(developer.account, hour * 500)
        assert str(device.ask("POST", location).code) == "2.04 Changed"
    assert record.state == "registered"
    assert str(device.ask("POST", location, ["lt=100"]).code) == "2.04 Changed"
    site.shift(developer.account, 2500 + 101)
    assert record.state == "deregistered"


def test_an_update_gives_the_same_lifetime_again(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect, register: Register
) -> None:
    """An update that names no lifetime keeps the one of the registration (OMA LwM2M 1.0, section 5.3.2)."""
    developer = site.developer()
    given_ = bootstrap(developer)
    device = to_lwm2m(given_.pair)
    location = register(device, given_, "lt=600", objects=b"")
    (record,) = site.devices(developer.account)
    site.shift(developer.account, 500)
    assert str(device.ask("POST", location).code) == "2.04 Changed"
    site.shift(developer.account, 1070)
    assert record.state == "registered"
    site.shift(developer.account, 1101)
    assert record.state == "deregistered"


def test_a_lifetime_ends_by_itself(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect, register: Register
) -> None:
    """A few seconds are left of it, and nobody shifts a clock or asks then."""
    developer = site.developer()
    given_ = bootstrap(developer)
    register(to_lwm2m(given_.pair), given_, "lt=600", objects=b"")
    site.shift(developer.account, 597)  # the next look is sure to come before it ends
    assert site.devices(developer.account)[0].state == "registered"
    note = site.wait_for_note(developer.account.id, "deregistered")
    assert note["reason"] == "lifetime"


def test_nobody_elses_clock_ends_it(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect, register: Register
) -> None:
    """The time of another account is another time."""
    developer, other = site.developer(), site.developer()
    given_ = bootstrap(developer)
    register(to_lwm2m(given_.pair), given_, objects=b"")
    site.shift(other.account, 10_000)
    assert site.devices(developer.account)[0].state == "registered"


def test_a_registration_made_anew_counts_anew(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect, register: Register
) -> None:
    """The lifetime of the one before does not end it; one event for each."""
    developer = site.developer()
    given_ = bootstrap(developer)
    device = to_lwm2m(given_.pair)
    register(device, given_, "lt=100", objects=b"")
    register(device, given_, "lt=1000", objects=b"")
    site.shift(developer.account, 200)
    assert site.devices(developer.account)[0].state == "registered"
    kinds = [kind for kind, _device in site.events(developer.account)]
    assert kinds.count("registration") == 2
    assert "expiration" not in kinds


def test_a_lifetime_beyond_all_timers_is_borne(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect, register: Register
) -> None:
    """The longest that can be said does not break the clock."""
    developer = site.developer()
    given_ = bootstrap(developer)
    register(to_lwm2m(given_.pair), given_, "lt=4294967295", objects=b"")
    site.shift(developer.account, 3650 * 86400)
    assert site.devices(developer.account)[0].state == "registered"


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("start"), st.sampled_from("abc"), st.integers(1, 50)),
        st.tuples(st.just("stop"), st.sampled_from("abc"), st.just(0)),
        st.tuples(st.just("pass"), st.just(""), st.integers(0, 40)),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_exactly_what_has_lived_too_long_ends(steps: list[tuple[str, str, int]]) -> None:
    """A table of ends, kept beside: whatever is started, stopped and prolonged ends once and in time."""

    async def run() -> None:
        clock = Clock(lambda: 1_000_000.0)
        ended: list[str] = []
        lifetimes = Lifetimes(clock, ended.append)
        ends: dict[str, int] = {}
        expected: list[str] = []
        now = 0
        for what, name, number in steps:
            if what == "start":
                lifetimes.start(name, "account", number)
                ends[name] = now + number
            elif what == "stop":
                lifetimes.stop(name)
                ends.pop(name, None)
            else:
                now += number
                clock.shift("account", now)
                over = [each for each, end in ends.items() if end <= now]
                for each in over:
                    del ends[each]
                expected += over
            assert sorted(ended) == sorted(expected)
        lifetimes.close()
        clock.shift("account", now + 1000)
        assert sorted(ended) == sorted(expected)

    asyncio.run(run())
