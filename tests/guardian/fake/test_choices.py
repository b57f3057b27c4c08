"""What nobody knows: each choice has another side, and the contrarian fake decides so."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness_guardian.enums import Column, ProvisionSource
from harness_guardian.fake.choices import CONTRARIAN, FAKE
from tests.guardian.fake.rest_site import BASE, REQUESTS, Site, a_site

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def contrarian() -> Iterator[Site]:
    """A fake that decides everything the other way."""
    with a_site(choices=CONTRARIAN) as site:
        yield site


@pytest.mark.parametrize("name", [field.name for field in fields(FAKE)])
def test_every_choice_has_another_side(name: str) -> None:
    """Nothing is decided alike by both fakes: else a suite could lean on it unnoticed."""
    assert getattr(FAKE, name) != getattr(CONTRARIAN, name)


def test_default_columns_are_columns_in_their_order() -> None:
    """The Devices page begins with these; which ones nobody knows, their order the seed does."""
    order = list(Column)
    for choices in (FAKE, CONTRARIAN):
        assert list(choices.default_columns) == sorted(choices.default_columns, key=order.index)
    assert [column.value for column in FAKE.default_columns] == [
        "system_name",
        "system_instance_name",
        "component_name",
        "device_hw_id",
        "provisioning_status",
        "request_id",
        "request_created_on",
        "provisioned_on",
        "actions",
    ]


def test_contrarian_statuses(contrarian: Site) -> None:
    """Other statuses for the same refusals and successes, and no reason told."""
    system = contrarian.system()
    made = system.made()
    first, again = system.submit(made), system.submit(made)
    assert (first.status_code, again.status_code, first.headers["retry-after"]) == (201, 202, "2")
    contrarian.until(made.request_id, "needs_approval")
    path = f"{REQUESTS}/{made.request_id}"
    refused = {
        (contrarian.ask("POST", f"{path}/provision"), 400),
        (contrarian.ask("POST", f"{path}/approve", "rita"), 401),
        (contrarian.ask("GET", f"{REQUESTS}/nothing"), 403),
        (contrarian.ask("POST", REQUESTS, content=b"x", headers={"Content-Type": "text/plain"}), 400),
        (contrarian.ask("POST", f"{BASE}/systems", json={}), 409),
        (contrarian.ask("GET", REQUESTS, params={"limit": "51"}), 422),
    }
    for answer, status in refused:
        assert answer.status_code == status
        assert answer.json()["detail"] == answer.reason_phrase
    assert contrarian.ask("POST", f"{path}/approve").status_code == 200


def test_contrarian_rows(contrarian: Site) -> None:
    """No tag, no dots, the oldest first, smaller pages; history rows are those that match."""
    system = contrarian.system()
    ids = [system.waiting() for _ in range(2)]
    answer = contrarian.ask("GET", f"{REQUESTS}/{ids[0]}", headers={"If-None-Match": "*"})
    assert (answer.status_code, "etag" in answer.headers) == (200, False)
    assert [row["id"] for row in system.rows()] == ids
    passed = system.rows(view="history", status="verifying")
    assert [row["provisioning_status"] for row in passed] == ["Verifying", "Verifying"]
    history = contrarian.ask("GET", f"{REQUESTS}/{ids[0]}/history").json()["items"]
    assert [entry["text"] for entry in history] == ["Verifying", "Needs approval"]


def test_contrarian_profile(contrarian: Site) -> None:
    """A preference to wait is ignored; the profile is called otherwise."""
    system = contrarian.system()
    identifier = system.waiting()
    path = f"{REQUESTS}/{identifier}"
    pending = contrarian.ask("GET", f"{path}/certified-profile", headers={"Prefer": "wait=60"})
    assert pending.status_code == 202
    contrarian.ask("POST", f"{path}/approve")
    contrarian.until(identifier, "complete_provisioning")
    contrarian.ask("POST", f"{path}/provision")
    contrarian.until(identifier, "provisioned")
    answer = contrarian.ask("GET", f"{path}/certified-profile")
    assert answer.headers["content-type"] == "application/jose"


def test_contrarian_report(contrarian: Site) -> None:
    """Another name, and no error code."""
    answer = contrarian.ask("GET", f"{BASE}/reports/device-provisioning", params={"system": "x"})
    assert 'filename="provisioning_x_' in answer.headers["content-disposition"]
    assert answer.text.endswith("Provisioned by\r\n")


def test_contrarian_error_has_no_code(contrarian: Site) -> None:
    """The problem of a profile that will never be does not name the error."""
    system = contrarian.system()
    device = system.device()
    device.signer = contrarian.system().key
    made = device.request()
    system.submit(made)
    contrarian.until(made.request_id, "error")
    answer = contrarian.ask("GET", f"{REQUESTS}/{made.request_id}/certified-profile")
    assert (answer.status_code, "code" in answer.json()) == (400, False)


#: What the page calls the parts of a path that differ.
NAMES = {"identifier": "ID", "name": "NAME", "kid": "KID", "serial": "SERIAL"}
REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "fake-guardian.md"


@pytest.mark.parametrize("name", [field.name for field in fields(FAKE)])
def test_every_choice_is_in_the_reference(name: str) -> None:
    """The page of the fake names each choice."""
    assert f"`{name}`" in REFERENCE.read_text(encoding="utf-8")


def test_every_call_is_in_the_reference(contrarian: Site) -> None:
    """The page of the fake names each call, those of the control socket too."""
    text = REFERENCE.read_text(encoding="utf-8")
    fake = contrarian.fake
    for application in (fake.door(ProvisionSource.CLOUD), fake.control):
        for route in application.routes:
            path = re.sub(r"{(\w+)}", lambda match: NAMES[match[1]], getattr(route, "path", ""))
            if path.startswith(BASE) or application is fake.control:
                tail = f"/{path.rpartition('/')[2]}"
                assert f"{path}`" in text or f"{path}?" in text or f"`{tail}`" in text, path
