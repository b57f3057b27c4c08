"""The acceptance list for the fake, line by line (nrfcloud fact sheet, section 11).

The device is the one of section 4.5, whose private key nothing of ours has; bytes are those of section 3.5.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import cbor2
import pytest

from tests.nordic.acceptance import vectors
from tests.nordic.acceptance.conftest import DEVICES

if TYPE_CHECKING:
    from tests.nordic.acceptance.conftest import Published

DEVICE = f"{DEVICES}/{vectors.DEVICE}"
RULES = "/v1/provisioning-rules"
CA = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"

DONE: dict[int, list[Any]] = {0: [100, "OK\r\n"], 1: [101], 2: [102]}
"""What a device reports of a command of each type that went well."""


def test_201_on_claim(published: Published) -> None:
    """The published token is answered with the device that the factory knows."""
    answer = published.claim(tags=["location=Trondheim"])

    assert answer.status_code == 201
    assert (
        answer.json().items()
        >= {
            "id": "50363154-3931-4aaa-8bbb-000102030405",
            "deviceType": "nrf9151_LACA",
            "firmwareId": "25c95751-efa4-40d4-8b4a-1dcaab81fac9",
            "imei": "359404230261381",
            "ownershipStatus": "IDENTIFIED",
            "tags": ["location=Trondheim"],
            "status": "READY",
            "claimedAt": "2023-11-14T22:13:20.000Z",
        }.items()
    )


def test_202_on_dry_run(published: Published) -> None:
    """A dry run says yes and claims nothing."""
    answer = published.manage("POST", f"{DEVICES}?dryrun=true", json={"claimToken": vectors.TOKEN})

    assert answer.status_code == 202
    assert published.manage("GET", DEVICE).status_code == 404


def test_204_on_unclaim(claimed: Published) -> None:
    """Letting go is answered with nothing, and the board is turned away as one that nobody has."""
    answer = claimed.manage("DELETE", DEVICE)

    assert (answer.status_code, answer.content) == (204, b"")
    assert claimed.fetch().status_code == 401
    assert claimed.claim().status_code == 201


def test_201_and_an_id_on_command_creation(claimed: Published) -> None:
    """A command is answered with the id by which it is asked for."""
    answer = claimed.manage("POST", f"{DEVICE}/provisioning", json={"request": {"finished": {}}})

    assert answer.status_code == 201
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.json()["id"])
    assert claimed.read(answer.json()["id"])["status"] == "PENDING"


@pytest.mark.parametrize("headers", [{}, {"contentType": "text/csv"}, {"Content-Type": "text/csv"}], ids=str)
def test_body_sniffing_for_csv(published: Published, headers: dict[str, str]) -> None:
    """What does not begin with a brace is CSV, whatever it is called; the clients call it nothing."""
    body = f'"{vectors.TOKEN}","nrf-cloud-onboarding,white"\n'.encode()

    answer = published.manage("POST", DEVICES, content=body, headers=headers)

    assert answer.status_code == 200
    assert len(answer.json()["claimedIds"]) == 1
    assert answer.json()["failed"] == []
    assert published.manage("GET", DEVICE).json()["tags"] == ["nrf-cloud-onboarding", "white"]


@pytest.mark.parametrize("lead", [b"", b" ", b"\r\n\t "], ids=["none", "blank", "lines"])
def test_body_sniffing_for_json(published: Published, lead: bytes) -> None:
    """What begins with a brace, behind any blanks, is JSON."""
    body = lead + b'{"claimToken": "' + vectors.TOKEN.encode() + b'"}'

    assert published.manage("POST", DEVICES, content=body).status_code == 201


def test_items_and_tags_in_rules(published: Published) -> None:
    """The list of rules has ``items``, and each of them ``tags``; without rules, too."""
    assert published.manage("GET", RULES).json()["items"] == []
    rule = {
        "name": "nRF Cloud Onboarding",
        "description": "",
        "active": True,
        "commands": [{"request": {"clientPrivateKeyGeneration": {"secTag": vectors.SEC_TAG}}}],
        "tags": ["nrf-cloud-onboarding"],
    }
    assert published.manage("POST", RULES, json=rule).status_code == 201

    answer = published.manage("GET", RULES)

    assert answer.status_code == 200
    assert [item["tags"] for item in answer.json()["items"]] == [["nrf-cloud-onboarding"]]


@pytest.mark.parametrize("one", [f"{DEVICES}/tags", "/v1/provisioning/tags"])
@pytest.mark.parametrize("other", [f"{DEVICES}/tags", "/v1/provisioning/tags"])
def test_both_tag_path_families(published: Published, one: str, other: str) -> None:
    """What is defined by one path is there by the other."""
    made = published.manage("POST", one, json={"tag": "white", "description": "The white ones."})
    assert made.status_code in {200, 201}

    answer = published.manage("GET", other)

    assert answer.status_code == 200
    (tag,) = answer.json()["items"]
    assert (tag["tag"], tag["description"]) == ("white", "The white ones.")


@pytest.mark.parametrize("path", [DEVICES, "/v1/identities/claimed-devices"])
def test_both_claim_paths(published: Published, path: str) -> None:
    """The two documented paths do the same."""
    assert published.manage("POST", path, json={"claimToken": vectors.TOKEN}).status_code == 201
    assert published.manage("GET", DEVICE).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("GET", "/no/such/path", {}),
        ("PATCH", DEVICES, {}),
        ("POST", DEVICES, {"content": b"{"}),
        ("POST", DEVICES, {"content": b"{}"}),
        ("POST", DEVICES, {"json": {"claimToken": "x"}}),
        ("POST", f"{DEVICES}?dryrun=true", {"json": {"claimToken": "x"}}),
        ("POST", DEVICES, {"content": b""}),
        ("GET", f"{DEVICES}/x", {}),
        ("GET", DEVICES, {"key": "wrong"}),
        ("GET", DEVICES, {"key": None}),
        ("POST", RULES, {"content": b"[]"}),
        ("POST", f"{DEVICES}/tags", {"json": {"tag": "x" * 101}}),
    ],
    ids=str,
)
def test_json_bodies_whenever_non_empty(
    published: Published, method: str, path: str, content: dict[str, Any]
) -> None:
    """Every refusal is an object with a message, which is all that the clients read."""
    answer = published.manage(method, path, **content)

    assert answer.status_code >= 400
    assert answer.headers["content-type"] == "application/json"
    message = answer.json()["message"]
    assert isinstance(message, str)
    assert message


def test_device_get_204_and_200(claimed: Published) -> None:
    """Nothing to do is 204 without a byte; commands are 200, said to be CBOR, with their length."""
    nothing = claimed.fetch()
    claimed.command({"finished": {}})
    something = claimed.fetch()

    assert (nothing.status_code, nothing.content) == (204, b"")
    assert something.status_code == 200
    assert something.headers["content-type"] == "application/cbor"
    assert int(something.headers["content-length"]) == len(something.content)
    assert "transfer-encoding" not in something.headers


def test_device_post_exactly_200(claimed: Published) -> None:
    """A report is answered with 200 and nothing else, also when it tells of an error."""
    first = claimed.command({"config": {"properties": {"a/b": "1", "c": "x"}}})
    failing = claimed.command({"serverCertificate": {"secTag": 5, "content": CA}})
    assert claimed.fetch().status_code == 200

    assert claimed.report(vectors.with_id(vectors.CONFIG_DONE, first, "1", of="3")) == 200
    assert claimed.report(vectors.with_id(vectors.ERROR_518, failing, "2", of="2")) == 200

    assert [claimed.read(command)["status"] for command in (first, failing)] == ["SUCCEEDED", "FAILED"]


def test_canonical_cbor_out(claimed: Published) -> None:
    """What is served are the bytes of Nordic's own codec, but for the id."""
    requests: list[dict[str, Any]] = [
        {"finished": {}},
        {"serverCertificate": {"secTag": 5, "content": CA.rstrip()}},
        {"config": {"properties": {"a/b": "1", "c": "x"}}},
    ]
    examples = [(vectors.FINISHED, "1"), (vectors.WRITE_CA, "2"), (vectors.CONFIG, "3")]
    for number, (request, (example, suffix)) in enumerate(zip(requests, examples, strict=True), 1):
        command = claimed.command(request)
        body = claimed.fetch().content
        assert body == vectors.with_id(example, command, str(number), of=suffix)
        (element,) = cbor2.loads(body)
        assert claimed.report(cbor2.dumps([[element[0], *DONE[element[1]]]])) == 200


def test_delete_and_generate_come_in_one_batch(claimed: Published) -> None:
    """The pair for a CSR has the shape of example B: the delete first, 513 ignored, its id with ``.s``."""
    request = {"certificateSigningRequest": {"secTag": 5, "attributes": "CN=x", "keyUsage": "101010000"}}
    command = claimed.command(request)
    body = claimed.fetch(limit="2").content

    delete, generate = cbor2.loads(body)
    assert delete == [f"{command}.1.s", 0, "%CMNG", "3,5,2", [513]]
    assert generate == [f"{command}.1", 0, "%KEYGEN", '5,2,0,"CN=x","101010000"', []]
    assert body == cbor2.dumps(cbor2.loads(body), canonical=True)
    known = cbor2.loads(bytes.fromhex(vectors.DELETE_AND_CSR))
    assert [[element[0].removeprefix(vectors.ID), *element[1:3]] for element in known] == [
        [element[0].removeprefix(command), *element[1:3]] for element in (delete, generate)
    ]


@pytest.mark.parametrize(
    "report", [vectors.FINISHED_DONE, vectors.FINISHED_DONE_INDEFINITE], ids=["canonical", "not"]
)
def test_tolerant_cbor_in(claimed: Published, report: str) -> None:
    """Reports of both builds of Nordic's library are read."""
    command = claimed.command({"finished": {}})
    assert claimed.fetch().status_code == 200

    assert claimed.report(vectors.with_id(report, command, "1", of="1")) == 200

    assert claimed.read(command)["status"] == "SUCCEEDED"
    assert claimed.manage("GET", DEVICE).json()["status"] == "PROVISIONED"


def test_ids_of_at_most_45_characters(claimed: Published) -> None:
    """Longer ids overrun a buffer of the library: a preparatory step has the longest."""
    for number in range(1, 21):
        claimed.command({"clientPrivateKeyGeneration": {"secTag": 5}})
        if number == 20:
            break
        assert claimed.manage("POST", f"{DEVICE}/provisioning/discard").status_code == 204

    (step, main) = cbor2.loads(claimed.fetch().content)
    assert (step[0][36:], main[0][36:]) == (".14.s", ".14")
    assert len(step[0]) <= 45


@pytest.mark.parametrize("limit", range(1, 12))
def test_never_more_than_limit(claimed: Published, limit: int) -> None:
    """Steps count, not commands; a pair is not taken apart."""
    for _time in range(3):
        claimed.command({"finished": {}})
        claimed.command({"clientPrivateKeyGeneration": {"secTag": 5}})
    answer = claimed.fetch(limit=str(limit))
    elements = cbor2.loads(answer.content)

    assert 1 <= len(elements) <= limit
    assert not elements[-1][0].endswith(".s")
    assert len(elements) == {1: 1, 2: 1, 3: 3, 4: 4, 5: 4, 6: 6, 7: 7, 8: 7}.get(limit, 9)


def test_rules_evaluated_at_fetch(claimed: Published) -> None:
    """A device that is offline has nothing of its rule; the first fetch brings it, ``finished`` last."""
    rule = {
        "name": "one",
        "description": "",
        "active": True,
        "commands": [{"request": {"config": {"properties": {"a/b": "1", "c": "x"}}}}],
        "tags": ["white"],
    }
    assert claimed.manage("POST", RULES, json=rule).status_code == 201
    assert claimed.manage("PUT", DEVICE, json={"tags": ["white"]}).status_code == 200
    before = claimed.manage("GET", f"{DEVICE}/provisioning").json()["items"]

    elements = cbor2.loads(claimed.fetch().content)

    assert before == []
    assert [element[1:] for element in elements] == [[1, {"a/b": "1", "c": "x"}], [2]]
    again = cbor2.loads(claimed.fetch().content)
    assert again == elements, "the rule gave its commands twice"


def test_blocked_devices_keep_their_queue(claimed: Published) -> None:
    """While blocked a device is refused and its command waits; later it gets that very command."""
    command = claimed.command({"finished": {}})
    claimed.manage("POST", f"{DEVICE}/block")
    refused = claimed.fetch().status_code
    waiting = claimed.read(command)["status"]
    claimed.manage("POST", f"{DEVICE}/unblock")

    assert (refused, waiting) == (403, "PENDING")
    assert claimed.fetch().content == vectors.with_id(vectors.FINISHED, command, "1", of="1")


def tampered(text: str, place: int) -> str:
    """Change one character of base64url."""
    return text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]


@pytest.mark.parametrize("place", [20, 60, 110, 170], ids=["device", "nonce", "r", "s"])
def test_signature_check_of_tokens(published: Published, place: int) -> None:
    """A token with one character changed is nobody's."""
    answer = published.manage("POST", DEVICES, json={"claimToken": tampered(vectors.TOKEN, place)})

    assert answer.status_code == 422
    assert published.manage("GET", DEVICE).status_code == 404


@pytest.mark.parametrize(("place", "status"), [(None, "SUCCEEDED"), (60, "FAILED"), (-20, "FAILED")])
def test_signature_check_of_keygen_output(claimed: Published, place: int | None, status: str) -> None:
    """A generated key counts when the identity key has signed it."""
    command = claimed.command({"clientPrivateKeyGeneration": {"secTag": vectors.SEC_TAG}})
    assert claimed.fetch().status_code == 200
    output = vectors.KEYGEN if place is None else tampered(vectors.KEYGEN, place % len(vectors.KEYGEN))

    report = [[f"{command}.1.s", 100, "OK\r\n"], [f"{command}.1", 100, f'%KEYGEN: "{output}"\r\nOK\r\n']]

    assert claimed.report(cbor2.dumps(report)) == 200
    assert claimed.read(command)["status"] == status


@pytest.mark.parametrize("place", [30, 150, -30], ids=["header", "claims", "signature"])
def test_signature_check_of_jwts(claimed: Published, place: int) -> None:
    """The published JWT opens the door; with one character changed it does not."""
    assert claimed.fetch().status_code == 204

    jwt = tampered(vectors.JWT, place % len(vectors.JWT))

    assert claimed.site.fetch(jwt=jwt).status_code in {401, 403}


def test_csr_is_the_bare_keygen_string(published: Published) -> None:
    """What the client splits at the dot has neither the prefix nor the quotes of the modem's answer."""
    site = published.site
    assert site.claim().status_code == 201
    command = site.add(
        {"certificateSigningRequest": {"secTag": 5, "attributes": "CN=x", "keyUsage": "1" * 9}}
    )
    (delete, generate) = site.served()
    output = site.device.keygen(5, csr=True)
    message = f'%KEYGEN: "{output}"\r\nOK\r\n'
    assert site.report([delete[0], 100, "+CME ERROR: 513\r\n"], [generate[0], 100, message]) == 200

    response = site.command(command)["response"]

    assert response["certificateSigningRequest"]["csr"] == output
