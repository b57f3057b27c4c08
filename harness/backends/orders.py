"""What a test orders from a fake, and that only a fake takes orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import UsageError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from harness.backends.contract import Backend
    from harness.backends.http import ServiceHttp


class Order:
    """Something that was ordered; as a context manager it is taken back at the end of its block.

    :ivar id: its id at the fake.
    """

    def __init__(self, control: ServiceHttp, place: str, identifier: str) -> None:
        """Hold an order; it is in force already.

        :param control: the way to the fake's control socket.
        :param place: path there of what is ordered; the order itself is below it.
        :param identifier: its id at the fake.
        """
        self._control = control
        self._place = place
        self.id = identifier

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take it back."""
        self.remove()

    def remove(self) -> None:
        """Take it back; idempotent."""
        path = f"{self._place}/{self.id}"
        self._control.request("DELETE", path, operation="take an order back", accept={200, 204, 404})


def control_of_fake(backend: Backend, control: ServiceHttp | None, what: str) -> ServiceHttp:
    """Return the way to a fake's control socket.

    :param backend: the service.
    :param control: that way; ``None`` where the service is no fake.
    :param what: what is wanted of it, for the message.
    :raises UsageError: the service is no fake.
    """
    if control is None:
        raise UsageError(
            f"{what} is to be had from a fake only",
            key="--backend",
            value=f"{backend.name}={backend.url}",
            expected=f"{backend.name}=fake",
        )
    return control
