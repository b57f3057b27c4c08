"""The questions about a device of the check's own, which the service's factory knows.

Everything is asked of a fresh claim, so that no question depends on what the one before left.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness_nordic.check_coap import CBOR, CoapAsker
from harness_nordic.check_interview import items_of, new_name
from harness_nordic.check_probes import PEM, SEC_TAG, certificate
from harness_nordic.client_claims import DEVICES
from harness_nordic.client_core_accounts import CORE_DEVICE, device_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness_nordic.check_coap import CoapAnswer
    from harness_nordic.check_device import CheckDevice
    from harness_nordic.check_interview import Interview

FINISHED: dict[str, Any] = {"finished": {}}
MOST_COMMANDS = 20

_WRITTEN = re.compile(r"0,([0-9]+),0,")


def ask_about_claims(interview: Interview, device: CheckDevice) -> None:
    """Claim a device in several ways, block it and unclaim it."""
    _one_by_one(interview, device, _ask_about_claims, _ask_about_rows)


def ask_about_commands(interview: Interview, device: CheckDevice) -> None:
    """Give a device commands, and have it execute them or fail."""
    rounds = (_ask_about_commands, _ask_about_done, _ask_about_failed, _ask_about_unfit)
    _one_by_one(interview, device, *rounds)


def ask_about_rules(interview: Interview, device: CheckDevice) -> None:
    """Have rules apply to a device."""
    _one_by_one(interview, device, _ask_about_rules)


def _one_by_one(
    interview: Interview, device: CheckDevice, *rounds: Callable[[Interview, CheckDevice], None]
) -> None:
    for questions in rounds:
        with interview.claimed(device):
            questions(interview, device)


def ask_by_coap(interview: Interview, device: CheckDevice) -> None:
    """Prove who a device is and fetch its commands by CoAP, before it is claimed and after."""
    with CoapAsker(interview.side.coap) as stranger:
        _note_answer(interview, "fetch by CoAP without a proof", stranger.ask("GET", "p/cmd"))
        wrong = stranger.ask("POST", "p/auth-jwt", payload=b"no.j.wt", content_format=CBOR)
        _note_answer(interview, "prove by CoAP with what is no JWT", wrong)
        _prove(interview, device, stranger, "prove by CoAP as a device that nobody claimed")
    with interview.claimed(device), CoapAsker(interview.side.coap) as asker:
        interview.claim(device)
        _prove(interview, device, asker, "prove by CoAP")
        _note_answer(interview, "fetch by CoAP", asker.ask("GET", "p/cmd"))
        _note_answer(interview, "suspend by CoAP", asker.ask("POST", ".dtls/suspend"))
        interview.ask("", "POST", f"{DEVICES}/{device.id}/block")
        _note_answer(interview, "fetch by CoAP as a blocked device", asker.ask("GET", "p/cmd"))


def _prove(interview: Interview, device: CheckDevice, asker: CoapAsker, question: str) -> None:
    answer = asker.ask("POST", "p/auth-jwt", payload=device.jwt().encode(), content_format=CBOR)
    _note_answer(interview, question, answer)
    interview.note(question, "seconds", answer.max_age)


def _note_answer(interview: Interview, question: str, answer: CoapAnswer) -> None:
    interview.note(question, "code", f"{answer.status // 100}.{answer.status % 100:02}")


def _ask_about_claims(interview: Interview, device: CheckDevice) -> None:
    path = f"{DEVICES}/{device.id}"
    interview.fetch(device, "fetch of a device that nobody claimed")
    interview.ask(
        "dry run of a device that is nobody's",
        "POST",
        DEVICES,
        json={"claimToken": device.token()},
        params={"dryrun": "true"},
    )
    tagged = interview.claim(device, "claim with a tag that there is not", tags=[new_name()], defines=True)
    if not tagged.is_success:
        interview.claim(device, "claim")
    interview.claim(device, "claim twice")
    filtered = interview.ask("devices of no IMEI", "GET", DEVICES, params={"imei": "0" * 15})
    interview.note("devices of no IMEI", "number", len(items_of(filtered)))
    interview.ask("set the tags of a device", "PUT", path, json={"tags": []})
    interview.ask("block", "POST", f"{path}/block")
    interview.note_field("a blocked device", path)
    interview.fetch(device, "fetch of a blocked device")
    interview.ask("unblock", "POST", f"{path}/unblock")
    interview.fetch(device, "fetch with a JWT by another key", forged=True)


def _ask_about_commands(interview: Interview, device: CheckDevice) -> None:
    path = f"{DEVICES}/{device.id}"
    commands = f"{path}/provisioning"
    interview.claim(device)
    interview.command(device, {"config": {"properties": {"check": "1"}}}, "make a configuration")
    interview.run(device)
    wanted = interview.command(device, certificate(), "make a command")
    interview.ask("commands", "GET", commands)
    served = interview.fetch(device, "fetch of a command")
    interview.note(
        "fetch of a command", "id is the command's", any(each[0].startswith(wanted) for each in served)
    )
    interview.note("fetch of a command", "line ends", "CRLF" if "\r\n" in _texts_in(served) else "LF")
    interview.note_field("a command in hand", f"{commands}/{wanted}")
    interview.report(device, served)
    interview.note_field("a command that succeeded", f"{commands}/{wanted}")
    interview.note_field("a device without finished", path)
    csr = interview.command(device, {"certificateSigningRequest": {"secTag": SEC_TAG}})
    interview.run(device, f'%KEYGEN: "{device.csr(SEC_TAG)}"\r\nOK\r\n')
    interview.ask("a CSR", "GET", f"{commands}/{csr}")
    plain = interview.command(device, certificate())
    interview.run(device, "ERROR\r\n")
    interview.note_field("a command that was answered ERROR", f"{commands}/{plain}")


def _ask_about_done(interview: Interview, device: CheckDevice) -> None:
    interview.claim(device)
    for _number in range(MOST_COMMANDS):
        interview.command(device, FINISHED)
    interview.run(device)
    interview.command(device, certificate(), "make a command behind 20 that are done")


def _ask_about_failed(interview: Interview, device: CheckDevice) -> None:
    commands = f"{DEVICES}/{device.id}/provisioning"
    interview.claim(device)
    failing = interview.command(device, certificate())
    behind = interview.command(device, FINISHED)
    interview.run(device, "+CME ERROR: 518\r\n", cme_error=518)
    interview.ask("a command that failed", "GET", f"{commands}/{failing}")
    interview.ask("a command behind one that failed", "GET", f"{commands}/{behind}")


def _ask_about_unfit(interview: Interview, device: CheckDevice) -> None:
    interview.claim(device)
    unfit = interview.command(device, certificate(content=PEM * 20))
    interview.fetch(device, "fetch of what does not fit", room=512)
    interview.note_field("a command that does not fit", f"{DEVICES}/{device.id}/provisioning/{unfit}")


def _ask_about_rows(interview: Interview, device: CheckDevice) -> None:
    interview.claim_by_row(device, "claim by a row")


def _ask_about_rules(interview: Interview, device: CheckDevice) -> None:
    """Give the device three rules: the second has no room behind the first, the third has."""
    tag = new_name()
    interview.make_tag(tag)
    onboarding = {"subType": "check", "fwTypes": [], "group": ""}
    for slots in (range(1, 2), range(2, 2 + MOST_COMMANDS - 1), range(50, 51)):
        commands = [{"request": certificate(slot)} for slot in slots]
        rule = {"name": new_name(), "description": "", "active": True, "commands": commands, "tags": [tag]}
        interview.make_rule({**rule, "onboarding": onboarding} if slots.start == 1 else rule)
    interview.books.intend(CORE_DEVICE, device.id, expected=True)
    interview.claim(device, tags=[tag])
    served = interview.fetch(device)
    question = "fetch of a device with three rules"
    interview.note(question, "slots", _slots_in(served))
    interview.note(question, "finished", any(each[1] == 2 for each in served))  # noqa: PLR2004 - finished
    interview.report(device, served)
    interview.ask("a device that a rule onboards", "GET", device_path(device.id), part="core")


def _slots_in(served: list[list[Any]]) -> list[int]:
    """Return the slots of the check's own that are written, in the order of their writing."""
    texts = [text for each in served for text in each if isinstance(text, str)]
    return [int(found[1]) - SEC_TAG for text in texts if (found := _WRITTEN.match(text))]


def _texts_in(served: list[list[Any]]) -> str:
    """Return the texts in what was served."""
    return "".join(text for each in served for text in each if isinstance(text, str))
