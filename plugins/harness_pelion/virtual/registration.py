"""The device's registration at the LwM2M server: made, kept up, given up.

Source: pelion fact sheet, sections 6.1 and 6.2; OMA LwM2M 1.0, section 5.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.virtual import coap, device_objects
from harness_pelion.virtual.bootstrap import CLIENT_VERSION
from harness_pelion.virtual.client_log import ClientFailure, ErrorName
from harness_pelion.virtual.coap import Format, Message, Option
from harness_pelion.virtual.link_format import links

if TYPE_CHECKING:
    from harness_pelion.virtual.coap_link import CoapLink

ENDPOINT_TYPE = "default"
#: After these the client throws its LwM2M credentials away and bootstraps again (client source).
_HOPELESS = frozenset({coap.BAD_REQUEST, coap.FORBIDDEN})


def query(endpoint_name: str, account_id: str | None, lifetime_s: float) -> tuple[str, ...]:
    """Return the query of a registration, one text an option."""
    text = f"ep={endpoint_name}&et={ENDPOINT_TYPE}&lt={int(lifetime_s)}"
    if account_id is not None:
        text += f"&aid={account_id}"
    return tuple(f"{text}&mccv={CLIENT_VERSION}".split("&"))


class Registration:
    """One registration at one server."""

    def __init__(self, link: CoapLink, endpoint_name: str, account_id: str | None) -> None:
        """Be none yet.

        :param account_id: ``None`` when no URI names one.
        """
        self._link = link
        self._endpoint_name = endpoint_name
        self._account_id = account_id
        self._location = ""

    def register(self, lifetime_s: float) -> None:
        """Register, and keep what the server calls the registration.

        :param lifetime_s: seconds for which the server is to believe in it.
        :raises ClientFailure: it does not come to be.
        :raises Abandoned: the run was ended.
        """
        answer = self._link.request(
            coap.POST,
            "/rd",
            query=query(self._endpoint_name, self._account_id, lifetime_s),
            payload=links(device_objects.OBJECTS),
            content_format=Format.LINKS,
        )
        if answer.code != coap.CREATED:
            name = ErrorName.ConnectNetworkError
            if answer.code in _HOPELESS:
                name = ErrorName.ConnectInvalidParameters
            raise ClientFailure(name, f"the registration was refused: {said(answer)}")
        parts = [part.decode(errors="replace") for part in answer.values(Option.LOCATION_PATH)]
        if not parts:
            raise ClientFailure(
                ErrorName.ConnectNetworkError, "the registration was answered without a location"
            )
        self._location = "/" + "/".join(parts)

    def update(self) -> None:
        """Tell the server that the device is still there.

        :raises ClientFailure: the server refuses; ``ConnectNotRegistered`` when it does not know of it.
        :raises Abandoned: the run was ended.
        """
        answer = self._link.request(coap.POST, self._location)
        if answer.code == coap.NOT_FOUND:
            raise ClientFailure(ErrorName.ConnectNotRegistered, f"the update was refused: {said(answer)}")
        if not answer.succeeded:
            raise ClientFailure(ErrorName.ConnectNetworkError, f"the update was refused: {said(answer)}")

    def deregister(self) -> None:
        """Tell the server that the device goes.

        :raises ClientFailure: the server refuses.
        :raises Abandoned: the run was ended.
        """
        answer = self._link.request(coap.DELETE, self._location)
        if answer.code != coap.DELETED:
            raise ClientFailure(
                ErrorName.ConnectNotRegistered, f"the deregistration was refused: {said(answer)}"
            )


def said(answer: Message) -> str:
    """Write what a server answered, with its own words when it gave some."""
    words = answer.payload.decode(errors="replace").strip()
    return f"{coap.shown(answer.code)} ({words})" if words else coap.shown(answer.code)
