"""The Provisioning page in Chromium: upload, follow, download; and what the other roles see of both pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.guardian.pages.clinic import Clinic
    from tests.guardian.pages.looking import Looker

SYSTEM = "Uploaded pumps"
ROBOTS = "Uploaded robots"


@pytest.fixture(scope="module")
def systems(clinic: Clinic) -> None:
    """Make a system of each approval type."""
    clinic.system(SYSTEM)
    clinic.system(ROBOTS, "Automatic")


@pytest.mark.parametrize("user", ["anna", "liam"])
def test_upload_follow_download(
    looker: Looker, clinic: Clinic, systems: None, tmp_path: Path, user: str
) -> None:
    """A .mcpr is chosen and uploaded; its status changes by itself; then the .mccp can be downloaded."""
    made = clinic.made(f"SN-{user}", SYSTEM)
    file = tmp_path / "device.mcpr"
    file.write_bytes(made.content)
    looker.open("/provisioning", user=user)
    looker.one("#file").send_keys(str(file))

    looker.go("Upload")

    assert looker.messages == [f"Submitted the PR of SN-{user}."]
    assert looker.one("h1").text == f"Device SN-{user}"
    looker.until(lambda: looker.one("#status").text == "Needs approval", "Needs approval")
    clinic.act("approve", made.request_id)
    looker.until(lambda: looker.one("#status").text == "Complete provisioning", "Complete provisioning")
    clinic.act("provision", made.request_id)
    looker.until(lambda: looker.one("#status").text == "Provisioned", "Provisioned")
    looker.go("Back to Provisioning")
    assert looker.texts(f'tr[data-id="{made.request_id}"] .button') == ["Download certified profile"]
    profile = looker.script(
        "return fetch(document.querySelector(arguments[0]).href).then(answer => answer.text())",
        f'tr[data-id="{made.request_id}"] .button',
    )
    path = f"/provisioning-requests/{made.request_id}/certified-profile"
    assert profile == clinic.ask("GET", path).text


def test_automatic_upload_ends_by_itself(
    looker: Looker, clinic: Clinic, systems: None, tmp_path: Path
) -> None:
    """In an Automatic system nothing but the upload is needed."""
    file = tmp_path / "device.mcpr"
    file.write_bytes(clinic.made("SN-auto", ROBOTS).content)
    looker.open("/provisioning", user="liam")
    looker.one("#file").send_keys(str(file))

    looker.go("Upload")

    looker.until(lambda: looker.one("#status").text == "Provisioned", "Provisioned")
    assert looker.all("#profile")


def test_refused_file_is_said(looker: Looker, systems: None, tmp_path: Path) -> None:
    """A file that is no request is refused with a reason."""
    file = tmp_path / "photo.mcpr"
    file.write_bytes(b"\x89PNG")
    looker.open("/provisioning", user="liam")
    looker.one("#file").send_keys(str(file))

    looker.go("Upload")

    assert looker.messages[0].startswith("photo.mcpr was not accepted")


def test_reporter_only_looks(looker: Looker, clinic: Clinic, systems: None) -> None:
    """A Reporter sees every device and the export, but no button that acts and no upload."""
    identifier = clinic.submit("SN-r", SYSTEM)
    looker.open(f"/devices?system={SYSTEM}&hw_id=SN-r", user="rita")

    assert looker.texts("#devices td[data-column=device_hw_id]") == ["SN-r"]
    assert looker.all("#devices button[form=choose]") == []
    assert looker.texts("#bulk > *") == []
    looker.press("Export")
    assert looker.texts("#export .item") == ["Device provisioning report"] * 2
    looker.open(f"/devices/{identifier}", user="rita")
    assert looker.all("#approve-this, #reject-this, #profile") == []
    looker.open("/provisioning", user="rita")
    assert looker.one("#no-upload").text == "Your role, Reporter, may not upload provisioning requests."
    assert looker.all("input[type=file]") == []


def test_limited_sees_own_devices(looker: Looker, clinic: Clinic, systems: None) -> None:
    """A Limited user sees, exports and downloads what they uploaded, nobody else's, and decides nothing."""
    clinic.submit("SN-mine", ROBOTS, by="lena")
    theirs = clinic.submit("SN-theirs", ROBOTS, by="liam")
    looker.open(f"/devices?system={ROBOTS}", user="lena")

    assert looker.texts("#devices td[data-column=device_hw_id]") == ["SN-mine"]
    assert looker.all("#devices button[form=choose]") == []
    report = looker.script(
        "return fetch(document.querySelector('#export-all-report').href).then(answer => answer.text())"
    )
    assert "SN-mine" in report
    assert "SN-theirs" not in report
    looker.press("...")
    assert "Download certified profile" in looker.texts("#devices .more .item")
    looker.open(f"/devices/{theirs}", user="lena")
    assert looker.one("h1").text == "Not found"
    looker.open("/provisioning", user="lena")
    assert looker.texts("#uploads tbody td:first-child") == ["SN-mine"]
