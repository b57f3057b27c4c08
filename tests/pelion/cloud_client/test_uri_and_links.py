"""Server URIs, the link format, and the device's objects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness_pelion.virtual import coap, device_objects
from harness_pelion.virtual.client_log import ClientFailure, ErrorName
from harness_pelion.virtual.coap import Message, Type
from harness_pelion.virtual.link_format import links
from harness_pelion.virtual.server_uri import ServerUri, read_uri

ITEMS = {
    "mbed.Manufacturer": b"dev_manufacturer",
    "mbed.ModelNumber": b"m",
    "mbed.DeviceType": b"t",
    "mbed.VendorId": bytes(range(16)),
}


@pytest.mark.parametrize(
    ("uri", "read"),
    [
        (
            b"coaps://bootstrap.us-east-1.mbedcloud.com:5684?aid=0123",
            ServerUri("bootstrap.us-east-1.mbedcloud.com", 5684, "0123"),
        ),
        (b"coaps://127.0.0.1:40001?aid=0123", ServerUri("127.0.0.1", 40001, "0123")),
        (b"coaps://host", ServerUri("host", 5684, None)),
        (b"COAPS://[::1]:7/?x=1&aid=a", ServerUri("::1", 7, "a")),
        (b"coaps://host:1?laid=9", ServerUri("host", 1, None)),
        (b"coaps://host:1?aid=9\0", ServerUri("host", 1, "9")),
    ],
)
def test_uris(uri: bytes, read: ServerUri) -> None:
    """Host, port and account."""
    assert read_uri(uri) == read


@pytest.mark.parametrize(
    "uri", [b"", b"coap://host:5683", b"http://host", b"coaps://", b"coaps://host:x", b"coaps://host:99999",
            b"coaps://host:0", b"coaps://[::1", b"\xff\xfe"]
)  # fmt: skip
def test_unfit_uris(uri: bytes) -> None:
    """What cannot be connected to is named; waiting does not help."""
    with pytest.raises(ClientFailure) as caught:
        read_uri(uri)

    assert caught.value.name is ErrorName.ConnectInvalidParameters
    assert caught.value.hopeless


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: f"coaps://{text}".encode()))
def test_no_uri_crashes(uri: bytes) -> None:
    """Any bytes are a URI or are refused."""
    try:
        read = read_uri(uri)
    except ClientFailure:
        return
    assert read.host
    assert 0 < read.port < 65536


def test_addresses_are_shown_as_one_writes_them() -> None:
    """An IPv6 address in brackets."""
    assert str(ServerUri("::1", 7, None)) == "[::1]:7"
    assert str(ServerUri("host", 7, None)) == "host:7"


def test_links() -> None:
    """RFC 6690: a comma between, each target in angle brackets."""
    assert links(["/3/0", "/10255/0"]) == b"</3/0>,</10255/0>"
    assert links([]) == b""


def ask(method: int, path: str, *, accept: int | None = None) -> Message:
    """Ask the device's objects."""
    options = coap.paths(11, path)
    if accept is not None:
        options += ((17, coap.uint(accept)),)
    return device_objects.answer(
        Message(type=Type.CON, code=method, id=1, token=b"t", options=options), ITEMS
    )


def test_the_device_object() -> None:
    """``/3/0`` as TLV: what the store has of it; single resources as text."""
    whole = ask(coap.GET, "/3/0")

    assert (coap.shown(whole.code), whole.content_format) == ("2.05", 11542)
    assert whole.payload.hex() == "c80010" + b"dev_manufacturer".hex() + "c1016d" + "c11174"
    single = ask(coap.GET, "/3/0/0")
    assert (coap.shown(single.code), single.content_format, single.payload) == (
        "2.05",
        0,
        b"dev_manufacturer",
    )


def test_the_ids_for_updates() -> None:
    """What is not stored is not there."""
    vendor = ask(coap.GET, "/10255/0/3")
    assert (coap.shown(vendor.code), vendor.content_format, vendor.payload) == ("2.05", 42, bytes(range(16)))
    assert coap.shown(ask(coap.GET, "/10255/0/4").code) == "4.04 Not Found"


@pytest.mark.parametrize(
    ("method", "path", "accept", "code"),
    [
        (coap.GET, "/", None, "4.04 Not Found"),
        (coap.GET, "/5/0/1", None, "4.04 Not Found"),
        (coap.PUT, "/10255/0/3", None, "4.05 Method Not Allowed"),
        (coap.DELETE, "/3/0", None, "4.05 Method Not Allowed"),
        (coap.GET, "/10255/0/3", 0, "4.06 Not Acceptable"),
        (coap.GET, "/10255/0/3", 42, "2.05"),
    ],
)
def test_other_questions(method: int, path: str, accept: int | None, code: str) -> None:
    """Unknown paths, methods that change something, other formats."""
    assert coap.shown(ask(method, path, accept=accept).code) == code
