"""What the device does at the bootstrap server, and what it makes of what it gets there.

Source: pelion fact sheet, section 6.2 (certificate mode); OMA LwM2M 1.0, section 5.2. What the server writes
is kept aside until it says that it has finished; then all of it is stored in one go, or nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.enums import Item
from harness_pelion.virtual import coap, tlv
from harness_pelion.virtual.client_log import ClientFailure, ErrorName
from harness_pelion.virtual.coap import Format, Message
from harness_pelion.virtual.kcm import BOOTSTRAPPED_ENDPOINT
from harness_pelion.virtual.server_uri import read_uri
from harness_pelion.virtual.tls_link import read_identity
from harness_pelion.virtual.tlv import Entry, Kind, MalformedTlv

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: The version that the client names to both servers: that of the client in Mbed Linux OS.
CLIENT_VERSION = "3.0.0"

_SECURITY, _SERVER, _DEVICE = 0, 1, 3
_OBJECTS = frozenset({_SECURITY, _SERVER, _DEVICE})
_DELETABLE = frozenset({_SECURITY, _SERVER})
# Resources of the security object (pelion fact sheet, section 6.2).
_URI, _IS_BOOTSTRAP, _MODE, _CERTIFICATE, _AUTHORITY, _KEY, _SHORT_ID = 0, 1, 2, 3, 4, 5, 10
_CERTIFICATE_MODE = 2
_HIGHEST_ID = 0xFFFF


def query(endpoint_name: str, account_id: str | None, internal_endpoint: str | None) -> tuple[str, ...]:
    """Return the query of the request that begins a bootstrap, one text an option.

    :param account_id: ``None`` when the server's URI names none.
    :param internal_endpoint: the name that an earlier bootstrap gave, ``None`` when there was none.
    """
    text = f"ep={endpoint_name}"
    if account_id is not None:
        text += f"&aid={account_id}"
    text += f"&mccv={CLIENT_VERSION}"
    if internal_endpoint is not None:
        text += f"&iep={internal_endpoint}"
    return tuple(text.split("&"))  # as the client does, also within a name


class _Unfit(Exception):
    """The server asked for something that the device does not understand."""


class Bootstrap:
    """The server's part of a bootstrap, as the device sees it.

    :ivar finished: the results are stored.
    :ivar failure: why they were not.
    """

    def __init__(self, endpoint_name: str, store: Callable[[Mapping[str, bytes]], None]) -> None:
        """Hold nothing yet.

        :param endpoint_name: with which the device asked.
        :param store: stores the results; what it raises becomes the bootstrap's failure.
        """
        self.finished = False
        self.failure: ClientFailure | None = None
        self._endpoint_name = endpoint_name
        self._store = store
        self._instances: dict[int, dict[int, Entry]] = {}

    @property
    def ended(self) -> bool:
        """Whether the server has said that it has finished, and what became of it is known."""
        return self.finished or self.failure is not None

    def answer(self, message: Message) -> Message:
        """Do what the server asks for, and return the answer."""
        try:
            return message.reply(self._do(message))
        except (_Unfit, MalformedTlv) as error:
            return message.reply(coap.BAD_REQUEST, str(error).encode())
        except ClientFailure as failure:
            self.failure = failure
            refused_by_store = failure.name is ErrorName.ConnectorFailedToStoreCredentials
            code = coap.INTERNAL_SERVER_ERROR if refused_by_store else coap.BAD_REQUEST
            return message.reply(code, failure.details.encode())

    def _do(self, message: Message) -> int:
        if message.code == coap.POST and message.path == "/bs":
            self._store(self.results())
            self.finished = True
            return coap.CHANGED
        numbers = _numbers(message.path)
        if message.code == coap.DELETE:
            self._delete(numbers)
            return coap.DELETED
        if message.code == coap.PUT:
            self._put(numbers, message)
            return coap.CHANGED
        raise _Unfit(f"{coap.shown(message.code)} is nothing that a bootstrap asks for")

    def _delete(self, numbers: tuple[int, ...]) -> None:
        match numbers:
            case ():
                self._instances.clear()
            case (which,) if which in _DELETABLE:
                if which == _SECURITY:
                    self._instances.clear()
            case (which, instance) if which in _DELETABLE:
                if which == _SECURITY:
                    self._instances.pop(instance, None)
            case _:
                raise _Unfit("this cannot be deleted")

    def _put(self, numbers: tuple[int, ...], message: Message) -> None:
        if message.content_format not in {Format.TLV, Format.OLD_TLV}:
            raise _Unfit("its content format is not TLV")
        entries = tlv.decode(message.payload)
        match numbers:
            case (which,) if which in _OBJECTS:
                instances = _by_instance(entries, default=0)
            case (which, instance) if which in _OBJECTS:
                instances = _by_instance(entries, default=instance)
                if set(instances) - {instance}:
                    raise _Unfit("it is of another instance than its path")
            case _:
                raise _Unfit("this cannot be written")
        if which == _SECURITY:
            for resources in instances.values():
                _check_security(resources)
            self._instances |= instances

    def results(self) -> dict[str, bytes]:
        """Return the items that the device stores.

        :raises ClientFailure: something is missing, empty or broken, or does not fit.
        """
        servers = [each for each in self._instances.values() if not _is_bootstrap(each)]
        if len(servers) != 1:
            raise _invalid(f"the bootstrap server named {len(servers)} LwM2M servers; expected 1")
        values = {number: entry.value for number, entry in servers[0].items()}
        if _MODE not in values:
            raise _invalid("the bootstrap server named no security mode")
        for number, what in _NEEDED.items():
            if not values.get(number):
                raise _invalid(f"the bootstrap server gave no {what}")
        try:
            read_uri(values[_URI])
            identity = read_identity(values[_CERTIFICATE], values[_KEY], values[_AUTHORITY])
        except ClientFailure as failure:
            raise _invalid(f"from the bootstrap server: {failure.details}") from None
        if not identity.common_name:
            raise _invalid("the certificate from the bootstrap server has no common name")
        return {
            Item.LWM2M_SERVER_URI: values[_URI],
            Item.LWM2M_DEVICE_CERT: values[_CERTIFICATE],
            Item.LWM2M_DEVICE_PRIVATE_KEY: values[_KEY],
            Item.LWM2M_SERVER_CA_CERT: values[_AUTHORITY],
            Item.INTERNAL_ENDPOINT: identity.common_name.encode(),
            BOOTSTRAPPED_ENDPOINT: self._endpoint_name.encode(),
        }


_NEEDED = {_URI: "server URI", _CERTIFICATE: "certificate", _AUTHORITY: "server certificate", _KEY: "key"}


def _numbers(path: str) -> tuple[int, ...]:
    parts = path.strip("/").split("/") if path.strip("/") else []
    if not all(part.isascii() and part.isdigit() and len(part) <= len(str(_HIGHEST_ID)) for part in parts):
        raise _Unfit("its path is not of numbers")
    return tuple(int(part) for part in parts)


def _by_instance(entries: tuple[Entry, ...], *, default: int) -> dict[int, dict[int, Entry]]:
    """Return the resources of each instance.

    :param default: the instance to which resources belong that are in none.
    """
    if entries and all(entry.kind is Kind.OBJECT_INSTANCE for entry in entries):
        return {entry.id: _resources(entry.entries) for entry in entries}
    return {default: _resources(entries)}


def _resources(entries: tuple[Entry, ...]) -> dict[int, Entry]:
    if any(entry.kind not in {Kind.RESOURCE, Kind.MULTIPLE_RESOURCE} for entry in entries):
        raise _Unfit("an instance holds something else than resources")
    return {entry.id: entry for entry in entries}


def _check_security(resources: dict[int, Entry]) -> None:
    """Refuse a security instance that the client cannot use."""
    if any(entry.kind is not Kind.RESOURCE for entry in resources.values()):
        raise _Unfit("a resource of the security object is multiple")
    if _URI in resources:
        _ = resources[_URI].text
    if _SHORT_ID in resources:
        _ = resources[_SHORT_ID].integer
    if not _is_bootstrap(resources) and _MODE in resources:
        mode = resources[_MODE].integer
        if mode != _CERTIFICATE_MODE:
            raise _Unfit(f"security mode {mode} is not supported")


def _is_bootstrap(resources: dict[int, Entry]) -> bool:
    return _IS_BOOTSTRAP in resources and resources[_IS_BOOTSTRAP].boolean


def _invalid(text: str) -> ClientFailure:
    return ClientFailure(ErrorName.ConnectorInvalidCredentials, text)
