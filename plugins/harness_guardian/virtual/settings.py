"""How the component and its agent were built."""

from __future__ import annotations

from dataclasses import dataclass

from harness_guardian.enums import KeyType

#: The slots that firmware has keys for when its package does not say which the component has. [design]
BUILT_IN_SLOTS = {"identity": KeyType.P256, "tls": KeyType.P384, "signing": KeyType.ED25519}
#: The slot whose key is the device's identity (guardian fact sheet, section 10.2).
IDENTITY_SLOT = "identity"
#: The agent keeps no larger file (section 10.3).
LARGEST_FILE = 64 * 1024


@dataclass(slots=True)
class AgentSettings:
    """What differs between builds of the agent; a test may change it.

    :ivar wait_time: seconds for which the agent waits for a certified profile.
    :ivar http_timeout: seconds after which the service is too late, beside what it was asked to wait.
    :ivar prefer_wait: seconds that the agent asks the service to wait with its answer (RFC 7240).
    """

    wait_time: float = 120.0
    http_timeout: float = 10.0
    prefer_wait: int = 10


def check_setting(name: str, value: object) -> None:
    """Refuse a setting that cannot be.

    :raises ValueError: it is unknown, or its value does not fit; the text says what does.
    """
    usual = AgentSettings()
    if not hasattr(usual, name):
        known = ", ".join(sorted(AgentSettings.__slots__))
        raise ValueError(f"unknown option {name!r}; known are {known}")
    kinds = (int,) if isinstance(getattr(usual, name), int) else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not 0 <= value <= _LONGEST:
        raise ValueError(f"{name} is {value!r}; expected seconds from 0 to {_LONGEST}")


_LONGEST = 3600
