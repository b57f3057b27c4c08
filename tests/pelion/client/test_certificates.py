"""Developer certificates and keys: made, found, deleted, and never left behind."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

from harness.errors import BackendFault, BackendUnreachable
from harness_pelion.client_models import PelionRefused
from harness_pelion.enums import CertificateStatus

if TYPE_CHECKING:
    from harness_pelion.client import PelionClient
    from tests.pelion.client.conftest import Desk, Paper

CERTIFICATE_ID = "c" * 32


def test_account_is_told(pelion: PelionClient) -> None:
    """The key belongs to an account of 32 hexadecimal digits, which says how much it may have."""
    account = pelion.account()

    assert account.id == pelion.world.account_id
    assert len(account.id) == 32
    assert account.status == "ACTIVE"


def test_certificate_and_its_c_file_say_the_same(pelion: PelionClient) -> None:
    """Id, endpoint name and CN are one; key, certificate, account and server fit (fact sheet, section 3)."""
    certificate = pelion.create_developer_certificate(pelion.own_name("dev"))
    credentials = certificate.credentials()

    read = x509.load_der_x509_certificate(credentials.certificate_der)
    key = load_der_private_key(credentials.private_key_der, None)
    (cn,) = read.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    assert certificate.id == credentials.endpoint_name == cn.value
    assert credentials.account_id == pelion.account().id
    assert credentials.server_uri == pelion.bootstrap_server().server_uri
    spki = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert read.public_key().public_bytes(*spki) == key.public_key().public_bytes(*spki)
    authority = x509.load_pem_x509_certificate(pelion.bootstrap_server().server_certificate.encode())
    assert hashlib.sha256(credentials.server_ca_der).digest() == authority.fingerprint(
        authority.signature_hash_algorithm  # type: ignore[arg-type]  # it is SHA-256
    )
    assert certificate.name in repr(certificate)
    assert "PRIVATE" not in repr(certificate.record)


def test_certificate_is_noted_before_it_is_made_and_undone(pelion: PelionClient, desk: Desk) -> None:
    """The ledger knows the name before the service does, then the id; undo deletes it and strikes it out."""
    name = pelion.own_name("dev")
    certificate = pelion.create_developer_certificate(name)

    kind, subject, details = desk.book.notes[1]
    assert (kind, subject, details["id"]) == ("certificate", name, certificate.id)
    assert details["account"] == f"{desk.run_id}-gw0"
    assert pelion.certificates_made == (certificate.id,)
    pelion.undo()
    assert desk.book.settled == [1]
    assert pelion.trusted_certificates() == []
    assert list(pelion.certificates_made) == []


def test_secrets_are_registered_where_they_enter(pelion: PelionClient, desk: Desk) -> None:
    """API key, and the private key in each form that it has here, are secrets before anybody uses them."""
    certificate = pelion.create_developer_certificate(pelion.own_name("dev"))
    key = pelion.create_api_key(pelion.own_name("key"))

    der = certificate.credentials().private_key_der
    assert {der.hex(), certificate.record.developer_private_key, key.key} <= desk.secrets
    assert key.key not in repr(key)
    assert not any(secret in str(desk.book.notes) for secret in desk.secrets)


def test_duplicate_is_a_conflict(pelion: PelionClient, desk: Desk) -> None:
    """A name is unique in the account; the refusal tells type, request and phrase, and nothing is left."""
    name = pelion.own_name("dev")
    pelion.create_developer_certificate(name)

    with pytest.raises(PelionRefused) as caught:
        pelion.create_developer_certificate(name)

    refused = caught.value
    assert (refused.status, refused.type, refused.phrase) == (409, "duplicate", "Conflict")
    assert len(refused.request_id) == 32
    assert desk.book.settled == [2]
    assert len(pelion.developer_certificates()) == 1


def test_unfit_name_says_which_field(pelion: PelionClient) -> None:
    """A name that is too long is refused, and the field is named."""
    with pytest.raises(PelionRefused) as caught:
        pelion.create_developer_certificate("x" * 101)

    assert (caught.value.status, caught.value.type, set(caught.value.fields)) == (
        400,
        "validation_error",
        {"name"},
    )


def test_certificates_of_an_account_are_limited(pelion: PelionClient) -> None:
    """One more than the account may have is refused; the limit ends with the test."""
    pelion.set_limits(certificates=1)
    pelion.create_developer_certificate(pelion.own_name("first"))

    with pytest.raises(PelionRefused, match="account_limit_exceeded"):
        pelion.create_developer_certificate(pelion.own_name("second"))

    pelion.undo_orders()
    pelion.create_developer_certificate(pelion.own_name("third"))


def test_certificate_is_found_by_its_name(pelion: PelionClient) -> None:
    """What exists in the service is found again with its key; what does not is none."""
    made = pelion.create_developer_certificate(pelion.own_name("dev"), description="for a test")

    found = pelion.find_developer_certificate(made.name)

    assert found is not None
    assert found.credentials().files == made.credentials().files
    assert found.record.description == "for a test"
    assert pelion.find_developer_certificate("nobody's") is None


def test_deleted_certificate_is_gone(pelion: PelionClient, desk: Desk) -> None:
    """A developer certificate is deleted through the trusted certificates; a second time there is none."""
    certificate = pelion.create_developer_certificate(pelion.own_name("dev"))

    pelion.delete_certificate(certificate.id)

    for call in (pelion.developer_certificate, pelion.trusted_certificate, pelion.delete_certificate):
        with pytest.raises(PelionRefused) as caught:
            call(certificate.id)
        assert caught.value.status == 404
    pelion.undo()
    assert desk.book.settled == [1]


def test_certificate_can_be_switched_off(pelion: PelionClient) -> None:
    """An inactive certificate stays in the list and says so."""
    certificate = pelion.create_developer_certificate(pelion.own_name("dev"))

    pelion.change_certificate(certificate.id, status=CertificateStatus.INACTIVE.value)

    assert pelion.trusted_certificate(certificate.id).status == "INACTIVE"


def test_authority_of_our_own_is_no_developer_certificate(pelion: PelionClient) -> None:
    """An uploaded certificate is trusted, is no developer certificate, and is undone, too."""
    other = pelion.create_developer_certificate(pelion.own_name("dev"))
    pem = other.record.developer_certificate
    pelion.delete_certificate(other.id)

    uploaded = pelion.upload_certificate(pelion.own_name("ca"), pem)

    assert not uploaded.is_developer
    assert pelion.developer_certificates() == []
    pelion.undo()
    assert pelion.trusted_certificates() == []


def test_lost_answer_is_undone_by_name(pelion: PelionClient, desk: Desk) -> None:
    """A certificate whose answer got lost exists all the same: undo finds it by its name."""
    with (
        pelion.fault("api", "answer_lost", step="POST /v3/developer-certificates"),
        pytest.raises(BackendUnreachable),
    ):
        pelion.create_developer_certificate(pelion.own_name("dev"))
    assert len(pelion.developer_certificates()) == 1

    pelion.undo()

    assert pelion.developer_certificates() == []
    assert desk.book.settled == [1]


def test_undo_goes_on_after_a_failure(pelion: PelionClient, desk: Desk) -> None:
    """What cannot be deleted is told and stays in the ledger; the rest is deleted."""
    first = pelion.create_developer_certificate(pelion.own_name("a"))
    pelion.create_developer_certificate(pelion.own_name("b"))
    pelion.create_developer_certificate(pelion.own_name("c"))
    fault = pelion.fault("api", "status", step="DELETE /v3/trusted-certificates/{id}", skip=1, status=500)
    pelion.world.ordered = False  # it is to strike while things are undone

    with pytest.raises(PelionRefused, match="500"):
        pelion.undo()

    assert len(pelion.developer_certificates()) == 1
    assert desk.book.settled == [3, 1]
    assert first.id not in {row.id for row in pelion.developer_certificates()}
    fault.remove()


def test_failure_of_the_service_proves_nothing(pelion: PelionClient, desk: Desk) -> None:
    """What may be there although a server failed is looked for by its name before it is struck out."""
    for status in (400, 502):
        with (
            pelion.fault("api", "status", step="POST /v3/developer-certificates", status=status),
            pytest.raises(PelionRefused, match=str(status)),
        ):
            pelion.create_developer_certificate(pelion.own_name("a"))
    assert desk.book.settled == [1]

    pelion.undo()

    assert desk.book.settled == [1, 2]


def test_keys_are_made_and_deleted(pelion: PelionClient) -> None:
    """A further key works until it is deleted."""
    key = pelion.create_api_key(pelion.own_name("key"))
    other = pelion.as_user(key.key)
    assert other.my_api_key().id == key.id
    assert key.id in {each.id for each in pelion.api_keys()}

    pelion.delete_api_key(key.id)

    with pytest.raises(PelionRefused, match="401"):
        other.account()


def test_both_servers_at_once(pelion: PelionClient) -> None:
    """The combined answer tells what the two single ones tell."""
    both = pelion.server_credentials()

    bootstrap, lwm2m = pelion.bootstrap_server(), pelion.lwm2m_server()
    assert (both.bootstrap.url, both.bootstrap.certificate) == (
        bootstrap.server_uri,
        bootstrap.server_certificate,
    )
    assert (both.lwm2m.url, both.lwm2m.certificate) == (lwm2m.server_uri, lwm2m.server_certificate)


@pytest.mark.parametrize("field", ["developer_private_key", "security_file_content"])
def test_damaged_certificate_is_the_services_fault(
    on_paper: PelionClient, paper: Paper, desk: Desk, field: str
) -> None:
    """A key or C file that cannot be read is told without a word of it, and what was made is undone."""
    record = {
        "id": CERTIFICATE_ID,
        "name": "x",
        "developer_certificate": "",
        "developer_private_key": "-----BEGIN EC PRIVATE KEY-----\nTELLTALE\n-----END EC PRIVATE KEY-----",
        "security_file_content": "TELLTALE",
    }
    if field == "security_file_content":
        record["developer_private_key"] = _a_key()
    paper.says("POST", "/v3/developer-certificates", record, status=201)
    paper.says("DELETE", f"/v3/trusted-certificates/{CERTIFICATE_ID}", status=204)
    paper.says("GET", "/v3/devices/", {"data": [], "has_more": False})

    with pytest.raises(BackendFault) as caught:
        on_paper.create_developer_certificate("x").credentials()

    assert CERTIFICATE_ID in str(caught.value)
    assert "TELLTALE" not in str(caught.value)
    on_paper.undo()
    assert desk.book.settled == [1]


def _a_key() -> str:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
