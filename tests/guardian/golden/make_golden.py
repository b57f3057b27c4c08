"""How the golden files were made: keys, CSRs and certificates by openssl, JWS by jwcrypto, COSE by pycose.

    python -m tests.guardian.golden.make_golden [DIRECTORY]

Keys that lie there stay; everything else is made anew. The keys are samples: they open nothing anywhere.
"""

from __future__ import annotations

import base64
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tests.guardian.making import SLOTS, MadeRequest, PrivateKey, base64url, rfc3339, sign_cose, sign_jws
from tests.guardian.making_profiles import Authority, make_profile

HERE = Path(__file__).parent
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SYSTEM, COMPONENT, HW_ID = "Golden pumps", "pump", "SN-0001"
INSTANCE = {"id": "5d6e3b0c-0a4b-4c1e-9c55-5f3a53e1a001", "name": "Ward A"}
COMPONENT_INSTANCE = "5d6e3b0c-0a4b-4c1e-9c55-5f3a53e1b001"
KEYS = {
    "root": "P-256",
    "intermediate": "P-256",
    "profile-signer": "P-256",
    "package": "P-256",
    "package-ed25519": "Ed25519",
    "next-identity": "P-256",
    **SLOTS,
}
REQUEST_IDS = {
    "initial.jws": "11111111-1111-4111-8111-111111111111",
    "initial.cose": "22222222-2222-4222-8222-222222222222",
    "initial-ed25519.jws": "33333333-3333-4333-8333-333333333333",
    "reprovision.jws": "44444444-4444-4444-8444-444444444444",
    "reprovision.cose": "55555555-5555-4555-8555-555555555555",
}
_GENERATE = {
    "P-256": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "P-384": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
    "Ed25519": ("-algorithm", "ED25519"),
}
_AUTHORITY = f"""
[ca]
default_ca = this
[this]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = anything
unique_subject = no
[anything]
commonName = supplied
organizationalUnitName = optional
organizationName = optional
[root]
basicConstraints = critical, CA:TRUE, pathlen:1
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[intermediate]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = URI:urn:guardian:{COMPONENT_INSTANCE}
"""


def openssl(*words: str | Path, stdin: bytes = b"", cwd: str | None = None) -> bytes:
    """Run openssl and return what it writes."""
    command = ["openssl", *map(str, words)]
    return subprocess.run(command, input=stdin, capture_output=True, check=True, cwd=cwd).stdout


def key_file(directory: Path, name: str) -> Path:
    """Return the file of a key."""
    return directory / f"{name}.sample.pem"


def read_key(directory: Path, name: str) -> PrivateKey:
    """Read a key."""
    pem = key_file(directory, name).read_bytes()
    return cast("PrivateKey", serialization.load_pem_private_key(pem, None))


def make_keys(directory: Path) -> None:
    """Make the keys that are not there."""
    for name, kind in KEYS.items():
        if not key_file(directory, name).exists():
            openssl("genpkey", *_GENERATE[kind], "-out", key_file(directory, name))


def make_csr(key: Path, subject: str) -> bytes:
    """Make a CSR (PEM)."""
    return openssl("req", "-new", "-key", key, "-subj", subject, "-sha256")


def issue(csr: bytes, section: str, *signer: str | Path) -> bytes:
    """Make a certificate (PEM) of a CSR, by ``openssl ca``: no other of its commands dates back.

    :param section: which extensions it gets.
    :param signer: openssl's options for who signs.
    """
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "index.txt").touch()
        (Path(place) / "ca.cnf").write_text(_AUTHORITY)
        (Path(place) / "csr.pem").write_bytes(csr)
        life = ("-startdate", "20261101000000Z", "-enddate", "20561101000000Z")
        more = ("-config", "ca.cnf", "-batch", "-notext", "-in", "csr.pem", "-extensions", section)
        return openssl("ca", *more, *life, *signer, cwd=place)


def make_certificates(directory: Path) -> None:
    """Make root, intermediate, and a leaf for each slot; they outlast whoever runs these tests."""
    root, root_key = directory / "root.pem", key_file(directory, "root")
    csr = make_csr(root_key, f"/CN={SYSTEM} root")
    root.write_bytes(issue(csr, "root", "-selfsign", "-keyfile", root_key))
    own, own_key = directory / "intermediate.pem", key_file(directory, "intermediate")
    csr = make_csr(own_key, f"/CN={SYSTEM} intermediate")
    own.write_bytes(issue(csr, "intermediate", "-cert", root, "-keyfile", root_key))
    for slot in SLOTS:
        csr = make_csr(key_file(directory, slot), f"/O={SYSTEM}/OU={COMPONENT}/CN={HW_ID}")
        leaf = issue(csr, "leaf", "-cert", own, "-keyfile", own_key)
        (directory / f"leaf-{slot}.pem").write_bytes(leaf)


def certificate(directory: Path, name: str) -> x509.Certificate:
    """Read a certificate."""
    return x509.load_pem_x509_certificate((directory / f"{name}.pem").read_bytes())


def payload(directory: Path, name: str) -> dict[str, Any]:
    """Return what a request says; its nonce is sixteen times the first digit of its id.

    A device that is provisioned again makes new keys. Here only that of its identity is new: a request for a
    certificate of the key that signed it would be malformed.
    """
    request_id = REQUEST_IDS[name]
    again = name.startswith("reprovision")
    keys = {slot: "next-identity" if again and slot == "identity" else slot for slot in SLOTS}
    csrs = {slot: make_csr(key_file(directory, key), f"/CN={HW_ID}") for slot, key in keys.items()}
    ders = {slot: openssl("req", "-outform", "DER", stdin=csr) for slot, csr in csrs.items()}
    return {
        "ver": 1,
        "request_id": request_id,
        "system": SYSTEM,
        "system_instance": {"id": INSTANCE["id"]},
        "component": COMPONENT,
        "hw_id": HW_ID,
        "reprovision": again,
        "nonce": base64url(request_id[:1].encode() * 16),
        "created_at": rfc3339(NOON),
        "source": "Cloud",
        "csrs": [{"slot": slot, "csr": base64.b64encode(der).decode()} for slot, der in ders.items()],
    }


def make_requests(directory: Path) -> MadeRequest:
    """Make the requests.

    :return: the first of them, which the profile answers.
    """
    chain = [
        certificate(directory, name).public_bytes(serialization.Encoding.DER)
        for name in ("leaf-identity", "intermediate")
    ]
    payloads = {name: payload(directory, name) for name in REQUEST_IDS}
    package, identity = read_key(directory, "package"), read_key(directory, "identity")
    ed25519 = read_key(directory, "package-ed25519")
    contents = {
        "initial.jws": sign_jws(payloads["initial.jws"], package),
        "initial.cose": sign_cose(payloads["initial.cose"], package),
        "initial-ed25519.jws": sign_jws(payloads["initial-ed25519.jws"], ed25519),
        "reprovision.jws": sign_jws(payloads["reprovision.jws"], identity, x5c=chain),
        "reprovision.cose": sign_cose(payloads["reprovision.cose"], identity, x5chain=chain),
    }
    for name, content in contents.items():
        (directory / f"{name}.mcpr").write_bytes(content)
    keys = {slot: read_key(directory, slot) for slot in SLOTS}
    first = "initial.jws"
    return MadeRequest(content=contents[first], media_type="", payload=payloads[first], keys=keys)


def make_all(directory: Path) -> None:
    """Make everything."""
    directory = directory.resolve()
    make_keys(directory)
    make_certificates(directory)
    made = make_requests(directory)
    authority = Authority(
        root=certificate(directory, "root"),
        intermediate=certificate(directory, "intermediate"),
        key=read_key(directory, "intermediate"),
    )
    profile = make_profile(
        made,
        authority,
        read_key(directory, "profile-signer"),
        instance=INSTANCE,
        issued=NOON,
        leaves={slot: certificate(directory, f"leaf-{slot}") for slot in SLOTS},
        response_id="66666666-6666-4666-8666-666666666666",
        component_instance_id=COMPONENT_INSTANCE,
    )
    (directory / "certified-profile.mccp").write_bytes(profile)


if __name__ == "__main__":
    make_all(Path(sys.argv[1]) if sys.argv[1:] else HERE)
