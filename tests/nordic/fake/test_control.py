"""The control socket of the fake: factory records, teams, clock; nothing of it at the world's door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.backends.contract import FakeSettings
from harness.errors import UsageError
from harness_nordic.fake.app import create

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.nordic.fake.conftest import Site

PEM = (
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUVw9brnjlrkE0/7Kf1T9zQzB6Ze/\n"
    "N13KUVrQpsO0A19FNr46UPMY+/mlR1kCoiFQK+8NV+CMU7LMClbxfZ+TVA==\n"
    "-----END PUBLIC KEY-----\n"
)
TOKEN = (
    "2dn3hQFQUDYxVDkxSqqLuwABAgMEBQZQJclXUe-kQNSLSh3Kq4H6yVAAAQIDBAUGBwgJCgsMDQ4P."
    "0oRDoQEmoQRBIfZYQPuXc-ijq_PjRM_6BeH--vflm2bs2tfbBV6YV99qLnFbDvdjTXecCBYMWhRozhfCbZVCs0SRSGgbO5kgDhCD3JM"
)


def test_published_device_is_claimed_by_its_published_token(site: Site) -> None:
    """A device enrolled by PEM is claimed with the token of the fact sheet, section 4.5."""
    record = {
        "uuid": "50363154-3931-4AAA-8BBB-000102030405",
        "public_key": PEM,
        "imei": "359404230261381",
        "device_type": 6,
        "firmware_uuid": "25c95751-efa4-40d4-8b4a-1dcaab81fac9",
    }
    assert site.control.ask("POST", "/factory", json=record).status_code == 201

    response = site.ask("POST", "/v1/claimed-devices", json={"claimToken": TOKEN})

    assert response.status_code == 201
    assert response.json()["id"] == "50363154-3931-4aaa-8bbb-000102030405"


@pytest.mark.parametrize(
    "change",
    [
        {"uuid": "no"},
        {"uuid": "50363154-3931-4aaa-8bbb-000102030405\n"},
        {"public_key": "04"},
        {"public_key": PEM[:-40]},
        {"imei": "1"},
        {"device_type": 99},
        {"firmware_uuid": None},
        {"more": 1},
    ],
    ids=repr,
)
def test_unfit_factory_records(site: Site, make_device: Callable[[int], Any], change: dict[str, Any]) -> None:
    """A record that cannot be a factory's is 400, and the device stays unknown."""
    device = make_device(7)

    response = site.control.ask("POST", "/factory", json=device.record(**change))

    assert response.status_code == 400
    assert response.json()["message"]
    assert site.claim(device).status_code == 422


def test_later_record_replaces_an_earlier_one(site: Site, make_device: Callable[[int], Any]) -> None:
    """A device enrolled anew with another key is known by that key only."""
    old, new = site.device, make_device(1)
    assert old.id == new.id
    assert site.control.ask("POST", "/factory", json=new.record()).status_code == 201

    assert site.claim(old).status_code == 422
    assert site.claim(new).status_code == 201


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"role": "king"}, 400),
        ({"owner_id": "nobody"}, 404),
        ({"api_key": ""}, 400),
        ({"api_key": "a b"}, 400),
        ({"name": ""}, 400),
        ({"name": "new", "owner_id": "nobody"}, 404),
        ({"more": 1}, 400),
    ],
)
def test_unfit_teams(site: Site, body: dict[str, str], status: int) -> None:
    """A team that cannot be is refused."""
    assert site.control.ask("POST", "/teams", json=body).status_code == status


def test_key_of_ones_own_choice(site: Site) -> None:
    """A key may be chosen, once."""
    assert site.team(api_key="chosen")["api_key"] == "chosen"
    assert site.control.ask("POST", "/teams", json={"api_key": "chosen"}).status_code == 409
    assert site.ask("GET", "/v1/claimed-devices", key="chosen").status_code == 200


def test_team_of_a_name(site: Site) -> None:
    """The same name gives the same team and key again; another name gives another team."""
    first = site.control.ask("POST", "/teams", json={"name": "run-main", "role": "owner"})
    again = site.control.ask("POST", "/teams", json={"name": "run-main"})
    other = site.control.ask("POST", "/teams", json={"name": "run-gw1"})

    assert [answer.status_code for answer in (first, again, other)] == [201, 200, 201]
    assert again.json() == first.json()
    assert other.json()["owner_id"] != first.json()["owner_id"]
    assert site.ask("GET", "/v1/claimed-devices", key=again.json()["api_key"]).status_code == 200


@pytest.mark.parametrize("other", [{"role": "viewer"}, {"owner_id": "x"}, {"api_key": "x"}], ids=repr)
def test_name_of_another_member(site: Site, other: dict[str, str]) -> None:
    """A name stands for one member: whoever asks for another one under it is told so."""
    site.team(name="mine")

    assert site.control.ask("POST", "/teams", json={"name": "mine", **other}).status_code == 409


def test_shifted_clock(claimed: Site) -> None:
    """A clock set ahead lets JWTs expire, and 0 puts it right."""
    assert claimed.fetch().status_code == 204

    shifted = claimed.control.ask("POST", "/clock", json={"shift": 3600})
    assert shifted.json() == {"shift": 3600.0, "now": "2023-11-14T23:13:20.000Z"}
    assert claimed.fetch().status_code == 403

    assert claimed.control.ask("POST", "/clock", json={"shift": 0}).status_code == 200
    assert claimed.fetch().status_code == 204


@pytest.mark.parametrize("body", [b"{}", b'{"shift": "x"}', b'{"shift": 1e300}', b'{"shift": NaN}'])
def test_unfit_shifts(site: Site, body: bytes) -> None:
    """A clock is shifted by a finite number of years at most."""
    assert site.control.ask("POST", "/clock", content=body).status_code == 400


def test_log_of_an_unknown_device(site: Site) -> None:
    """Nobody's log is 404; without a device there are the events that belong to none."""
    assert site.control.ask("GET", "/events", params={"device": "x"}).status_code == 404
    assert site.control.ask("GET", "/events").json() == {"items": []}


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/factory"), ("POST", "/teams"), ("GET", "/events"), ("POST", "/clock")]
)
def test_world_has_no_control(site: Site, method: str, path: str) -> None:
    """What only the session may do is not to be found at the door of the world."""
    assert site.ask(method, path, json={}).status_code == 404


def test_options() -> None:
    """``team-key`` makes a team with that key or one made up, which is told; other options are refused."""
    assert create(FakeSettings()).notes == {}
    assert create(FakeSettings(options={"team-key": "mine"})).notes["API key"] == "mine"
    made_up = {create(FakeSettings(options={"team-key": "new"})).notes["API key"] for _number in range(2)}
    assert len(made_up) == 2
    with pytest.raises(UsageError, match="team-kez"):
        create(FakeSettings(options={"team-kez": "mine"}))
    for unfit in ("", "a b", "ä"):
        with pytest.raises(UsageError, match="printable"):
            create(FakeSettings(options={"team-key": unfit}))
