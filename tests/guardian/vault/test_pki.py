"""The PKI engine, asked by hvac and judged by OpenSSL."""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import hvac.exceptions
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.guardian.making import make_csr, make_key, pem_of
from tests.guardian.vault.authority import pem_of_csr
from tests.guardian.vault.served import first_error, openssl, openssl_says

if TYPE_CHECKING:
    from pathlib import Path

    from tests.guardian.vault.authority import Mounted


@pytest.mark.parametrize("kind", ["P-256", "P-384", "Ed25519"])
def test_signed_certificate_is_one_that_openssl_trusts(mounted: Mounted, tmp_path: Path, kind: str) -> None:
    """A certificate for any kind of key chains to the root, has that key, is named by caller and role."""
    mounted.write_role(
        "named",
        ou=["pump"],
        organization=["ACME"],
        server_flag=False,
        client_flag=False,
        ext_key_usage=["clientAuth"],
        key_usage=["DigitalSignature"],
    )
    key = make_key(kind)
    data = mounted.sign(make_csr(key, "other"), "SN-1", "named", uri_sans="urn:guardian:i-1")["data"]
    root, intermediate = mounted.write_chain(tmp_path)
    leaf = tmp_path / "leaf.pem"
    leaf.write_text(data["certificate"])

    openssl("verify", "-x509_strict", "-CAfile", root, "-untrusted", intermediate, leaf)
    subject = openssl("x509", "-in", leaf, "-noout", "-subject", "-nameopt", "RFC2253").decode()
    assert subject == "subject=CN=SN-1,OU=pump,O=ACME\n"
    key_file = tmp_path / "key.pem"
    key_file.write_text(pem_of(key))
    assert openssl("x509", "-in", leaf, "-noout", "-pubkey") == openssl("pkey", "-in", key_file, "-pubout")
    serial = openssl("x509", "-in", leaf, "-noout", "-serial").decode().strip().removeprefix("serial=")
    assert data["serial_number"].replace(":", "").upper() == serial
    purposes = openssl("x509", "-in", leaf, "-noout", "-ext", "extendedKeyUsage,subjectAltName").decode()
    assert "TLS Web Client Authentication" in purposes
    assert "TLS Web Server Authentication" not in purposes
    assert "URI:urn:guardian:i-1" in purposes
    assert "DNS:" not in purposes
    assert data["ca_chain"] == [mounted.intermediate, mounted.root]
    assert data["issuing_ca"] == mounted.intermediate


def test_answers_lifetime_is_the_certificates(mounted: Mounted) -> None:
    """Expiration and begin are the certificate's; the role's ttl counts, and the caller's before it."""
    usual, short = mounted.issued(), mounted.issued(ttl="90m")
    for data, seconds in ((usual, 24 * 3600), (short, 90 * 60)):
        leaf = x509.load_pem_x509_certificate(data["certificate"].encode())
        assert leaf.not_valid_after_utc.timestamp() == data["expiration"]
        assert leaf.not_valid_before_utc.timestamp() == data["not_before"]
        assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == timedelta(seconds=seconds + 30)


def test_too_long_a_life_is_cut_with_a_warning(mounted: Mounted) -> None:
    """A role's max_ttl wins over the caller, who is told."""
    mounted.write_role("short", max_ttl="24h")
    answer = mounted.sign(make_csr(make_key(), "a"), "a", "short", ttl="30h")

    assert answer["warnings"] == [
        'TTL "108000s" is longer than permitted maxTTL "86400s", so maxTTL is being used'
    ]
    leaf = x509.load_pem_x509_certificate(answer["data"]["certificate"].encode())
    assert leaf.not_valid_after_utc - datetime.now(UTC) < timedelta(hours=24, seconds=5)


def test_certificate_does_not_outlive_its_authority(mounted: Mounted) -> None:
    """What would be valid longer than the authority is refused, and nothing is stored."""
    mount = f"pki-{uuid.uuid4().hex}"
    mounted.client.sys.enable_secrets_engine("pki", path=mount, config={"max_lease_ttl": "87600h"})
    pki = mounted.client.secrets.pki
    pki.generate_root("internal", "short", {"key_type": "ec", "ttl": "1h"}, mount_point=mount)
    pki.create_or_update_role("open", {"key_type": "ec", "allow_any_name": True}, mount_point=mount)
    csr = pem_of_csr(make_csr(make_key(), "a.example"))

    with pytest.raises(hvac.exceptions.InvalidRequest, match="beyond the expiration of the CA certificate"):
        pki.sign_certificate("open", csr, "a.example", {"ttl": "2h"}, mount_point=mount)
    assert len(pki.list_certificates(mount_point=mount)["data"]["keys"]) == 1


SMALL_KEY = "role requires a minimum of a 384-bit key, but CSR's key is 256 bits"


@pytest.mark.parametrize(
    ("role", "kind", "text"),
    [
        ({"key_type": "ec", "key_bits": 384}, "P-256", SMALL_KEY),
        ({"key_type": "ed25519"}, "P-256", "role requires keys of type ed25519"),
        ({"key_type": "ec"}, "Ed25519", "role requires keys of type ec"),
    ],
)
def test_role_refuses_other_keys(mounted: Mounted, role: dict[str, Any], kind: str, text: str) -> None:
    """A role says which kind of key it wants."""
    mounted.write_role("narrow", **role)
    with pytest.raises(hvac.exceptions.InvalidRequest) as refused:
        mounted.sign(make_csr(make_key(kind), "a"), "a", "narrow")
    assert refused.value.errors == [text]


NO_DER = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"


@pytest.mark.parametrize(
    ("csr", "text"),
    [
        ("", '"csr" is empty'),
        ("no PEM", "csr contains no data"),
        (NO_DER, "certificate request could not be parsed: "),
    ],
)
def test_what_is_no_request_is_refused(mounted: Mounted, csr: str, text: str) -> None:
    """Each defect of a CSR has its own words."""
    with pytest.raises(hvac.exceptions.InvalidRequest) as refused:
        mounted.sign(csr)
    assert first_error(refused.value).startswith(text)


def test_request_without_its_key_is_refused(mounted: Mounted, tmp_path: Path) -> None:
    """A CSR that another key signed is refused: OpenSSL refuses it, too."""
    csr = make_csr(make_key(), "a", signer=make_key())
    file = tmp_path / "a.csr"
    file.write_bytes(csr)

    judged = openssl_says("req", "-inform", "DER", "-in", file, "-verify", "-noout")
    assert "verify failure" in judged
    with pytest.raises(hvac.exceptions.InvalidRequest, match="request signature invalid"):
        mounted.sign(csr)


ONE_DOMAIN = {
    "cn_validations": None,
    "allow_any_name": False,
    "allowed_domains": "a.example",
    "allow_subdomains": True,
}
REFUSED_NAMES = {
    "common name x.b.example not allowed by this role": (ONE_DOMAIN, "x.b.example", {}),
    "the common_name field is required, or must be provided in a CSR with "
    '"use_csr_common_name" set to true, unless "require_cn" is set to false': ({}, "", {}),
    "subject alternate name b.example not allowed by this role": (
        {"allow_any_name": False},
        "a",
        {"alt_names": "b.example"},
    ),
    "IP Subject Alternative Names are not allowed in this role, but were provided": (
        {"allow_ip_sans": False},
        "a",
        {"ip_sans": "127.0.0.1"},
    ),
    "URI Subject Alternative Names are not allowed in this role, but were provided via the API": (
        {"allowed_uri_sans": []},
        "a",
        {"uri_sans": "urn:guardian:1"},
    ),
    "URI Subject Alternative Names were provided via the API which are not valid for this role": (
        {},
        "a",
        {"uri_sans": "https://a.example"},
    ),
    "error parsing subject alternate names: ": ({}, "a", {"ip_sans": "nowhere"}),
    "the subject cannot be written: ": ({}, "a" * 65, {}),
    'the "format" path parameter must be "pem", "der", or "pem_bundle"': ({}, "a", {"format": "xml"}),
    "Field validation failed: error converting input 'soon' for field 'ttl'": ({}, "a", {"ttl": "soon"}),
}


@pytest.mark.parametrize(
    ("role", "name", "parameters", "text"), [(*given, text) for text, given in REFUSED_NAMES.items()]
)
def test_role_refuses_names(
    mounted: Mounted, role: dict[str, Any], name: str, parameters: dict[str, Any], text: str
) -> None:
    """What a role does not allow is refused in the documented words."""
    mounted.write_role("narrow", **role)
    with pytest.raises(hvac.exceptions.InvalidRequest) as refused:
        mounted.sign(make_csr(make_key(), "a"), name, "narrow", **parameters)
    assert first_error(refused.value).startswith(text)


def test_role_takes_names_of_its_domains(mounted: Mounted) -> None:
    """Sub-domains, bare domains, globs and the local host, each where the role allows it."""
    mounted.write_role(
        "hosts",
        cn_validations=["hostname"],
        allow_any_name=False,
        enforce_hostnames=True,
        allowed_domains=["a.example", "*.glob.example"],
        allow_subdomains=True,
        allow_bare_domains=True,
        allow_glob_domains=True,
    )
    for name in ("x.a.example", "a.example", "y.glob.example", "localhost"):
        data = mounted.sign(make_csr(make_key(), "a"), name, "hosts", exclude_cn_from_sans=False)["data"]
        leaf = x509.load_pem_x509_certificate(data["certificate"].encode())
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == [name]
    with pytest.raises(hvac.exceptions.InvalidRequest, match="not allowed by this role"):
        mounted.sign(make_csr(make_key(), "a"), "not a host", "hosts")


def test_names_of_the_request_count_where_the_role_says_so(mounted: Mounted) -> None:
    """With use_csr_common_name the CSR's common name wins, without it the caller's."""
    mounted.write_role("csr", use_csr_common_name=True)
    taken = mounted.sign(make_csr(make_key(), "of-the-csr"), "of-the-caller", "csr")["data"]
    given = mounted.sign(make_csr(make_key(), "of-the-csr"), "of-the-caller", "open")["data"]

    for data, name in ((taken, "of-the-csr"), (given, "of-the-caller")):
        subject = x509.load_pem_x509_certificate(data["certificate"].encode()).subject
        assert [part.value for part in subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == [name]


def test_unknown_role_and_issuer_are_refused(mounted: Mounted) -> None:
    """The documented words about a role or an issuer that is not there."""
    csr = make_csr(make_key(), "a")
    with pytest.raises(hvac.exceptions.InvalidRequest) as no_role:
        mounted.sign(csr, "a", "nothing")
    assert no_role.value.errors == ["unknown role: nothing"]
    path, text = f"{mounted.mount}/issuer/nobody/sign/open", "unable to find PKI issuer for reference: nobody"
    with pytest.raises(hvac.exceptions.InvalidRequest, match=text):
        mounted.client.write_data(path, data={"csr": pem_of_csr(csr), "common_name": "a"})
    with pytest.raises(hvac.exceptions.InvalidPath, match=text):
        mounted.client.secrets.pki.read_issuer("nobody", mount_point=mounted.mount)


def test_issuer_is_found_by_name_id_and_as_the_default(mounted: Mounted) -> None:
    """Three references, one issuer, whose chain ends at the root; the root has no key here."""
    pki = mounted.client.secrets.pki
    by_name, by_id, default = (
        pki.read_issuer(reference, mount_point=mounted.mount)["data"]
        for reference in ("intermediate", mounted.issuer_id, "default")
    )

    assert by_name == by_id == default
    assert by_name["certificate"].strip() == mounted.intermediate
    assert [each.strip() for each in by_name["ca_chain"]] == [mounted.intermediate, mounted.root]
    listed = pki.list_issuers(mount_point=mounted.mount)["data"]
    assert set(listed["keys"]) == set(listed["key_info"])
    assert {info["is_default"] for info in listed["key_info"].values()} == {True, False}
    other = next(each for each in listed["keys"] if each != mounted.issuer_id)
    with pytest.raises(hvac.exceptions.InvalidRequest, match="it has no key"):
        mounted.client.write_data(
            f"{mounted.mount}/issuer/{other}/sign/open",
            data={"csr": pem_of_csr(make_csr(make_key(), "a")), "common_name": "a"},
        )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("default", 'reserved keyword "default" can not be used as issuer name'),
        ("a b", "issuer name contained invalid characters"),
        ("intermediate", "issuer name already in use"),
    ],
)
def test_issuer_is_not_named_anyhow(mounted: Mounted, name: str, text: str) -> None:
    """A name that is reserved, impossible or taken is refused."""
    pki = mounted.client.secrets.pki
    keys = pki.list_issuers(mount_point=mounted.mount)["data"]["keys"]
    other = next(each for each in keys if each != mounted.issuer_id)
    with pytest.raises(hvac.exceptions.InvalidRequest) as refused:
        pki.update_issuer(other, {"issuer_name": name}, mount_point=mounted.mount)
    assert refused.value.errors == [text]


def test_request_is_signed_verbatim(mounted: Mounted) -> None:
    """Subject, names and key are those of the CSR, whatever any role says."""
    key = make_key("Ed25519")
    name = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, "as is"), x509.NameAttribute(NameOID.TITLE, "Dr")]
    )
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("a.example")]), critical=False)
    csr = builder.sign(key, None)
    pem = csr.public_bytes(Encoding.PEM).decode()

    data = mounted.client.secrets.pki.sign_verbatim(pem, "open", mount_point=mounted.mount)["data"]

    leaf = x509.load_pem_x509_certificate(data["certificate"].encode())
    assert leaf.subject == name
    assert leaf.public_key() == key.public_key()
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.example"]


def test_formats_hold_the_same_certificate(mounted: Mounted) -> None:
    """DER comes in base64, a bundle has the intermediate behind the leaf, and both are real certificates."""
    bundle = mounted.issued(format="pem_bundle")["certificate"]
    der = mounted.issued(format="der")["certificate"]

    leaf, intermediate = x509.load_pem_x509_certificates(bundle.encode())
    assert intermediate == x509.load_pem_x509_certificate(mounted.intermediate.encode())
    leaf.verify_directly_issued_by(intermediate)
    x509.load_der_x509_certificate(base64.b64decode(der)).verify_directly_issued_by(intermediate)


def test_extended_usages_are_those_of_flags_and_names(mounted: Mounted) -> None:
    """Vault's defaults are server and client; a name that nobody knows adds nothing, as with Vault."""
    mounted.write_role("flags", ext_key_usage="CodeSigning,serverauth,Levitation")
    data = mounted.sign(make_csr(make_key(), "a"), "a", "flags")["data"]
    leaf = x509.load_pem_x509_certificate(data["certificate"].encode())

    usages = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usages) == [
        ExtendedKeyUsageOID.CODE_SIGNING,
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CLIENT_AUTH,
    ]


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("root/generate/exported", {"common_name": "a"}, "unsupported type 'exported'"),
        ("root/generate/internal", {"key_type": "ec"}, "the common_name field is required"),
        ("root/sign-intermediate", {"csr": "?", "common_name": "a"}, "csr contains no data"),
        ("intermediate/set-signed", {}, 'no certificate provided in the "certificate" parameter'),
        ("intermediate/set-signed", {"certificate": "?"}, "no certificates found in the bundle"),
    ],
)
def test_authority_that_cannot_be(mounted: Mounted, path: str, body: dict[str, str], text: str) -> None:
    """Each mistake in making authorities has its own words."""
    with pytest.raises(hvac.exceptions.InvalidRequest) as refused:
        mounted.client.write_data(f"{mounted.mount}/{path}", data=body)
    assert first_error(refused.value).startswith(text)


def test_devices_certificate_is_no_authority(mounted: Mounted) -> None:
    """A leaf is not taken for an issuer; an authority that is known is not taken twice."""
    pki = mounted.client.secrets.pki
    with pytest.raises(hvac.exceptions.InvalidRequest) as refused:
        pki.set_signed_intermediate(mounted.issued()["certificate"], mount_point=mounted.mount)
    assert first_error(refused.value).startswith("no certificates found in the bundle: No ")
    again = pki.set_signed_intermediate(mounted.intermediate, mount_point=mounted.mount)["data"]
    assert (again["imported_issuers"], again["existing_issuers"]) == ([], [mounted.issuer_id])
