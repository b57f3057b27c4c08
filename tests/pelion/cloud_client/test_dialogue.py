"""What the device answers to a bootstrap server, step by step, without a network; and nonsense."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness_pelion.virtual import bootstrap, coap
from harness_pelion.virtual.bootstrap import Bootstrap
from harness_pelion.virtual.client_log import ClientFailure, ErrorName
from harness_pelion.virtual.coap import MalformedMessage, Message, Type
from tests.pelion.cloud_client.pki import DEVICE, make
from tests.pelion.cloud_client.scripted_server import instance, resource, security

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.pelion.cloud_client.pki import Pki

URI = "coaps://127.0.0.1:5684?aid=0"


class Dialogue:
    """A bootstrap, and what it stored."""

    def __init__(self, failing: ClientFailure | None = None) -> None:
        self.stored: list[Mapping[str, bytes]] = []
        self.failing = failing
        self.bootstrap = Bootstrap("endpoint", self._store)

    def _store(self, items: Mapping[str, bytes]) -> None:
        if self.failing is not None:
            raise self.failing
        self.stored.append(items)

    def step(self, method: int, path: str, payload: bytes = b"", form: int | None = None) -> str:
        """Take a step, and return the code of the answer."""
        options = coap.paths(11, path)
        if form is not None:
            options += ((12, coap.uint(form)),)
        message = Message(type=Type.CON, code=method, id=9, token=b"t", options=options, payload=payload)
        answer = self.bootstrap.answer(message)
        assert (answer.type, answer.id, answer.token) == (Type.ACK, 9, b"t")
        return coap.shown(answer.code)

    def put(self, content: bytes, path: str = "/0", form: int | None = 11542) -> str:
        """Write."""
        return self.step(coap.PUT, path, content, form)

    def finish(self) -> str:
        """Say that all is said."""
        return self.step(coap.POST, "/bs")


def test_query() -> None:
    """The parts of section 6.2; the text is cut at each ``&``, also within a name."""
    assert bootstrap.query("e", "a", None) == ("ep=e", "aid=a", "mccv=3.0.0")
    assert bootstrap.query("e", None, "i") == ("ep=e", "mccv=3.0.0", "iep=i")
    assert bootstrap.query("e&f", "a", None) == ("ep=e", "f", "aid=a", "mccv=3.0.0")


@pytest.mark.parametrize("form", [11542, 99])
@pytest.mark.parametrize("shape", ["instance", "resources", "path with instance", "both"])
def test_security_is_understood_in_every_shape(pki: Pki, form: int, shape: str) -> None:
    """An instance in ``/0``, plain resources in ``/0`` or in ``/0/1``, an instance in its own path."""
    dialogue, content = Dialogue(), security(pki, URI)
    path, payload = {
        "instance": ("/0", instance(1, content)),
        "resources": ("/0", content),
        "path with instance": ("/0/1", content),
        "both": ("/0/1", instance(1, content)),
    }[shape]

    assert dialogue.put(payload, path, form) == "2.04"
    assert dialogue.finish() == "2.04"
    assert dialogue.bootstrap.finished
    assert dialogue.stored == [
        {
            "mbed.LwM2MServerURI": URI.encode(),
            "mbed.LwM2MDeviceCert": pki.device.der,
            "mbed.LwM2MDevicePrivateKey": pki.device.key_der,
            "mbed.LwM2MServerCACert": pki.lwm2m_authority.der,
            "mbed.InternalEndpoint": DEVICE.encode(),
            "mbed.BootstrappedEndpoint": b"endpoint",
        }
    ]


def test_a_bootstrap_servers_own_instance_is_passed_over(pki: Pki) -> None:
    """Of two instances, the one whose bootstrap flag is not set is the LwM2M server."""
    own = resource(0, b"coaps://bootstrap") + resource(1, b"\1") + resource(2, b"\3")
    dialogue = Dialogue()

    assert dialogue.put(instance(0, own) + instance(1, security(pki, URI))) == "2.04"
    assert dialogue.finish() == "2.04"
    assert dialogue.stored[0]["mbed.LwM2MServerURI"] == URI.encode()


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        (coap.DELETE, "/0", "2.02"),
        (coap.DELETE, "/0/0", "2.02"),
        (coap.DELETE, "/", "2.02"),
        (coap.DELETE, "/1", "2.02"),
        (coap.DELETE, "/1/7", "2.02"),
        (coap.DELETE, "/3", "4.00 Bad Request"),
        (coap.DELETE, "/0/0/3", "4.00 Bad Request"),
        (coap.DELETE, "/x", "4.00 Bad Request"),
        (coap.DELETE, "/٣", "4.00 Bad Request"),
        (coap.GET, "/0", "4.00 Bad Request"),
        (coap.POST, "/0", "4.00 Bad Request"),
        (coap.PUT, "/bs", "4.00 Bad Request"),
        (7, "/0", "4.00 Bad Request"),
    ],
)
def test_other_steps(method: int, path: str, code: str) -> None:
    """Deleting what a bootstrap may delete is 2.02; what cannot be understood is 4.00."""
    assert Dialogue().step(method, path) == code


def test_what_is_deleted_is_not_stored(pki: Pki) -> None:
    """DELETE takes back what was written before it."""
    dialogue = Dialogue()
    for path in ("/0", "/0/0", "/"):
        assert dialogue.put(instance(0, security(pki, URI))) == "2.04"
        assert dialogue.step(coap.DELETE, path) == "2.02"

    assert dialogue.finish() == "4.00 Bad Request"
    assert dialogue.stored == []


@pytest.mark.parametrize(
    ("content", "form", "path"),
    [
        (b"\xc8\0", 11542, "/0"),
        (b"{}", 50, "/0"),
        (b"", None, "/0"),
        (b"", 11542, "/9"),
        (b"", 11542, "/0/0/3"),
        (instance(1, b""), 11542, "/0/2"),
        (instance(0, instance(1, b"")), 11542, "/0"),
        (instance(0, b"") + resource(0, b"x"), 11542, "/0"),
        (resource(0, b"\xff"), 11542, "/0"),
        (resource(1, b"\2"), 11542, "/0"),
        (resource(2, b""), 11542, "/0"),
        (resource(2, b"\3"), 11542, "/0"),
        (resource(2, b"\4"), 11542, "/0"),
        (resource(10, b"\0\0\0"), 11542, "/0"),
        (b"\x83\x03\x41\0\0", 11542, "/0"),
        (b"\xc8\0", 11542, "/1"),
        (b"\xc8\0", 11542, "/3"),
    ],
)
def test_what_cannot_be_understood_is_refused(content: bytes, form: int | None, path: str) -> None:
    """4.00, and nothing of it is kept: damaged TLV, other formats, paths, modes and types."""
    dialogue = Dialogue()

    assert dialogue.put(content, path, form) == "4.00 Bad Request"
    assert not dialogue.bootstrap.ended
    assert dialogue.finish() == "4.00 Bad Request"
    assert dialogue.stored == []


@pytest.mark.parametrize(
    ("changed", "details"),
    [
        ({"3": None}, "the bootstrap server gave no certificate"),
        ({"3": b""}, "the bootstrap server gave no certificate"),
        ({"4": None}, "the bootstrap server gave no server certificate"),
        ({"4": b""}, "the bootstrap server gave no server certificate"),
        ({"5": None}, "the bootstrap server gave no key"),
        ({"5": b""}, "the bootstrap server gave no key"),
        ({"0": None}, "the bootstrap server gave no server URI"),
        ({"2": None}, "the bootstrap server named no security mode"),
        ({"1": b"\1"}, "the bootstrap server named 0 LwM2M servers; expected 1"),
        (
            {"0": b"coap://host"},
            "from the bootstrap server: the server's URI cannot be used: its scheme is not coaps",
        ),
        ({"3": b"no DER"}, "from the bootstrap server: a certificate cannot be read"),
        ({"4": b"no DER"}, "from the bootstrap server: a certificate cannot be read"),
        ({"5": b"no DER"}, "from the bootstrap server: the private key cannot be read"),
    ],
)  # fmt: skip
def test_a_bootstrap_that_gives_not_all_fails(
    pki: Pki, changed: dict[str, bytes | None], details: str
) -> None:
    """Certificate, server certificate and key must all be there, not empty, and readable (6.2)."""
    dialogue = Dialogue()

    assert dialogue.put(instance(0, security(pki, URI, **changed))) == "2.04"
    assert dialogue.finish() == "4.00 Bad Request"
    assert dialogue.stored == []
    failure = dialogue.bootstrap.failure
    assert failure is not None
    assert (failure.name, failure.details) == (ErrorName.ConnectorInvalidCredentials, details)
    assert not failure.hopeless


def test_a_key_of_another_certificate_fails(pki: Pki) -> None:
    """The key must be that of the certificate."""
    dialogue = Dialogue()
    dialogue.put(instance(0, security(pki, URI, **{"5": pki.developer.key_der})))

    assert dialogue.finish() == "4.00 Bad Request"
    failure = dialogue.bootstrap.failure
    assert failure is not None
    assert failure.details == "from the bootstrap server: the private key does not fit the certificate"


def test_a_certificate_without_a_name_fails(pki: Pki) -> None:
    """The device id is its common name; there must be one."""
    nameless = make(None, pki.lwm2m_authority)
    dialogue = Dialogue()
    dialogue.put(instance(0, security(pki, URI, **{"3": nameless.der, "5": nameless.key_der})))

    assert dialogue.finish() == "4.00 Bad Request"
    failure = dialogue.bootstrap.failure
    assert failure is not None
    assert failure.details == "the certificate from the bootstrap server has no common name"


def test_a_store_that_refuses_is_no_fault_of_the_servers(pki: Pki) -> None:
    """5.00, and the failure is that of the store."""
    refusal = ClientFailure(ErrorName.ConnectorFailedToStoreCredentials, "full")
    dialogue = Dialogue(refusal)
    dialogue.put(instance(0, security(pki, URI)))

    assert dialogue.finish() == "5.00 Internal Server Error"
    assert dialogue.bootstrap.failure is refusal
    assert not dialogue.bootstrap.finished


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(data=st.data())
def test_no_dialogue_crashes(pki: Pki, data: st.DataObject) -> None:
    """Any messages in any order get an answer, and what is stored is whole."""
    whole = instance(0, security(pki, URI))
    payload = (
        st.binary(max_size=40)
        | st.just(whole)
        | st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)).map(
            lambda change: whole[: change[0]] + bytes((change[1],)) + whole[change[0] + 1 :]
        )
        | st.integers(0, len(whole)).map(lambda length: whole[:length])
    )
    path = st.sampled_from(["/0", "/0/0", "/1", "/3", "/bs", "/", "/0/0/5", "/99999999"])
    step = st.tuples(st.sampled_from([1, 2, 3, 4, 5]), path, payload, st.sampled_from([None, 0, 99, 11542]))
    dialogue = Dialogue()

    for each in data.draw(st.lists(step, max_size=6)):
        assert dialogue.step(*each).partition(" ")[0] in {"2.02", "2.04", "4.00"}

    for stored in dialogue.stored:
        assert len(stored) == 6
        assert all(stored.values())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(data=st.binary(max_size=200))
def test_no_bytes_crash(data: bytes) -> None:
    """Any bytes that are a message get an answer that can be written."""
    try:
        message = coap.decode(data)
    except MalformedMessage:
        return
    if message.is_request:
        assert coap.decode(coap.encode(Dialogue().bootstrap.answer(message))).id == message.id
