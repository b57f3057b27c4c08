"""Services that this session does not start: the real one, or one at an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.backends.contract import Backend
from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.backends.contract import BackendSpec
    from harness.config import BackendChoice


def backend_elsewhere(spec: BackendSpec, choice: BackendChoice) -> Backend:
    """Return the service that ``--backend NAME=real`` or ``--backend NAME=URL`` names.

    :param spec: the service's specification.
    :param choice: what was asked for; no fake.
    :raises UsageError: it is not known where the real service is, or it has no such stage.
    """
    addresses = {}
    url = choice.url
    if url is None:
        if not spec.real:
            raise UsageError(
                f"nobody knows where the real {spec.title} is",
                key="--backend",
                value=f"{spec.name}=real",
                expected=f"{spec.name}=URL",
            )
        if choice.stage not in spec.real:
            stages = ", ".join(f"{spec.name}=real:{stage}" for stage in spec.real)
            raise UsageError(
                "the service has no such stage", key="--backend", value=choice.stage, expected=stages
            )
        addresses = dict(spec.real[choice.stage])
        url = addresses.pop("url")
    return Backend(
        name=spec.name,
        mode=choice.mode,
        url=url,
        capabilities=spec.real_capabilities,
        addresses=addresses,
    )
