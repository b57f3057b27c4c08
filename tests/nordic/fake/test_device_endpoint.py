"""What devices get, and what their reports do (nrfcloud fact sheet, sections 2.5 and 3.1 to 3.8)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.nordic.fake.conftest import Site

OK = "OK\r\n"
CA = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----"


def ca(tag: int = 5, content: str = CA) -> dict[str, Any]:
    """Ask for a server certificate."""
    return {"serverCertificate": {"secTag": tag, "content": content}}


def test_nothing_to_do(claimed: Site) -> None:
    """A device without commands gets 204 without a body."""
    response = claimed.fetch()

    assert (response.status_code, response.content) == (204, b"")
    assert claimed.status() == "READY"


def test_form_of_an_answer(claimed: Site) -> None:
    """A batch comes as CBOR of stated length, in one piece, under ids of the agreed form."""
    claimed.add(ca())
    command = claimed.add({"finished": {}})

    response = claimed.fetch()

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/cbor"
    assert int(response.headers["content-length"]) == len(response.content)
    assert "transfer-encoding" not in response.headers
    assert cbor2.loads(response.content)[1] == [f"{command['id']}.2", 2]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (
            {"clientPrivateKeyGeneration": {"secTag": 16842753}},
            [(".s", 0, "%CMNG", "3,16842753,2", [513]), ("", 0, "%KEYGEN", "16842753,2,1", [])],
        ),
        (
            {"cloudAccessKeyGeneration": {"secTag": 5}},
            [(".s", 0, "%CMNG", "3,5,2", [513]), ("", 0, "%KEYGEN", "5,2,0", [])],
        ),
        (
            {"certificateSigningRequest": {"secTag": 5, "attributes": "CN=x", "keyUsage": "101010000"}},
            [(".s", 0, "%CMNG", "3,5,2", [513]), ("", 0, "%KEYGEN", '5,2,0,"CN=x","101010000"', [])],
        ),
        ({"serverCertificate": {"secTag": 5, "content": CA}}, [("", 0, "%CMNG", f'0,5,0,"{CA}"', [])]),
        ({"clientCertificate": {"secTag": 5, "content": "PEM"}}, [("", 0, "%CMNG", '0,5,1,"PEM"', [])]),
        ({"clientPrivateKey": {"secTag": 5, "content": "PEM"}}, [("", 0, "%CMNG", '0,5,2,"PEM"', [])]),
        (
            {"clientPrivateKey": {"secTag": 5, "content": "PEM", "password": "word"}},
            [("", 0, "%CMNG", '0,5,2,"PEM","word"', [])],
        ),
        (
            {"preSharedKey": {"secTag": 5, "identity": "me", "secret": "00ff"}},
            [(".s", 0, "%CMNG", '0,5,4,"me"', []), ("", 0, "%CMNG", '0,5,3,"00ff"', [])],
        ),
        ({"config": {"properties": {"b": "1", "a": "2"}}}, [("", 1, {"b": "1", "a": "2"})]),
        ({"finished": {}}, [("", 2)]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_each_type_makes_the_device_do(
    claimed: Site, request_: dict[str, Any], expected: list[tuple[Any, ...]]
) -> None:
    """Every type of request becomes the commands of the fact sheet, section 3.8."""
    command = claimed.add(request_)

    assert claimed.served() == [[f"{command['id']}.1{step[0]}", *step[1:]] for step in expected]


def test_ids_are_short_enough(claimed: Site) -> None:
    """No id is longer than the 45 characters that the device's buffer holds, and none occurs twice."""
    for _number in range(20):
        claimed.add({"cloudAccessKeyGeneration": {"secTag": 5}})

    ids = [element[0] for element in claimed.served(limit="100")]

    assert len(set(ids)) == len(ids) == 40
    assert all(re.fullmatch(r"[0-9a-f-]{36}\.[0-9a-f]{1,6}(\.s)?", identifier) for identifier in ids)
    assert max(map(len, ids)) <= 45


def test_life_of_a_command(claimed: Site) -> None:
    """PENDING, IN_PROGRESS when handed out, SUCCEEDED when done; the device PENDING, then PROVISIONED."""
    first, last = claimed.add(ca()), claimed.add({"finished": {}})

    ids = [element[0] for element in claimed.served()]
    assert claimed.command(first)["status"] == "IN_PROGRESS"
    assert claimed.status() == "PENDING"

    assert claimed.report([ids[0], 100, OK]) == 200
    done = claimed.command(first)
    assert (done["status"], done["response"]) == ("SUCCEEDED", {"serverCertificate": {"message": "OK"}})
    assert claimed.status() == "PENDING"

    assert claimed.report([ids[1], 102]) == 200
    done = claimed.command(last)
    assert (done["status"], done["response"]) == ("SUCCEEDED", {"finished": {}})
    assert claimed.status() == "PROVISIONED"

    claimed.add(ca())
    assert claimed.status() == "PENDING"


def test_provisioned_without_finished(claimed: Site) -> None:
    """A queue that ran to its end leaves a provisioned device, also without ``finished``."""
    claimed.add({"config": {"properties": {"a": "b"}}})
    ((identifier, *_),) = claimed.served()

    assert claimed.report([identifier, 101]) == 200
    assert claimed.status() == "PROVISIONED"


def test_reports_in_indefinite_lengths(claimed: Site) -> None:
    """What a non-canonical device build sends counts as well."""
    command = claimed.add({"finished": {}})
    ((identifier, _type),) = claimed.served()

    body = b"\x9f\x9f" + cbor2.dumps(identifier) + b"\x18\x66\xff\xff"

    assert claimed.report(body=body) == 200
    assert claimed.command(command)["status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("type_", "field", "csr"),
    [
        ("certificateSigningRequest", "csr", True),
        ("cloudAccessKeyGeneration", "csr", True),
        ("clientPrivateKeyGeneration", "publicKey", False),
    ],
)
def test_generated_keys(claimed: Site, type_: str, field: str, *, csr: bool) -> None:
    """KEYGEN output that the device signed arrives bare in the response."""
    command = claimed.add({type_: {"secTag": 7}})
    (delete, generate) = claimed.served()
    output = claimed.device.keygen(7, csr=csr)

    assert (
        claimed.report(
            [delete[0], 100, "+CME ERROR: 513\r\n"], [generate[0], 100, f'%KEYGEN: "{output}"\r\nOK\r\n']
        )
        == 200
    )

    done = claimed.command(command)
    assert (done["status"], done["response"]) == ("SUCCEEDED", {type_: {field: output}})


def test_generated_keys_that_prove_nothing(claimed: Site, make_device: Callable[[int], Any]) -> None:
    """KEYGEN output of another device, key, tag or kind, or none at all, fails the command."""
    stranger = make_device(99)
    for output in (
        claimed.device.keygen(7, csr=True, key=stranger.key),
        stranger.keygen(7, csr=True),
        claimed.device.keygen(8, csr=True),
        claimed.device.keygen(7, csr=False),
        "nonsense",
        "",
    ):
        claimed.ask("DELETE", f"/v1/claimed-devices/{claimed.device.id}")
        assert claimed.claim().status_code == 201
        command = claimed.add({"certificateSigningRequest": {"secTag": 7}})
        generate = claimed.served()[1]

        assert claimed.report([generate[0], 100, f'%KEYGEN: "{output}"\r\nOK\r\n']) == 200

        failed = claimed.command(command)
        assert failed["status"] == "FAILED", output
        assert failed["response"]["certificateSigningRequest"]["error"]["cmeError"] == 0
        assert claimed.status() == "ERROR"


def test_error_stops_the_queue(claimed: Site) -> None:
    """A refusal fails its command alone; what is behind it waits and is withheld."""
    commands = [claimed.add(ca()) for _number in range(3)]
    ids = [element[0] for element in claimed.served()]

    assert claimed.report([ids[0], 100, OK], [ids[1], 99, 527, "+CME ERROR: 527\r\n"]) == 200

    states = [claimed.command(command) for command in commands]
    assert [state["status"] for state in states] == ["SUCCEEDED", "FAILED", "PENDING"]
    assert states[1]["response"] == {
        "serverCertificate": {"error": {"cmeError": 527, "message": "+CME ERROR: 527"}}
    }
    assert claimed.status() == "ERROR"
    assert claimed.served() == []
    claimed.add(ca())
    assert claimed.status() == "ERROR"
    assert claimed.served() == []


@pytest.mark.parametrize("message", ["ERROR\r\n", "+CME ERROR: 527\r\n", "", "OK\r\nmore"])
def test_success_that_is_none(claimed: Site, message: str) -> None:
    """A report of success whose text does not end with OK is a failure; the library reports it as done."""
    command = claimed.add(ca())
    ((identifier, *_),) = claimed.served()

    assert claimed.report([identifier, 100, message]) == 200

    assert claimed.command(command)["status"] == "FAILED"
    assert claimed.status() == "ERROR"


def test_failed_preparation(claimed: Site) -> None:
    """A step before the main one that fails takes the command with it."""
    command = claimed.add({"cloudAccessKeyGeneration": {"secTag": 5}})
    delete = claimed.served()[0]

    assert claimed.report([delete[0], 99, 518, "+CME ERROR: 518\r\n"]) == 200

    assert claimed.command(command)["status"] == "FAILED"
    assert claimed.status() == "ERROR"


def test_repeated_reports(claimed: Site) -> None:
    """A report sent twice, or the contrary afterwards, changes nothing that is final."""
    command = claimed.add(ca())
    ((identifier, *_),) = claimed.served()
    assert claimed.report([identifier, 100, OK]) == 200
    before = claimed.command(command)

    assert claimed.report([identifier, 100, OK]) == 200
    assert claimed.report([identifier, 99, 527, "+CME ERROR: 527\r\n"]) == 200

    assert claimed.command(command) == before
    assert claimed.status() == "PROVISIONED"


def test_reports_that_do_not_fit(claimed: Site) -> None:
    """Reports of unknown commands, of another kind or of what was not handed out are 400, all or nothing."""
    command = claimed.add(ca())
    pending = f"{command['id']}.1"
    assert claimed.report([pending, 100, OK]) == 400
    ((identifier, *_),) = claimed.served()

    for elements in (
        [[f"{command['id']}.2", 100, OK]],
        [[command["id"], 100, OK]],
        [[identifier + ".s", 100, OK]],
        [[identifier, 101]],
        [[identifier, 102]],
        [[identifier, 100, OK], ["unknown", 100, OK]],
    ):
        assert claimed.report(*elements) == 400, elements

    assert claimed.command(command)["status"] == "IN_PROGRESS"
    assert claimed.status() == "PENDING"


def test_report_of_another_device(claimed: Site) -> None:
    """A device cannot report on another device's command."""
    other = claimed.enrolled(2)
    assert claimed.claim(other).status_code == 201
    command = claimed.add(ca())
    ((identifier, *_),) = claimed.served()

    assert claimed.report([identifier, 100, OK], device=other) == 400
    assert claimed.report([identifier, 99, 518, "x"], device=other) == 400

    assert claimed.command(command)["status"] == "IN_PROGRESS"
    assert claimed.served(other) == []


def test_media_type_of_a_report(claimed: Site) -> None:
    """A report that does not say that it is CBOR is 415."""
    for headers in ({}, {"Content-Type": "application/json"}):
        response = claimed.world.ask(
            "POST",
            "/v1/provisioning/response",
            key=claimed.device.jwt(),
            content=cbor2.dumps([["id", 102]]),
            headers=headers,
        )
        assert response.status_code == 415
    huge = claimed.report(body=b"\x9f" + b"\x00" * (1024 * 1024))
    assert huge == 413


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    body=st.binary(max_size=80)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=5) | st.binary(max_size=5) | st.floats(allow_nan=False),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
        max_leaves=10,
    ).map(cbor2.dumps),
    jwt=st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=40),
)
def test_any_report_is_refused_without_a_trace(claimed: Site, body: bytes, jwt: str) -> None:
    """Reports and proofs of any kind are refused, never by a failure, and change nothing."""
    command = claimed.add(ca()) if claimed.status() == "READY" else None
    before = claimed.ask("GET", "/v1/claimed-devices").content

    assert claimed.report(body=body) == 400
    assert claimed.fetch(jwt=jwt or "x").status_code == 401

    assert claimed.ask("GET", "/v1/claimed-devices").content == before
    if command:
        assert claimed.command(command)["status"] == "PENDING"
