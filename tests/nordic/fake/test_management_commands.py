"""Commands in the management API of the fake (nrfcloud fact sheet, section 2.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.nordic.fake.conftest import Site


NOBODY = "00000000-0000-4000-8000-000000000000"

CLAIMS = "/v1/claimed-devices"

REQUESTS: list[dict[str, Any]] = [
    {"cloudAccessKeyGeneration": {"secTag": 0}},
    {"clientPrivateKeyGeneration": {"secTag": 2_147_483_647}},
    {"certificateSigningRequest": {"secTag": 1, "attributes": "CN=x", "keyUsage": "101010000"}},
    {"clientCertificate": {"secTag": 1, "content": "PEM"}},
    {"serverCertificate": {"secTag": 1, "content": "PEM\nPEM"}},
    {"clientPrivateKey": {"secTag": 1, "content": "PEM"}},
    {"clientPrivateKey": {"secTag": 1, "content": "PEM", "password": "word"}},
    {"preSharedKey": {"secTag": 1, "identity": "me", "secret": "00ff"}},
    {"config": {"properties": {"a": "1"}}},
    {"finished": {}},
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: next(iter(request)))
def test_command_of_every_type(claimed: Site, request_: dict[str, Any]) -> None:
    """A command of every type is made, with an id, PENDING, and read again as it was asked for."""
    path = f"{CLAIMS}/{claimed.device.id}/provisioning"

    response = claimed.ask("POST", path, json={"description": "why", "request": request_})

    assert response.status_code == 201
    command = response.json()
    assert len(command["id"]) == 36
    assert {**command, "id": "", "createdAt": ""} == {
        "id": "",
        "description": "why",
        "request": request_,
        "status": "PENDING",
        "createdAt": "",
    }
    assert claimed.command(command) == command
    assert claimed.status() == "PENDING"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"request": None},
        {"request": {}},
        {"request": []},
        {"request": {"teleportation": {"secTag": 1}}},
        {"request": {"finished": None}},
        {"request": {"finished": {"more": 1}}},
        {"request": {"finished": {}, "cloudAccessKeyGeneration": {"secTag": 1}}},
        {"request": {"finished": {}, "config": None}},
        {"request": {"serverCertificate": {"secTag": 1}}},
        {"request": {"serverCertificate": {"secTag": "1", "content": "x"}}},
        {"request": {"serverCertificate": {"secTag": True, "content": "x"}}},
        {"request": {"serverCertificate": {"secTag": 1.5, "content": "x"}}},
        {"request": {"serverCertificate": {"secTag": -1, "content": "x"}}},
        {"request": {"serverCertificate": {"secTag": 2_147_483_648, "content": "x"}}},
        {"request": {"serverCertificate": {"secTag": 1, "content": 'x",9'}}},
        {"request": {"serverCertificate": {"secTag": 1, "content": "x\0"}}},
        {"request": {"certificateSigningRequest": {"secTag": 1, "attributes": 'CN="x"'}}},
        {"request": {"certificateSigningRequest": {"secTag": 1, "keyUsage": "10101000"}}},
        {"request": {"certificateSigningRequest": {"secTag": 1, "keyUsage": "10101000x"}}},
        {"request": {"certificateSigningRequest": {"secTag": 1, "keyUsage": "101010000\n"}}},
        {"request": {"preSharedKey": {"secTag": 1, "identity": "me", "secret": "0"}}},
        {"request": {"preSharedKey": {"secTag": 1, "identity": "me", "secret": ""}}},
        {"request": {"preSharedKey": {"secTag": 1, "identity": 'm"e', "secret": "00"}}},
        {"request": {"config": {"properties": {"a": 1}}}},
        {"request": {"config": {"properties": {str(number): "" for number in range(11)}}}},
        {"description": 7, "request": {"finished": {}}},
    ],
    ids=lambda body: str(body)[:70],
)
def test_unfit_commands(claimed: Site, body: dict[str, Any]) -> None:
    """What is not exactly one request of a known form is 400, and the device has nothing to do."""
    response = claimed.ask("POST", f"{CLAIMS}/{claimed.device.id}/provisioning", json=body)

    assert response.status_code == 400
    assert response.json()["message"]
    assert claimed.status() == "READY"
    assert claimed.served() == []


def test_refusal_repeats_no_secret(claimed: Site) -> None:
    """The message about a bad body does not hold the body's values."""
    bad = {"request": {"preSharedKey": {"secTag": 1, "identity": "me", "secret": "topsecret"}}}

    response = claimed.ask("POST", f"{CLAIMS}/{claimed.device.id}/provisioning", json=bad)

    assert response.status_code == 400
    assert "topsecret" not in response.text


def test_twenty_open_commands(claimed: Site) -> None:
    """Twenty open commands are the most; a final one makes room for another."""
    path = f"{CLAIMS}/{claimed.device.id}/provisioning"
    for _number in range(20):
        claimed.add({"config": {"properties": {}}})

    refusal = claimed.ask("POST", path, json={"request": {"finished": {}}})
    assert refusal.status_code == 400
    assert "20" in refusal.json()["message"]

    ((identifier, _type, _pairs),) = claimed.served(limit="1")
    assert claimed.report([identifier, 101]) == 200
    assert claimed.ask("POST", path, json={"request": {"finished": {}}}).status_code == 201
    assert claimed.ask("POST", path, json={"request": {"finished": {}}}).status_code == 400


def test_unknown_command(claimed: Site) -> None:
    """A command that never was is 404."""
    path = f"{CLAIMS}/{claimed.device.id}/provisioning/{NOBODY}"

    assert claimed.ask("GET", path).status_code == 404
