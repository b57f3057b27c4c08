"""The kinds of virtual component."""

from __future__ import annotations

from dataclasses import dataclass

FIRMWARE = "1.4.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentKind:
    """A kind of component.

    :ivar model: what it says it is.
    :ivar serial: a template of its serial number.
    :ivar console_agent: the agent listens on the console; else the console carries a boot log only.
    :ivar ssh: the agent is usually reached by SSH, too.
    """

    model: str
    serial: str
    console_agent: bool
    ssh: bool


KINDS = {
    "guardian-component-virtual": ComponentKind(
        model="GC-200", serial="GC{number:06d}", console_agent=True, ssh=False
    ),
    "guardian-gateway-virtual": ComponentKind(
        model="GW-500", serial="GG{number:06d}", console_agent=False, ssh=True
    ),
}

#: What a gateway's console says when it boots.
BOOT_LOG = (
    "[    0.000000] Booting Linux on physical CPU 0x0",
    "[    0.412337] Machine model: Guardian gateway {model}",
    "[    1.204410] mmcblk0: secure storage found",
    "[    2.117862] guardian-agent[214]: version {firmware}, serial number {serial}",
    "[    2.120415] guardian-agent[214]: console is not used; log in by SSH",
)
