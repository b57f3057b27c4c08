"""Break: the client key generation exports a CSR instead of the public key."""

from __future__ import annotations

from harness_nordic.enums import CommandType, KeygenOutput
from harness_nordic.fake import command_mapping
from tests.breaks.support.patching import existing

TITLE = "the client key generation exports a CSR instead of the public key"
EXPECTED = ("test_credential_store.py::test_service_gets_the_public_key",)
ABOUT = r"publicKey"

outputs = existing(command_mapping, "KEYGEN_OUTPUTS")
outputs[CommandType.CLIENT_PRIVATE_KEY_GENERATION] = KeygenOutput.CSR
