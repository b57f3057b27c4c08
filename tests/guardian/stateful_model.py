"""What Guardian must do with provisioning requests, written from the fact sheet (sections 2, 3, 6 and 9).

It shares no code with the fake. One step of a request at a time: :meth:`Model.advance`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MOST_DEVICES = 2
"""Of the component in a system instance; a hardware id is of one device."""

FINAL = {"provisioned", "rejected_by_user", "rejected_by_system", "error"}
WAITING = {"needs_approval", "complete_provisioning"} | FINAL
ORDERS = {
    "approve": ("needs_approval", "approving"),
    "reject": ("needs_approval", "rejecting"),
    "provision": ("complete_provisioning", "provisioning"),
}


@dataclass
class ModelDevice:
    """A component instance.

    :ivar state: ``approved``, ``seated``, ``provisioned`` or ``failed``.
    :ivar busy: numbers of its requests that are verified and not final.
    """

    system: str
    ward: str
    hw_id: str
    state: str = "approved"
    busy: set[int] = field(default_factory=set)


@dataclass
class ModelRequest:
    """A request as it must be.

    :ivar system: ``Manual`` or ``Automatic``.
    :ivar signer: the device whose identity signed it; ``None``: the package's key did.
    :ivar passed: the statuses; an error ends with its code.
    :ivar issued: how often Vault was asked to issue.
    """

    number: int
    system: str
    ward: str
    hw_id: str
    signer: ModelDevice | None = None
    replayed: bool = False
    device: ModelDevice | None = None
    passed: list[str] = field(default_factory=lambda: ["verifying"])
    code: str | None = None
    by: dict[str, str] = field(default_factory=dict)
    issued: int = 0

    @property
    def status(self) -> str:
        """The status that it has now."""
        return self.passed[-1]


@dataclass
class Model:
    """All requests and devices.

    :ivar held: (system, status) in which requests stay.
    :ivar vault_fails: whether Vault signs nothing.
    """

    requests: list[ModelRequest] = field(default_factory=list)
    devices: list[ModelDevice] = field(default_factory=list)
    held: set[tuple[str, str]] = field(default_factory=set)
    vault_fails: bool = False

    def may(self, action: str, request: ModelRequest) -> int:
        """Return the status with which an Admin's order is refused; 0: it counts."""
        if request.system == "Automatic":
            return 422
        return 0 if request.status == ORDERS[action][0] else 409

    def order(self, action: str, request: ModelRequest, user: str) -> None:
        """Let an order count."""
        request.passed.append(ORDERS[action][1])
        request.by[action] = user

    def settle(self) -> None:
        """Let everything come to where a user, a hold or the end keeps it: all of them a step at a time."""
        moving = self.requests
        while moving:
            moving = [request for request in moving if self.moves(request)]
            for request in moving:
                self.advance(request)

    def moves(self, request: ModelRequest) -> bool:
        """Tell whether a request goes on by itself."""
        return request.status not in WAITING and (request.system, request.status) not in self.held

    def advance(self, request: ModelRequest) -> None:
        """Let a request take its next step."""
        if request.status == "verifying":
            self._verify(request)
        elif request.status == "auto_approved":
            request.passed.append("provisioning")
        elif request.status == "approving":
            self._approve(request)
            request.passed.append("complete_provisioning")
        elif request.status == "rejecting":
            self._end(request, "rejected_by_user")
        else:
            self._provision(request)

    def _verify(self, request: ModelRequest) -> None:
        if request.replayed:
            request.passed.append("rejected_by_system")
            return
        code = self._mismatch(request) if request.signer else self._no_place(request, seated=False)
        if code:
            self._end(request, "error", code)
            return
        if request.signer is not None:
            request.device = request.signer
            request.device.busy.add(request.number)
        if request.system == "Automatic":
            self._approve(request)
        request.passed.append("auto_approved" if request.system == "Automatic" else "needs_approval")

    def _mismatch(self, request: ModelRequest) -> str | None:
        signer = request.signer
        assert signer is not None
        if request.ward != signer.ward:
            return "REPROVISIONING_MISMATCH_INSTANCE"
        if request.hw_id != signer.hw_id:
            return "REPROVISIONING_MISMATCH_HARDWARE_IDENTIFIER"
        return "REPROVISIONING_PROVISIONING_COMPONENT" if signer.busy else None

    def _no_place(self, request: ModelRequest, *, seated: bool) -> str | None:
        counted = {"seated", "provisioned"} if seated else {"approved", "seated", "provisioned"}
        others = [
            device
            for device in self.devices
            if device.system == request.system and device.state in counted and device is not request.device
        ]
        if any(device.hw_id == request.hw_id for device in others):
            return "DUPLICATE_HW_ID_FAILURE"
        if sum(device.ward == request.ward for device in others) >= MOST_DEVICES:
            return "MAX_INSTANCE_FAILURE"
        return None

    def _approve(self, request: ModelRequest) -> None:
        if request.device is None:
            request.device = ModelDevice(request.system, request.ward, request.hw_id, busy={request.number})
            self.devices.append(request.device)

    def _provision(self, request: ModelRequest) -> None:
        device = request.device
        assert device is not None
        if request.signer is None:
            code = self._no_place(request, seated=True)
            if code:
                self._end(request, "error", code)
                return
            device.state = "seated"
        request.issued += 1
        if self.vault_fails:
            self._end(request, "error", "FAIL_SIGN_DEVICE_CERTIFICATES")
        else:
            device.state = "provisioned"
            self._end(request, "provisioned")

    def _end(self, request: ModelRequest, status: str, code: str | None = None) -> None:
        request.passed.append(status)
        request.code = code
        if request.device is not None:
            request.device.busy.discard(request.number)
            if status == "error" and request.signer is None:
                request.device.state = "failed"
