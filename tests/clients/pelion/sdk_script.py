"""What a program does with the vendor's unmodified ``mbed-cloud-sdk``; run by the clients' own Python.

Host and key come from the environment alone, as the SDK reads them. The answer is the last line, as JSON; no
private key is in it. Nothing of ours is imported.
"""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any

from mbed_cloud import (  # type: ignore[import-not-found] # it is in the clients' environment only
    SDK,
    AccountManagementAPI,
    CertificatesAPI,
    DeviceDirectoryAPI,
)
from mbed_cloud.exceptions import CloudApiException  # type: ignore[import-not-found] # as above


def _certificate(found: Any) -> dict[str, Any]:
    header = getattr(found, "header_file", None) or ""
    return {
        "id": found.id,
        "name": found.name,
        "type": found.type,
        "status": found.status,
        "subject": found.subject,
        "header": [len(header), hashlib.sha256(header.encode()).hexdigest()],
    }


def account() -> Any:
    """Who the key belongs to."""
    return {"id": AccountManagementAPI().get_account().id}


def add(name: str) -> Any:
    """Make a developer certificate."""
    return _certificate(CertificatesAPI().add_developer_certificate(name=name))


def get(identifier: str) -> Any:
    """Look a certificate up."""
    found = CertificatesAPI().get_certificate(identifier)
    return None if found is None else _certificate(found)


def certificates(**filters: Any) -> Any:
    """List certificates."""
    listed = (
        CertificatesAPI().list_certificates(filter=filters)
        if filters
        else CertificatesAPI().list_certificates()
    )
    return [[each.id, each.name, each.type] for each in listed]


def certificates_named(name: str) -> Any:
    """List certificates by name."""
    return certificates(name=name)


def pages(size: str) -> Any:
    """List certificates in pages, newest first."""
    return [each.name for each in CertificatesAPI().list_certificates(page_size=int(size), order="desc")]


def rename(identifier: str, name: str) -> Any:
    """Give a certificate another name."""
    return _certificate(CertificatesAPI().update_certificate(identifier, name=name))


def delete(identifier: str) -> Any:
    """Delete a certificate."""
    CertificatesAPI().delete_certificate(identifier)


def devices(state: str, ca_id: str) -> Any:
    """List devices by two filters."""
    found = DeviceDirectoryAPI().list_devices(filters={"state": state, "certificate_issuer_id": ca_id})
    return [[each.id, each.state, each.vendor_id, each.device_class, each.mechanism] for each in found]


def device(identifier: str) -> Any:
    """Look a device up."""
    found = DeviceDirectoryAPI().get_device(identifier)
    return None if found is None else [found.id, found.state]


def events() -> Any:
    """List the events of all devices, with what each changed."""
    return [
        [each.device_id, each.state_change, each.changes]
        for each in DeviceDirectoryAPI().list_device_events()
    ]


def keys(name: str) -> Any:
    """Make an API key, rename it, and delete it again."""
    api = AccountManagementAPI()
    made = api.add_api_key(name)
    renamed = api.update_api_key(made.id, name=f"{name} renamed")
    listed = [each.name for each in api.list_api_keys()]
    api.delete_api_key(made.id)
    return {"renamed": renamed.name, "listed": listed, "left": [each.name for each in api.list_api_keys()]}


def foundation(name: str) -> Any:
    """Do by the newer interface what the others do by the older one."""
    interface = SDK().foundation
    made = interface.developer_certificate(name=name).create()
    trusted = interface.trusted_certificate(id=made.id).read()
    bootstrap = interface.server_credentials().get_bootstrap()
    lwm2m = interface.server_credentials().get_lwm2m()
    listed = [each.name for each in interface.trusted_certificate().list()]
    registered = [each.id for each in interface.device().list(filter={"state": {"eq": "registered"}})]
    me = interface.account().me()
    trusted.delete()
    return {
        "account": me.id,
        "trusted": [trusted.id, trusted.subject, trusted.is_developer_certificate],
        "bootstrap": [bootstrap.server_uri, bootstrap.server_certificate],
        "lwm2m": [lwm2m.server_uri, lwm2m.server_certificate],
        "listed": listed,
        "registered": registered,
        "left": [each.name for each in interface.trusted_certificate().list()],
    }


def main() -> int:
    """Do what the command line says."""
    operation, *arguments = sys.argv[1:]
    try:
        answer = globals()[operation](*arguments)
    except Exception as error:
        # Lists that are read later raise what lies below: that is no CloudApiException, and has a status too.
        if not isinstance(error, CloudApiException) and not hasattr(error, "reason"):
            raise
        print(json.dumps({"status": getattr(error, "status", None), "reason": str(error.reason)}))  # noqa: T201 - the answer
        return 1
    print(json.dumps(answer, default=str))  # noqa: T201 - the answer
    return 0


if __name__ == "__main__":
    sys.exit(main())
