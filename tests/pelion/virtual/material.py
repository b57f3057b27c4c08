"""Credentials as they come to a device, made by OpenSSL: the device itself reads them by another library."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ACCOUNT = "0123456789abcdef0123456789abcdef"
ENDPOINT = "fedcba9876543210fedcba9876543210"
OTHER_ENDPOINT = "00112233445566778899aabbccddeeff"

#: Item -> file, as pelion fact sheet, section 2.1 has them.
FILE_OF = {
    "mbed.EndpointName": "MBED_CLOUD_DEV_BOOTSTRAP_ENDPOINT_NAME.bin",
    "mbed.BootstrapDeviceCert": "MBED_CLOUD_DEV_BOOTSTRAP_DEVICE_CERTIFICATE.bin",
    "mbed.BootstrapServerCACert": "MBED_CLOUD_DEV_BOOTSTRAP_SERVER_ROOT_CA_CERTIFICATE.bin",
    "mbed.BootstrapDevicePrivateKey": "MBED_CLOUD_DEV_BOOTSTRAP_DEVICE_PRIVATE_KEY.bin",
    "mbed.BootstrapServerURI": "MBED_CLOUD_DEV_BOOTSTRAP_SERVER_URI.bin",
    "mbed.Manufacturer": "MBED_CLOUD_DEV_MANUFACTURER.bin",
    "mbed.ModelNumber": "MBED_CLOUD_DEV_MODEL_NUMBER.bin",
    "mbed.SerialNumber": "MBED_CLOUD_DEV_SERIAL_NUMBER.bin",
    "mbed.DeviceType": "MBED_CLOUD_DEV_DEVICE_TYPE.bin",
    "mbed.HardwareVersion": "MBED_CLOUD_DEV_HARDWARE_VERSION.bin",
    "mbed.MemoryTotalKB": "MBED_CLOUD_DEV_MEMORY_TOTAL_KB.bin",
    "mbed.UpdateAuthCert": "arm_uc_default_certificate.bin",
    "mbed.VendorId": "arm_uc_vendor_id.bin",
    "mbed.ClassId": "arm_uc_class_id.bin",
}
#: In the order in which they are stored.
ITEMS = tuple(FILE_OF)
DIRECTORY = "/scratch/provisioning-certs"


def openssl(*arguments: str, stdin: bytes = b"") -> bytes:
    """Run OpenSSL, and return what it writes."""
    done = subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@cache
def ec_key(which: str, curve: str = "prime256v1") -> bytes:
    """Return a private key in PEM, the same for the same name."""
    del which
    return openssl("ecparam", "-name", curve, "-genkey", "-noout")


def pkcs8(key: bytes) -> bytes:
    """Return a private key as PKCS#8 DER."""
    return openssl("pkcs8", "-topk8", "-nocrypt", "-outform", "DER", stdin=key)


@cache
def certificate(key: bytes, subject: str, days: int = 3650, *extensions: str) -> bytes:
    """Return a self-signed certificate, DER."""
    added = [word for each in extensions for word in ("-addext", each)]
    words = ("req", "-x509", "-key", "/dev/stdin", "-subj", subject, "-days", str(days), *added)
    return openssl(*words, "-outform", "DER", stdin=key)


@dataclass
class Material:
    """Developer credentials and update resources.

    :ivar items: what each item of the key store is to hold.
    """

    items: dict[str, bytes] = field(default_factory=dict)

    def files(self) -> dict[str, bytes]:
        """Return the files that a device is given, by name."""
        return {FILE_OF[item]: data for item, data in self.items.items()}

    def without(self, *items: str) -> Material:
        """Return it with some items left out."""
        return Material({item: data for item, data in self.items.items() if item not in items})

    def with_items(self, changes: Mapping[str, bytes]) -> Material:
        """Return it with some items that are others."""
        return Material({**self.items, **changes})

    def write_to(self, directory: Path) -> Path:
        """Write the files into a directory."""
        directory.mkdir(parents=True, exist_ok=True)
        for name, data in self.files().items():
            (directory / name).write_bytes(data)
        return directory


@cache
def material(endpoint: str = ENDPOINT, account: str = ACCOUNT) -> Material:
    """Return credentials for an endpoint name."""
    key, subject = ec_key(endpoint), f"/C=GB/O=ARM Ltd/OU={account}/CN={endpoint}"
    return Material(
        {
            "mbed.EndpointName": endpoint.encode(),
            "mbed.BootstrapDeviceCert": certificate(key, subject, 3650, "extendedKeyUsage=clientAuth"),
            "mbed.BootstrapServerCACert": certificate(ec_key("ca"), "/CN=ARM Bootstrap CA"),
            "mbed.BootstrapDevicePrivateKey": pkcs8(key),
            "mbed.BootstrapServerURI": f"coaps://127.0.0.1:5684?aid={account}".encode(),
            "mbed.Manufacturer": b"dev_manufacturer",
            "mbed.ModelNumber": b"dev_model_num",
            "mbed.SerialNumber": b"0",
            "mbed.DeviceType": b"dev_device_type",
            "mbed.HardwareVersion": b"dev_hardware_version",
            "mbed.MemoryTotalKB": b"0",
            "mbed.UpdateAuthCert": certificate(ec_key(f"update {endpoint}"), "/CN=arm.com", 90),
            "mbed.VendorId": bytes.fromhex("fa6b4a53d5ad5fdfbe9de663e4d41ffe"),
            "mbed.ClassId": endpoint.encode()[:16],
        }
    )
