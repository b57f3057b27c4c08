"""The check finds each thing that a service decides otherwise than our fake."""

from __future__ import annotations

import asyncio
from dataclasses import fields, replace
from typing import Any

import httpx
import pytest

from harness_nordic.check_device import CheckDevice
from harness_nordic.fake.app import NrfCloudFake
from harness_nordic.fake.choices import CONTRARIAN, FAKE
from harness_nordic.service_check import compare

CHOICES = [
    field.name for field in fields(FAKE) if getattr(FAKE, field.name) != getattr(CONTRARIAN, field.name)
]
HARMLESS = {
    "bad_request",
    "command_control",
    "error_code",
    "not_found",
    "plain_lists",
    "reason_told",
    "rule_control",
    "tags_readable",
    "tags_settable",
    "token_refused",
    "bulk_failed_as_tokens",
}
NOT_CHECKED = {
    "role_too_low": "needs keys of other roles",
    "rules_brief": "rules that are made",
    "rule_finished": "rules that are made",
    "rules_in_order": "rules that are made",
    "rules_overtake": "rules that are made",
    "rules_onboard": "rules that are made",
    "core_delete_answers_device": "onboarded devices that are made",
    "core_all_rows_or_none": "onboarded devices that are made",
    "core_operation_takes_time": "onboarded devices that are made",
    "core_groups_shown": "onboarded devices that are made",
    "coap_claim_needed": "the CoAP variant",
    "coap_session_seconds": "the CoAP variant",
    "coap_suspend": "the CoAP variant",
}


def asker(fake: NrfCloudFake) -> Any:
    """Ask a fake in this process, as a team of its own."""
    key = fake.provisioning.add_member().api_key

    def ask(
        method: str, path: str, *, part: str = "url", bearer: str | None = "", **content: Any
    ) -> httpx.Response:
        assert part in {"url", "core", "device"}
        headers = dict(content.pop("headers", {}))
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer or key}"

        async def exchange() -> httpx.Response:
            transport = httpx.ASGITransport(fake.service)
            async with httpx.AsyncClient(transport=transport, base_url="http://fake") as client:
                return await client.request(method, path, headers=headers, **content)

        return asyncio.run(exchange())

    return ask


def known_to(*fakes: NrfCloudFake) -> CheckDevice:
    """Make a device, and enrol it with fakes."""
    device = CheckDevice()

    async def enrol(fake: NrfCloudFake) -> int:
        transport = httpx.ASGITransport(fake.control)
        async with httpx.AsyncClient(transport=transport, base_url="http://fake") as client:
            return (await client.post("/factory", json=device.record)).status_code

    assert [asyncio.run(enrol(fake)) for fake in fakes] == [201] * len(fakes)
    return device


def test_fake_is_like_itself() -> None:
    """Two fakes that decide alike show no difference, also with things made and a device claimed."""
    theirs, ours = NrfCloudFake(), NrfCloudFake()

    result = compare(asker(theirs), asker(ours), own_team=True, device=known_to(theirs, ours))

    assert result.differences == ()
    assert result.asked > 50


@pytest.mark.parametrize("choice", sorted(set(CHOICES) - set(NOT_CHECKED)))
def test_each_choice_is_found(choice: str) -> None:
    """A service that decides one thing otherwise is told apart from the fake by it."""
    theirs = NrfCloudFake(choices=replace(FAKE, **{choice: getattr(CONTRARIAN, choice)}))
    ours = NrfCloudFake()

    if choice in HARMLESS:
        result = compare(asker(theirs), asker(ours))
    else:
        result = compare(asker(theirs), asker(ours), own_team=True, device=known_to(theirs, ours))

    assert result.differences


def test_harmless_questions_make_nothing() -> None:
    """Without leave, nothing is made: no claim, no tag, no rule; and what is not checked is said."""
    theirs, ours = NrfCloudFake(choices=CONTRARIAN), NrfCloudFake()
    ask = asker(theirs)
    paths = ("/v1/claimed-devices", "/v1/claimed-devices/tags", "/v1/provisioning-rules")
    before = [ask("GET", path).json() for path in paths]

    result = compare(ask, asker(ours))

    assert [ask("GET", path).json() for path in paths] == before
    assert any("--own-team" in reason for reason in result.not_checked.values())
    assert any("--control" in reason for reason in result.not_checked.values())


def test_what_is_made_is_undone() -> None:
    """With leave, the team has afterwards what it had before."""
    theirs, ours = NrfCloudFake(choices=CONTRARIAN), NrfCloudFake()
    ask = asker(theirs)

    compare(ask, asker(ours), own_team=True, device=known_to(theirs, ours))

    assert ask("GET", "/v1/claimed-devices").json() == []
