"""The questions by which a service is compared with the fake, as far as a team's key is enough for them.

The harmless ones change nothing, whatever the service makes of them: they read, ask for what is not there, or
offer what is no token. The others make things in the team.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from harness_nordic.check_interview import NOBODY, json_of, new_name
from harness_nordic.client_claims import DEVICES
from harness_nordic.client_core_accounts import device_path
from harness_nordic.client_rules import RULES
from harness_nordic.client_tags import TAGS

if TYPE_CHECKING:
    from harness_nordic.check_device import CheckDevice
    from harness_nordic.check_interview import Interview

SEC_TAG = 910_000_000
PEM = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"

_LOOKS = 20
_PAUSE = 0.5
"""An onboarding is looked at so often, and so many seconds apart."""


def certificate(number: int = 0, content: str = PEM) -> dict[str, Any]:
    """Return the request to write a certificate.

    :param number: of the slot; the check has some of its own.
    """
    return {"serverCertificate": {"secTag": SEC_TAG + number, "content": content}}


def ask_harmlessly(interview: Interview) -> None:
    """Ask what changes nothing."""
    ask = interview.ask
    token = "bm8.dG9rZW4"  # noqa: S105 - two words of base64url, and no token
    ask("devices without a key", "GET", DEVICES, bearer=None)
    ask("devices with a key of nobody", "GET", DEVICES, bearer="nobodys-key")
    ask("devices", "GET", DEVICES)
    ask("devices, a page that cannot be", "GET", DEVICES, params={"pageLimit": "0"})
    ask("devices of a type that there is not", "GET", DEVICES, params={"deviceType": "none"})
    ask("a device that is nobody's", "GET", f"{DEVICES}/{NOBODY}")
    ask("unclaim a device that is nobody's", "DELETE", f"{DEVICES}/{NOBODY}")
    ask("block a device that is nobody's", "POST", f"{DEVICES}/{NOBODY}/block")
    ask("tags of a device that is nobody's", "PUT", f"{DEVICES}/{NOBODY}", json={"tags": []})
    ask("commands of a device that is nobody's", "GET", f"{DEVICES}/{NOBODY}/provisioning")
    ask("a command of a device that is nobody's", "GET", f"{DEVICES}/{NOBODY}/provisioning/{NOBODY}")
    dry = {"params": {"dryrun": "true"}}
    ask("dry run of what is no token", "POST", DEVICES, json={"claimToken": token}, **dry)
    ask("dry run without a token", "POST", DEVICES, json={}, **dry)
    ask("claim of a row that is no token", "POST", DEVICES, content=f'"{token}"\n')
    ask("tags", "GET", f"{DEVICES}/tags")
    ask("tags on the other path", "GET", "/v1/provisioning/tags")
    ask("a tag that there is not", "GET", f"{DEVICES}/tags/{NOBODY}")
    ask("rules", "GET", "/v1/provisioning-rules")
    ask("a rule that there is not", "GET", f"/v1/provisioning-rules/{NOBODY}")
    ask("onboarded devices", "GET", "/v1/devices", part="core")
    ask("an onboarded device that there is not", "GET", f"/v1/devices/{NOBODY}", part="core")
    ask("a bulk operation that there is not", "GET", f"/v1/bulk-ops-requests/{NOBODY}", part="core")
    ask("account", "GET", "/v1/account", part="core")
    fetch = "/v1/provisioning/commands"
    ask("fetch without a JWT", "GET", fetch, part="device", bearer=None)
    ask("fetch with what is no JWT", "GET", fetch, part="device", bearer="no.j.wt")


def ask_as_viewer(interview: Interview) -> None:
    """Ask with the key of a viewer what changes nothing, because what it names is not there."""
    viewer = interview.side.viewer
    interview.ask("devices, as a viewer", "GET", DEVICES, bearer=viewer)
    question = "unclaim a device that is nobody's, as a viewer"
    interview.ask(question, "DELETE", f"{DEVICES}/{NOBODY}", bearer=viewer)


def ask_in_own_team(interview: Interview, device: CheckDevice) -> None:
    """Make a tag, a rule and onboarded devices, and look at them.

    :param device: gives the certificates of the devices that are onboarded.
    """
    _ask_about_tags(interview)
    _ask_about_rules(interview)
    _ask_about_onboarding(interview, device)


def _ask_about_tags(interview: Interview) -> None:
    name = new_name()
    tag = interview.make_tag(name, "make a tag")
    interview.make_tag(name, "make a tag again")
    interview.ask("tags, one of them", "GET", TAGS)
    if identifier := interview.books.id_of(tag):
        path = f"{TAGS}/{quote(identifier, safe='')}"
        interview.ask("read a tag", "GET", path)
        interview.ask("rename a tag", "PUT", path, json={"tag": new_name(), "description": ""})
        interview.ask("delete a tag", "DELETE", path)


def _ask_about_rules(interview: Interview) -> None:
    tag, name = new_name(), new_name()
    interview.make_tag(tag)
    commands = [{"request": certificate()}]
    draft = {"name": name, "description": "", "active": False, "commands": commands, "tags": [tag]}
    rule = interview.make_rule(draft, "make a rule")
    interview.make_rule(draft, "make a rule again")
    interview.ask("rules, one of them", "GET", RULES)
    if identifier := interview.books.id_of(rule):
        path = f"{RULES}/{quote(identifier, safe='')}"
        interview.ask("read a rule", "GET", path)
        interview.ask("activate a rule", "PUT", path, json={"active": True})
        interview.ask("delete a rule", "DELETE", path)


def _ask_about_onboarding(interview: Interview, device: CheckDevice) -> None:
    good, bad = new_name(), new_name()
    pem = device.certificate()
    wrong = f'{bad},,,,"no certificate"'
    accepted = interview.onboard({good: f'{good},,,,"{pem}"', bad: wrong}, "onboard two rows, one is wrong")
    _await_operation(interview, json_of(accepted))
    interview.ask("the other row's device", "GET", device_path(good), part="core")
    other = new_name()
    accepted = interview.onboard({other: f'{other},,,,"{pem}"'}, "onboard a row")
    _await_operation(interview, json_of(accepted))
    interview.ask("an onboarded device", "GET", device_path(other), part="core")
    interview.ask("delete an onboarded device", "DELETE", device_path(other), part="core")


def _await_operation(interview: Interview, accepted: Any) -> None:
    """Look at a bulk operation until it is over, and write down how it looked first."""
    if not isinstance(accepted, dict) or not isinstance(accepted.get("bulkOpsRequestId"), str):
        return
    path = f"/v1/bulk-ops-requests/{quote(accepted['bulkOpsRequestId'], safe='')}"
    response = interview.ask("a bulk operation", "GET", path, part="core")
    interview.note("a bulk operation", "first seen", (json_of(response) or {}).get("status"))
    for _look in range(_LOOKS):
        body = json_of(response)
        if not isinstance(body, dict) or body.get("status") not in {"PENDING", "IN_PROGRESS"}:
            return
        threading.Event().wait(_PAUSE)  # nothing tells when it is over
        response = interview.ask("", "GET", path, part="core")
