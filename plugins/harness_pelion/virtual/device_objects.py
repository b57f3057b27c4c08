"""The objects that a registered device shows its LwM2M server: the device, and the ids of its updates.

Source: pelion fact sheet, section 6.2; OMA LwM2M 1.0, object 3. The update object 10255 holds the vendor id
as resource 3 and the class id as resource 4, each of 16 bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.enums import Item
from harness_pelion.virtual import coap, tlv
from harness_pelion.virtual.coap import Format, Message, Option

if TYPE_CHECKING:
    from collections.abc import Mapping

DEVICE, UPDATE_IDS = "/3/0", "/10255/0"
#: What a registration lists.
OBJECTS = (DEVICE, UPDATE_IDS)
#: Items behind the resources that are text, and those that are bytes.
_TEXTS = {
    f"{DEVICE}/0": Item.MANUFACTURER,
    f"{DEVICE}/1": Item.MODEL_NUMBER,
    f"{DEVICE}/2": Item.SERIAL_NUMBER,
    f"{DEVICE}/17": Item.DEVICE_TYPE,
    f"{DEVICE}/18": Item.HARDWARE_VERSION,
}
_BYTES = {f"{UPDATE_IDS}/3": Item.VENDOR_ID, f"{UPDATE_IDS}/4": Item.CLASS_ID}
#: The items that a request may want.
ITEMS = (*_TEXTS.values(), *_BYTES.values())


def answer(message: Message, items: Mapping[str, bytes | None]) -> Message:
    """Answer a request of the LwM2M server's.

    :param items: the store's, by name.
    """
    if message.code != coap.GET:
        return message.reply(coap.METHOD_NOT_ALLOWED)
    held = {path: items.get(item) for path, item in (_TEXTS | _BYTES).items()}
    if message.path in OBJECTS:
        prefix = f"{message.path}/"
        resources = {
            int(path.removeprefix(prefix)): value
            for path, value in held.items()
            if path.startswith(prefix) and value is not None
        }
        return _content(message, Format.TLV, tlv.encode_resources(resources))
    value = held.get(message.path)
    if value is None:
        return message.reply(coap.NOT_FOUND)
    return _content(message, Format.TEXT if message.path in _TEXTS else Format.OPAQUE, value)


def _content(message: Message, form: Format, payload: bytes) -> Message:
    wanted = message.values(Option.ACCEPT)
    if wanted and int.from_bytes(wanted[0], "big") != form:
        return message.reply(coap.NOT_ACCEPTABLE)
    return message.reply(coap.CONTENT, payload, form)
