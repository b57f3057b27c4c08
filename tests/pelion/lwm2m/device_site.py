"""The two servers on loopback, on an event loop of their own, and accounts with developer certificates."""

from __future__ import annotations

import asyncio
import datetime as dt
import secrets
import socket
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from harness.backends.streams import StreamListener
from harness_pelion.fake.bootstrap_server import BootstrapServer
from harness_pelion.fake.choices import FAKE, Choices
from harness_pelion.fake.clock import Clock
from harness_pelion.fake.directory import Directory
from harness_pelion.fake.faults import Fault, Faults
from harness_pelion.fake.issuing import Issuing
from harness_pelion.fake.limits import DEFAULT_LIMITS, Limits
from harness_pelion.fake.lwm2m_server import Lwm2mServer
from harness_pelion.fake.records import Account, DeveloperCertificate, DeviceRecord

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM."""

    certificate: str
    key: str

    @property
    def der(self) -> bytes:
        return x509.load_pem_x509_certificate(self.certificate.encode()).public_bytes(
            serialization.Encoding.DER
        )


def make_developer_pair(
    certificate_id: str,
    account_id: str,
    *,
    begin: dt.datetime = NOW - dt.timedelta(days=1),
    end: dt.datetime = NOW + dt.timedelta(days=3650),
    signer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None = None,
) -> Pair:
    """Make a certificate of the shape of the fact sheet, section 3: self-signed, CA true, clientAuth.

    :param signer: who signs it instead.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "GB"),
            x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, "Cambridgeshire"),
            x509.NameAttribute(NameOID.LOCALITY_NAME, "Cambridge"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "ARM Ltd"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, account_id),
            x509.NameAttribute(NameOID.COMMON_NAME, certificate_id),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name if signer is None else signer[0].subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(
            x509.BasicConstraints(ca=signer is None, path_length=0 if signer is None else None), True
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
        .sign(key if signer is None else signer[1], hashes.SHA256())
    )
    return Pair(
        certificate=certificate.public_bytes(serialization.Encoding.PEM).decode(),
        key=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
    )


@dataclass
class Developer:
    """A developer certificate of an account."""

    account: Account
    record: DeveloperCertificate
    pair: Pair

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def claims(self) -> list[str]:
        """What a device with it says of itself at the bootstrap server."""
        return [f"ep={self.id}", f"aid={self.account.id}", "mccv=3.0.0"]


class DeviceSite:
    """The servers, and what a test may do with them from its own thread."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS, choices: Choices = FAKE) -> None:
        self.clock = Clock()
        self.directory = Directory(self.clock, choices)
        self.faults = Faults()
        self.issuing = Issuing()
        self.lwm2m = Lwm2mServer(
            self.directory, self.issuing, self.clock, self.faults, choices=choices, limits=limits
        )
        self.bootstrap = BootstrapServer(
            self.directory,
            self.issuing,
            self.clock,
            self.faults,
            self.lwm2m,
            choices=choices,
            limits=limits,
        )
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._sockets: list[socket.socket] = []
        self._listeners: list[StreamListener] = []

    def __enter__(self) -> Self:
        self._thread.start()
        for door in (self.bootstrap, self.lwm2m):
            listening = socket.create_server(("127.0.0.1", 0))
            self._sockets.append(listening)
            door.url = f"coaps+tcp://127.0.0.1:{listening.getsockname()[1]}"
            listener = StreamListener(door, door.part, listening)
            self._await(listener.__aenter__())
            self._listeners.append(listener)
        return self

    def __exit__(self, *_error: object) -> None:
        self.call(self.lwm2m.close)
        for listener in self._listeners:
            self._await(listener.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()
        for listening in self._sockets:
            listening.close()

    def _await(self, awaitable: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(awaitable, self._loop).result(10)

    def call(self, work: Callable[[], Any]) -> Any:
        """Do something on the servers' loop, where they are between two steps."""
        done: Future[Any] = Future()

        def do() -> None:
            try:
                done.set_result(work())
            except BaseException as error:  # noqa: BLE001 - handed to whoever waits
                done.set_exception(error)

        self._loop.call_soon_threadsafe(do)
        return done.result(10)

    def use_small_buffers(self) -> None:
        """Let connections hold little of what nobody reads."""
        for listening in self._sockets:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)

    @property
    def bootstrap_port(self) -> int:
        return int(self.bootstrap.url.rpartition(":")[2])

    @property
    def lwm2m_port(self) -> int:
        return int(self.lwm2m.url.rpartition(":")[2])

    def account(self, devices: int = 100) -> Account:
        """Make an account."""
        account = Account(name=f"account {secrets.token_hex(4)}", created_at=NOW)
        account.devices_per_certificate = devices
        self.call(lambda: self.directory.accounts.update({account.id: account}))
        return account

    def developer(self, account: Account | None = None, **shape: Any) -> Developer:
        """Make a developer certificate, in an account of its own unless another is named."""
        account = account or self.account()
        certificate_id = secrets.token_hex(16)
        pair = make_developer_pair(certificate_id, account.id, **shape)
        record = DeveloperCertificate(
            id=certificate_id,
            account_id=account.id,
            name=f"developer {certificate_id[:6]}",
            der=pair.der,
            owner_id="",
            subject="",
            issuer="",
            expires=NOW + dt.timedelta(days=3650),
            created_at=NOW,
            updated_at=NOW,
            key_der=b"",
        )
        account.certificates[certificate_id] = record
        self.call(lambda: self.directory.certificates_changed(account))
        return Developer(account, record, pair)

    def drop(self, developer: Developer) -> None:
        """Delete a developer certificate."""

        def work() -> None:
            del developer.account.certificates[developer.id]
            self.directory.certificates_changed(developer.account)

        self.call(work)

    def order(self, developer: Developer, part: str, kind: str, step: str | None, **details: Any) -> None:
        """Let something go wrong once."""
        fault = Fault(account_id=developer.account.id, part=part, kind=kind, step=step, details=details)
        self.call(lambda: self.faults.order(fault))

    def shift(self, account: Account, seconds: float) -> None:
        self.call(lambda: self.clock.shift(account.id, seconds))

    def devices(self, account: Account) -> list[DeviceRecord]:
        return self.call(lambda: list(account.devices.values()))  # type: ignore[no-any-return] # what it is

    def events(self, account: Account) -> list[tuple[str, str]]:
        """Return kind and device of every event."""
        return self.call(lambda: [(str(each.kind), each.device_id) for each in account.events])  # type: ignore[no-any-return] # as above

    def notes(self, account_id: str, what: str | None = None) -> list[dict[str, Any]]:
        """Return what was noted of an account."""
        log: list[dict[str, Any]] = self.call(lambda: self.directory.log(account_id))
        return [each for each in log if what is None or each["what"] == what]

    def wait_until(self, fulfilled: Callable[[], bool], why: str = "never so") -> None:
        """Wait until something is so; asked again and again from the test's thread."""
        deadline = time.monotonic() + 10
        again = threading.Event()
        while not fulfilled():
            assert time.monotonic() < deadline, why
            again.wait(0.005)

    def wait_for_note(self, account_id: str, what: str, containing: str = "") -> dict[str, Any]:
        """Wait until something is noted, and return it.

        :param containing: a part of the reason.
        """
        found: Future[dict[str, Any]] = Future()

        def look() -> None:
            notes = [each for each in self.directory.log(account_id) if each["what"] == what]
            fitting = [each for each in notes if containing in str(each.get("reason"))]
            if fitting:
                found.set_result(fitting[0])
            elif not found.cancelled():
                self._loop.call_later(0.002, look)

        self._loop.call_soon_threadsafe(look)
        try:
            return found.result(10)
        finally:
            found.cancel()
