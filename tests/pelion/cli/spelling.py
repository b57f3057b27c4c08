"""How the seed has a device provisioned, and what the tests look for then."""

from __future__ import annotations

DEADLINE = 30.0
FILE = "update_default_resources.c"
KEY_FILE = "MBED_CLOUD_DEV_BOOTSTRAP_DEVICE_PRIVATE_KEY.bin"
SEED = ("provision-pelion", "my-device", FILE, "--create-dev-cert")
