"""How a status looks: a colour beside the text, never instead of it."""

from __future__ import annotations

from harness_guardian.enums import Status

TONES = {
    Status.VERIFYING: "run",
    Status.AUTO_APPROVED: "run",
    Status.NEEDS_APPROVAL: "wait",
    Status.APPROVING: "run",
    Status.COMPLETE_PROVISIONING: "wait",
    Status.REJECTING: "run",
    Status.PROVISIONING: "run",
    Status.PROVISIONED: "good",
    Status.REJECTED_BY_USER: "bad",
    Status.REJECTED_BY_SYSTEM: "bad",
    Status.ERROR: "bad",
}
