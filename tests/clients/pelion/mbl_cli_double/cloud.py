"""What the public MBL CLI asks of the service, by the vendor's SDK: section 4 of the pelion fact sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .c_files import DEVELOPER, parse_c

if TYPE_CHECKING:
    from collections.abc import Iterable

EXISTS = (
    "The developer certificate you are trying to create already exists in the "
    "Pelion Device Management Portal."
)


class Cloud:
    """The account of a key."""

    def __init__(self, key: str) -> None:
        from mbed_cloud import (  # type: ignore[import-not-found] # it is in the clients' environment only
            AccountManagementAPI,
            CertificatesAPI,
        )

        self._accounts = AccountManagementAPI({"api_key": key})
        self._certificates = CertificatesAPI({"api_key": key})

    def validate(self) -> None:
        self._accounts.get_account()

    def create(self, name: str) -> dict[str, bytes]:
        from mbed_cloud.exceptions import CloudApiException  # type: ignore[import-not-found] # as above

        try:
            certificate = self._certificates.add_developer_certificate(name=name)
        except CloudApiException as error:
            if error.reason == "Conflict":
                raise ValueError(EXISTS) from error
            raise
        return parse_c(certificate.header_file, *DEVELOPER)

    def named(self) -> Iterable[tuple[str, Any]]:
        """Yield name and details of each certificate of the account."""
        for each in list(self._certificates.list_certificates()):
            details = self._certificates.get_certificate(each.id)
            yield details.name, details

    def find(self, name: str) -> dict[str, bytes]:
        for found, details in self.named():
            if found == name:
                return parse_c(details.header_file, *DEVELOPER)
        available = ", ".join(each for each, _ in self.named())
        raise ValueError(f"The developer certificate does not exist. Available certificates: {available}")

    def delete(self, name: str) -> None:
        """Delete a certificate, where it is listed."""
        if name not in [each for each, _ in self.named()]:
            return
        for certificate in list(self._certificates.list_certificates()):
            if certificate.name == name:
                self._certificates.delete_certificate(certificate.id)
