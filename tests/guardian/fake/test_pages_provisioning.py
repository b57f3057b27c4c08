"""The Provisioning page without a browser: uploads, how they are followed, and their certified profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness_guardian.enums import ErrorCode, ProvisionSource, Status
from harness_guardian.fake.pages import provisioning
from tests.guardian.fake.page_site import PROFILE, PageSite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.guardian.fake.page_site import Visitor


@pytest.fixture
def site() -> Iterator[PageSite]:
    """A fake with one system of the Automatic approval type."""
    with PageSite() as made:
        made.system(approval="Automatic")
        yield made


def upload(visitor: Visitor, content: bytes, name: str = "device.mcpr") -> None:
    """Upload a file."""
    page = visitor.open("/provisioning")
    files = {"file": (name, content, "application/octet-stream")}
    visitor.submit(page.one("form", id="upload"), files=files)


@pytest.mark.parametrize("name", ["anna", "liam"])
def test_request_is_uploaded_followed_and_answered(site: PageSite, name: str) -> None:
    """Admin and Limited upload a .mcpr, see its status and history, and download the .mccp."""
    visitor = site.visitor(name)
    made = site.made("SN-1")

    upload(visitor, made.content)

    assert visitor.answer.url.path == f"/provisioning/{made.request_id}"
    assert visitor.messages == ["Submitted the PR of SN-1."]
    request = site.service.request(ProvisionSource.CLOUD, made.request_id)
    site.settle(request)
    page = visitor.open(str(visitor.answer.url.path))
    assert page.one(id="status").text == "Provisioned"
    assert [each["data-status"] for each in page.one(id="history").all("li")] == [
        "verifying",
        "auto_approved",
        "provisioning",
        "provisioned",
    ]
    visitor.ask("GET", page.one("a", id="profile")["href"])
    assert visitor.answer.text == PROFILE
    assert request.uploaded_by == name
    page = visitor.open("/provisioning")
    assert page.one("table", id="uploads").texts("th") == [
        "Device HW ID",
        "System name",
        "Component name",
        "Provisioning status",
        "Request ID",
        "Request created on",
        "Certified profile",
    ]
    assert visitor.rows()[0].all("a")[-1].text == "Download certified profile"


def test_own_uploads_only(site: PageSite) -> None:
    """Everybody sees what they uploaded themselves, the latest first; a Limited user sees no other device."""
    site.submit("SN-1", by="liam")
    site.submit("SN-2", by="lena")
    site.submit("SN-3", by="liam")
    theirs = site.submit("SN-4")

    liam = site.visitor("liam")
    liam.open("/provisioning")
    assert [row.all("td")[0].text for row in liam.rows()] == ["SN-3", "SN-1"]
    liam.open("/devices?system=Infusion")
    assert len(liam.rows()) == 2
    for address in ("/devices", "/provisioning", "/profiles"):
        assert liam.ask("GET", f"{address}/{theirs.id}").status_code == 404
    assert site.visitor("anna").open("/provisioning").texts("p", _class="empty") == [
        "You have not uploaded any provisioning request."
    ]


def test_same_file_again_is_the_same_request(site: PageSite) -> None:
    """A file that was uploaded before makes no second row."""
    visitor = site.visitor("liam")
    made = site.made("SN-1")
    upload(visitor, made.content)

    upload(visitor, made.content)

    assert visitor.messages == ["This PR of SN-1 was submitted before: it is the same request."]
    visitor.open("/provisioning")
    assert len(visitor.rows()) == 1


def test_what_is_no_request_is_refused(site: PageSite) -> None:
    """A file that is none, no file at all and one that is too long are refused with a reason."""
    visitor = site.visitor("liam")

    upload(visitor, b"hello <b>", "x<b>.mcpr")
    assert visitor.messages[0].startswith("x<b>.mcpr was not accepted: ")
    upload(visitor, b"{" + b" " * 70_000)
    assert "was not accepted" in visitor.messages[0]
    page = visitor.open("/provisioning")
    visitor.submit(page.one("form", id="upload"))
    assert visitor.messages == ["Choose a provisioning request (.mcpr) first."]
    assert visitor.rows() == []


def test_reporter_uploads_and_downloads_nothing(site: PageSite) -> None:
    """A Reporter is told so, gets no form and no profile, and what they send is refused."""
    request = site.submit("SN-1", by="liam")
    assert request.status is Status.PROVISIONED
    visitor = site.visitor("rita")

    page = visitor.open("/provisioning")
    assert page.one(id="no-upload").text == "Your role, Reporter, may not upload provisioning requests."
    assert page.all("form", id="upload") == []
    csrf = page.all("input", name="csrf")[0]["value"]
    made = site.made("SN-2")
    visitor.ask("POST", "/provisioning", data={"csrf": csrf}, files={"file": ("a.mcpr", made.content)})
    assert "was not accepted" in visitor.messages[0]
    row = visitor.open("/devices?system=Infusion").one("tr", data_id=request.id)
    assert "Download certified profile" not in row.text
    assert visitor.ask("GET", f"/profiles/{request.id}").status_code == 403


def test_failed_upload_says_why_and_has_no_profile(site: PageSite) -> None:
    """A request that failed shows its label and code; asking for its profile says that there is none."""
    site.fails_with = ErrorCode.FAIL_SIGN_DEVICE_CERTIFIED_PROFILE
    request = site.submit("SN-1", by="liam")
    visitor = site.visitor("liam")

    visitor.open("/provisioning")
    assert (
        visitor.rows()[0].one("span", title="FAIL_SIGN_DEVICE_CERTIFIED_PROFILE").text
        == "Vault could not sign profile"
    )
    assert visitor.rows()[0].all("td")[-1].text == "none"
    assert visitor.ask("GET", f"/profiles/{request.id}").status_code == 409


def test_profile_that_is_not_signed_yet(site: PageSite) -> None:
    """Before it is signed there is no profile to download, and the page says so."""
    site.system("Monitor")
    request = site.submit("SN-1", system="Monitor", by="liam")
    visitor = site.visitor("liam")

    visitor.open("/provisioning")
    assert visitor.rows()[0].all("td")[-1].text == "not yet"
    assert visitor.page.one(id="results")["data-watch"]
    assert visitor.ask("GET", f"/profiles/{request.id}").status_code == 409
    assert visitor.page.one("h1").text == "Not there yet"


def test_long_list_of_uploads_is_cut(site: PageSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """The latest uploads are listed, and how many more there are is said."""
    monkeypatch.setattr(provisioning, "MOST_SHOWN", 2)
    for number in range(3):
        site.submit(f"SN-{number}", by="liam")
    visitor = site.visitor("liam")

    page = visitor.open("/provisioning")

    assert [row.all("td")[0].text for row in visitor.rows()] == ["SN-2", "SN-1"]
    assert page.one(id="rest").text == "and 1 earlier ones: find them on the Devices page"
