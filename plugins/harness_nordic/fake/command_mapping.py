"""From a request of the management API to what the device executes (nrfcloud fact sheet, section 3.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness_nordic.enums import CmeError, CommandType, CredentialOperation, CredentialType, KeygenOutput
from harness_nordic.fake.wire import AtCommand, ConfigCommand, DeviceCommand, FinishedCommand

if TYPE_CHECKING:
    from collections.abc import Mapping

PREPARATION = ".s"
"""Suffix of the id of a step before the main one (nrfcloud fact sheet, section 3.4)."""

KEYGEN_OUTPUTS = {
    CommandType.CLIENT_PRIVATE_KEY_GENERATION: KeygenOutput.PUBLIC_KEY,
    CommandType.CERTIFICATE_SIGNING_REQUEST: KeygenOutput.CSR,
    CommandType.CLOUD_ACCESS_KEY_GENERATION: KeygenOutput.CSR,
}
"""The commands that make a key, and what each has the modem export."""

_WRITTEN = {
    CommandType.SERVER_CERTIFICATE: CredentialType.ROOT_CA,
    CommandType.CLIENT_CERTIFICATE: CredentialType.CLIENT_CERT,
    CommandType.CLIENT_PRIVATE_KEY: CredentialType.CLIENT_KEY,
}


def device_commands(
    command_type: CommandType, fields: Mapping[str, Any], identifier: str
) -> tuple[DeviceCommand, ...]:
    """Return what a device must execute, in order; all of it belongs in one batch.

    :param command_type: type of the request.
    :param fields: the request's fields, validated.
    :param identifier: correlation id of the main step, which comes last.
    """
    if command_type is CommandType.FINISHED:
        return (FinishedCommand(id=identifier),)
    if command_type is CommandType.CONFIG:
        return (ConfigCommand(id=identifier, pairs=fields["properties"]),)
    tag = fields["secTag"]
    if command_type in KEYGEN_OUTPUTS:
        return _generation(command_type, fields, tag, identifier)
    if command_type is CommandType.PRE_SHARED_KEY:
        return (
            _write(identifier + PREPARATION, tag, CredentialType.PSK_IDENTITY, fields["identity"]),
            _write(identifier, tag, CredentialType.PSK, fields["secret"]),
        )
    texts = [fields["content"]]
    if fields.get("password") is not None:
        texts.append(fields["password"])
    return (_write(identifier, tag, _WRITTEN[command_type], *texts),)


def _generation(
    command_type: CommandType, fields: Mapping[str, Any], tag: int, identifier: str
) -> tuple[DeviceCommand, ...]:
    """Delete an earlier key first, minding no empty slot: ``%KEYGEN`` refuses an occupied one."""
    parameters = f"{tag},{CredentialType.CLIENT_KEY:d},{KEYGEN_OUTPUTS[command_type]:d}"
    if command_type is CommandType.CERTIFICATE_SIGNING_REQUEST:
        parameters += f',"{fields["attributes"]}","{fields["keyUsage"]}"'
    return (
        AtCommand(
            id=identifier + PREPARATION,
            set_command="%CMNG",
            parameters=f"{CredentialOperation.DELETE:d},{tag},{CredentialType.CLIENT_KEY:d}",
            ignored=(int(CmeError.NOT_FOUND),),
        ),
        AtCommand(id=identifier, set_command="%KEYGEN", parameters=parameters),
    )


def _write(identifier: str, tag: int, credential: CredentialType, *texts: str) -> AtCommand:
    quoted = ",".join(f'"{text}"' for text in texts)
    parameters = f"{CredentialOperation.WRITE:d},{tag},{credential:d},{quoted}"
    return AtCommand(id=identifier, set_command="%CMNG", parameters=parameters)
