"""A service elsewhere: whose key is used, and what is never touched there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.backends.contract import Backend, Change
from harness.backends.ledger import Entry
from harness.errors import BackendFault, UsageError
from harness_pelion.client import connect, connect_by_hand
from harness_pelion.client_access import fingerprint, refuse_without_access
from harness_pelion.client_faults import FaultCalls
from harness_pelion.client_models import PelionRefused
from tests.pelion.client.conftest import Desk, Paper, paper_client

if TYPE_CHECKING:
    from pathlib import Path

    from harness_pelion.client import PelionClient

KEY = "ak_0123456789abcdef0123"
REAL = Backend(name="pelion", mode="real", url="https://pelion.example")


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PELION_API_KEY", "PELION_API_KEY_FILE", "PELION_CA_FILE"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_key(desk: Desk) -> None:
    """Who has no key is told which variables would hold one, before anything is opened."""
    for call in (lambda: refuse_without_access(REAL), lambda: connect(REAL, desk.session())):
        with pytest.raises(UsageError, match=r"PELION_API_KEY: no API key for https://pelion.example"):
            call()


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_key_file_that_others_may_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: int) -> None:
    """A key in a file that others may read is refused, and not told."""
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(mode)
    monkeypatch.setenv("PELION_API_KEY_FILE", str(file))

    with pytest.raises(UsageError, match="chmod 600") as caught:
        refuse_without_access(REAL)

    assert KEY not in str(caught.value)


def test_key_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file for its owner alone serves as well as the environment."""
    file = tmp_path / "key"
    file.touch(mode=0o600)
    file.write_text(f"{KEY}\n")
    monkeypatch.setenv("PELION_API_KEY_FILE", str(file))

    refuse_without_access(REAL)


def test_authorities_that_are_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file of authorities has to exist."""
    monkeypatch.setenv("PELION_API_KEY", KEY)
    monkeypatch.setenv("PELION_CA_FILE", str(tmp_path / "none.pem"))

    with pytest.raises(UsageError, match="PELION_CA_FILE"):
        refuse_without_access(REAL)


def test_client_elsewhere_uses_the_key(
    monkeypatch: pytest.MonkeyPatch, pelion: PelionClient, desk: Desk
) -> None:
    """A service by its address is asked with the key of the environment, which is a secret at once."""
    key = pelion.create_api_key(pelion.own_name("key")).key
    monkeypatch.setenv("PELION_API_KEY", key)
    session = Desk()

    client = connect(Backend(name="pelion", mode="url", url=pelion.backend.url), session.session())

    assert client.account().id == pelion.account().id
    assert key in session.secrets
    name = client.own_name("dev")
    certificate = client.create_developer_certificate(name)
    assert session.book.notes[1][2] == {"key": fingerprint(key), "id": certificate.id}
    client.undo()
    assert session.book.settled == [1]
    client.close()


def test_what_we_did_not_make_is_never_touched(monkeypatch: pytest.MonkeyPatch, pelion: PelionClient) -> None:
    """Elsewhere a certificate, key or device of somebody else is neither changed nor deleted."""
    foreign = pelion.create_developer_certificate(pelion.own_name("foreign"))
    key = pelion.create_api_key(pelion.own_name("key"))
    monkeypatch.setenv("PELION_API_KEY", key.key)
    client = connect(Backend(name="pelion", mode="url", url=pelion.backend.url), Desk().session())

    for call in (
        lambda: client.delete_certificate(foreign.id),
        lambda: client.change_certificate(foreign.id, status="INACTIVE"),
        lambda: client.delete_api_key(key.id),
        lambda: client.raw.request("DELETE", f"/v3/trusted-certificates/{foreign.id}/"),
    ):
        with pytest.raises(UsageError, match="never touched"):
            call()

    own = client.create_developer_certificate(client.own_name("own"))
    client.change_certificate(own.id, status="INACTIVE")
    client.delete_certificate(own.id)
    assert pelion.trusted_certificate(foreign.id).status == "ACTIVE"
    client.close()


def test_session_is_asked_before_every_change(paper: Paper, desk: Desk) -> None:
    """What a session forbids is not sent."""
    changes: list[Change] = []

    def forbid(change: Change) -> None:
        changes.append(change)
        raise BackendFault("not today")

    client = paper_client(paper, desk, before=forbid)
    with pytest.raises(BackendFault, match="not today"):
        client.create_developer_certificate("x")

    assert [change.operation for change in changes] == ["CreateDeveloperCertificate"]
    assert paper.asked == []
    client.close()


def test_person_may_do_what_the_key_lets(pelion: PelionClient) -> None:
    """By hand nothing is guarded, noted or undone."""
    certificate = pelion.create_developer_certificate(pelion.own_name("dev"))
    key = pelion.create_api_key(pelion.own_name("key"))
    client = connect_by_hand(pelion.backend.url, key.key)

    client.delete_certificate(certificate.id)

    with pytest.raises(PelionRefused, match="404"):
        client.trusted_certificate(certificate.id)
    client.close()


def test_fingerprint_gives_no_key_away() -> None:
    """It tells keys apart, and is much shorter than one."""
    assert fingerprint(KEY) != fingerprint(KEY + "0")
    assert len(fingerprint(KEY)) == 16
    assert fingerprint(KEY) not in KEY


def _entry(kind: str, subject: str, session: str, **details: str) -> Entry:
    return Entry(
        number=1,
        session=session,
        worker="gw0",
        backend="pelion",
        mode="url",
        url="http://pelion.example",
        kind=kind,
        subject=subject,
        noted=0.0,
        details=details,
    )


def test_what_a_dead_worker_left_is_undone(pelion: PelionClient, desk: Desk) -> None:
    """By its id, or by its name when the worker died before it was told the id; then it is gone already."""
    made = [pelion.create_developer_certificate(pelion.own_name(each)) for each in ("a", "b")]
    pelion.forget()
    account = f"{desk.run_id}-gw0"
    entries = [
        _entry("certificate", made[0].name, desk.run_id, account=account, id=made[0].id),
        _entry("certificate", made[1].name, desk.run_id, account=account),
    ]

    assert [pelion.undo_entry(entry) for entry in entries] == ["deleted", "deleted"]
    assert [pelion.undo_entry(entry) for entry in entries] == ["gone already", "gone already"]
    assert pelion.developer_certificates() == []


def test_entry_of_another_account_of_the_fake(pelion: PelionClient) -> None:
    """Each worker has an account of its own: the entry says which, and it is asked."""
    other = pelion.another_account()
    certificate = other.create_developer_certificate("x")
    entry = _entry("certificate", "x", "run", id=certificate.id, **other.world.labels)

    assert pelion.undo_entry(entry) == "deleted"
    assert other.developer_certificates() == []
    other.world.close()


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (_entry("moon", "x", "run1"), "nobody here knows how to undo it"),
        (_entry("certificate", "x-run1", "run1", key="another"), "made with another key"),
        (_entry("certificate", "somebody's", "run1", key="k"), "no name that the session gave"),
    ],
    ids=["kind", "key", "name"],
)
def test_entry_that_is_left_alone(on_paper: PelionClient, paper: Paper, entry: Entry, problem: str) -> None:
    """What is not surely ours is left alone, and nobody is asked."""
    with pytest.raises(UsageError, match=problem):
        on_paper.undo_entry(entry)

    assert paper.asked == []


def test_replacement_of_a_dead_worker_starts_without_faults(backend: Backend, desk: Desk) -> None:
    """The worker that gets a dead one's account again takes its orders back first."""
    first = connect(backend, desk.session())
    first.fault("api", "status", status=500, times=99)
    first.close()

    second = connect(backend, desk.session())

    assert second.account().id == first.world.account_id
    second.close()


def test_fake_that_does_not_take_orders_back(
    backend: Backend, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a fake is not used, and no connection to it stays open."""
    clients: list[FaultCalls] = []

    def fail(client: FaultCalls) -> None:
        clients.append(client)
        raise BackendFault("no")

    monkeypatch.setattr(FaultCalls, "take_orders_back", fail)
    with pytest.raises(BackendFault, match="no"):
        connect(backend, desk.session())

    (client,) = clients
    assert client.world.http._client.is_closed
    assert client.world.control is not None
    assert client.world.control._client.is_closed
