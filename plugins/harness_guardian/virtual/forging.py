"""What a test lets be wrong in the requests that the board makes next."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

SIGNATURE, SIGNATURE_LENGTH, NO_SIGNATURE = "signature", "signature-length", "no-signature"
ALGORITHM, CSR_SIGNATURE, CSR_KEY = "algorithm", "csr-signature", "csr-key-of-signer"
CREATED_AT, REQUEST_ID, NONCE = "created-at", "request-id", "nonce"
REPROVISION_FLAG, PAYLOAD, UNDECODABLE = "reprovision-flag", "payload", "undecodable"
#: Everything that may be forged.
FORGERIES = (
    ALGORITHM,
    CREATED_AT,
    CSR_KEY,
    CSR_SIGNATURE,
    NO_SIGNATURE,
    NONCE,
    PAYLOAD,
    REPROVISION_FLAG,
    REQUEST_ID,
    SIGNATURE,
    SIGNATURE_LENGTH,
    UNDECODABLE,
)
_VALUED = {CREATED_AT: (int, float), REQUEST_ID: (str,), NONCE: (str,)}
_MOST = 1_000_000


@dataclass(slots=True)
class _Order:
    what: str
    left: int
    value: Any


class Forging:
    """The forgeries that wait for requests; several may meet one."""

    def __init__(self) -> None:
        """Forge nothing."""
        self._orders: deque[_Order] = deque()

    def order(self, what: str, times: int, value: Any) -> None:
        """Let the next requests be forged in one respect.

        :param value: seconds for ``created-at`` (negative: in the past); a request id or nonce (base64url)
            for these two, without it that of the request before.
        :raises ValueError: there is no such forgery, or it cannot be so.
        """
        if what not in FORGERIES:
            raise ValueError(f"what is {what!r}; expected one of {', '.join(map(repr, FORGERIES))}")
        if isinstance(times, bool) or not isinstance(times, int) or not 1 <= times <= _MOST:
            raise ValueError(f"times is {times!r}; expected a count from 1")
        kinds = _VALUED.get(what, ())
        fits = value is None or (isinstance(value, kinds) and not isinstance(value, bool))
        if not fits or (what == CREATED_AT and value is None):
            wanted = {CREATED_AT: "seconds", REQUEST_ID: "a text", NONCE: "a text"}.get(what, "none")
            raise ValueError(f"value is {value!r}; expected {wanted}")
        self._orders.append(_Order(what, times, value))

    def take(self) -> dict[str, Any]:
        """Return what is to be forged in the request that is made now, with values; it counts as forged."""
        taken = {order.what: order.value for order in self._orders}
        for order in self._orders:
            order.left -= 1
        self._orders = deque(order for order in self._orders if order.left > 0)
        return taken

    def clear(self) -> None:
        """Forge nothing any more."""
        self._orders.clear()
