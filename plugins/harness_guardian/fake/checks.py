"""The checks of a provisioning request that need no key and no Vault, in their order (fact sheet, section 3).

Each returns the first thing that it finds, or nothing. Steps 1, 2, 5 and 6 are here; the rest of 3 is in
:mod:`harness_guardian.fake.verifying`, 4 in :mod:`harness_guardian.fake.proofs`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness_guardian.enums import DuplicatePolicy, ErrorCode, ProvisionSource
from harness_guardian.fake.records import SEATED

if TYPE_CHECKING:
    from collections.abc import Collection

    from harness_guardian.fake.choices import Choices
    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.records import (
        ComponentDefinition,
        ComponentInstance,
        InstanceState,
        ProvisioningRequest,
        System,
        SystemInstance,
    )
    from harness_guardian.fake.requests_payload import RequestPayload


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a request fails.

    :ivar code: ``None``: the system rejects it.
    """

    code: ErrorCode | None
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """A request whose payload is well and whose system knows what it speaks of.

    :ivar instance: the system instance; ``None`` when a reprovisioning request names one that is unknown.
    """

    payload: RequestPayload
    system: System
    component: ComponentDefinition
    instance: SystemInstance | None


def malformed(detail: str) -> Finding:
    """A request whose signature, or what it signs, does not meet expectations."""
    return Finding(ErrorCode.PR_SIGNATURE_MALFORMED, detail)


def rejected(detail: str) -> Finding:
    """A request that the system rejects."""
    return Finding(None, detail)


def check_form(request: ProvisioningRequest) -> Finding | None:
    """Check envelope and payload (step 1)."""
    if request.envelope.fault is not None:
        return malformed(request.envelope.fault)
    if request.payload is None:
        return malformed(request.payload_fault or "the payload breaks the schema")
    if request.payload.reprovision != request.reprovision:
        return malformed("reprovision says otherwise than who signed it")
    return None


def check_known(request: ProvisioningRequest) -> Finding | None:
    """Check that the system knows what a request speaks of (step 2, first part)."""
    system, component = request.system, request.component
    if system is None:
        return rejected(f"unknown system {request.system_name!r}")
    if component is None:
        return rejected(f"unknown component {request.component_name!r}")
    if not component.enabled:
        return rejected(f"the component {component.name!r} is disabled")
    if request.system_instance is None and not request.reprovision:
        return rejected("unknown system instance")
    if component.hw_id_pattern is not None and not re.fullmatch(component.hw_id_pattern, request.hw_id):
        return rejected("the hardware id has not the form that the component's ids have")
    return None


def check_acceptable(request: ProvisioningRequest, choices: Choices) -> Finding | None:
    """Check source, freshness and replay (step 2, second part); the payload is well."""
    payload = request.payload
    if payload is None:
        return malformed("the payload breaks the schema")
    if payload.source is not None and payload.source is not request.door:
        return rejected(f"the request means the {payload.source.value}")
    age = request.created_at - payload.created_seconds
    if age > choices.oldest_request:
        return rejected("the request is too old")
    if -age > choices.newest_request:
        return rejected("the request comes from the future")
    if request.replayed:
        return rejected("the request id or the nonce was used before")
    return None


def check_signer(device: ComponentInstance) -> Finding | None:
    """Check that the device that signed a reprovisioning request still is one.

    That is part of step 3, and looked at again when provisioning begins: another device may have taken its
    place since.
    """
    if device.state in SEATED:
        return None
    return Finding(
        ErrorCode.UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER, f"the signer's device is {device.state.value}"
    )


def check_reprovision(claims: Claims, signer: ComponentInstance, *, in_progress: bool) -> Finding | None:
    """Check a reprovisioning request against the device that signed it (step 5).

    :param in_progress: whether another request of this device is not final.
    """
    if claims.component.name != signer.component_name:
        return Finding(
            ErrorCode.REPROVISIONING_MISMATCH_COMPONENT,
            f"the signer is a {signer.component_name!r}, not a {claims.component.name!r}",
        )
    if claims.instance is None or claims.instance.id != signer.instance.id:
        return Finding(
            ErrorCode.REPROVISIONING_MISMATCH_INSTANCE,
            f"the signer belongs to the system instance {signer.instance.name!r}",
        )
    if claims.payload.hw_id != signer.hw_id:
        return Finding(
            ErrorCode.REPROVISIONING_MISMATCH_HARDWARE_IDENTIFIER, "the signer has another hardware id"
        )
    if in_progress:
        return Finding(
            ErrorCode.REPROVISIONING_PROVISIONING_COMPONENT, "another request of the device is in progress"
        )
    return None


def check_initial(
    organisation: Organisation,
    request: ProvisioningRequest,
    claims: Claims,
    states: Collection[InstanceState],
) -> Finding | None:
    """Check an initial request against what there is (step 6; again when provisioning begins).

    :param states: of the devices that count; the request's own device does not.
    """
    component, system, instance = claims.component, claims.system, claims.instance
    if request.door is ProvisionSource.CLOUD and (
        component.appliance_only or system.provision_source is ProvisionSource.APPLIANCE
    ):
        return Finding(ErrorCode.APPLIANCE_ONLY, "only an appliance provisions this component initially")
    own = request.component_instance
    twins = [
        device
        for device in organisation.devices_with_hw_id(system, component.name, claims.payload.hw_id)
        if device is not own and device.state in states
    ]
    policy = component.duplicate_hw_id
    if policy is DuplicatePolicy.DENY and twins:
        return Finding(ErrorCode.DUPLICATE_HW_ID_FAILURE, "another device has this hardware id")
    replaced = [device for device in twins if instance is not None and device.instance.id == instance.id]
    if policy is DuplicatePolicy.ALLOW_SAME_INSTANCE and len(replaced) != len(twins):
        return Finding(
            ErrorCode.DUPLICATE_HW_ID_FAILURE, "a device of another system instance has this hardware id"
        )
    if component.max_instances is None or instance is None:
        return None
    others = [
        device
        for device in organisation.devices_of(system, instance, component.name, states)
        if device is not own
    ]
    if policy is DuplicatePolicy.ALLOW_SAME_INSTANCE:
        others = [device for device in others if device not in replaced]
    if len(others) + 1 > component.max_instances:
        text = f"the system instance has its {component.max_instances} devices of this component"
        return Finding(ErrorCode.MAX_INSTANCE_FAILURE, text)
    return None
