"""Who comes in to Guardian's pages, what a form has to prove, and that nothing shown is taken for markup."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from harness_guardian.enums import ProvisionSource
from harness_guardian.fake.pages.addresses import safe_return
from harness_guardian.fake.pages.sessions import (
    LONGEST,
    MOST_CONFIRMATIONS,
    MOST_SESSIONS,
    Confirmation,
    Sessions,
)
from tests.guardian.fake.page_site import PageSite, components

if TYPE_CHECKING:
    from collections.abc import Iterator

EVIL = '<img src=x onerror="alert(1)">&amp;'


@pytest.fixture(scope="module")
def site() -> Iterator[PageSite]:
    """A fake with one system of the Manual approval type."""
    with PageSite() as made:
        made.system()
        yield made


def test_nobody_sees_a_page_unsigned(site: PageSite) -> None:
    """Whoever is not signed in is asked for a token, and led to what they wanted afterwards."""
    visitor = site.visitor(None)

    page = visitor.open("/devices?system=Infusion")

    assert visitor.answer.url.path == "/sign-in"
    form = page.one("form", action="/sign-in")
    visitor.submit(form, token=site.user("anna").token)
    assert str(visitor.answer.url).endswith("/devices?system=Infusion")
    assert visitor.page.one("h1").text == "Devices"
    assert visitor.page.one(id="user").text == "anna"
    assert visitor.page.one(id="role").text == "Admin"


def test_wrong_token_is_refused(site: PageSite) -> None:
    """A token that is nobody's opens nothing, and is not repeated."""
    visitor = site.visitor(None)
    form = visitor.open("/sign-in").one("form", action="/sign-in")

    visitor.submit(form, token="nobody-has-this")

    assert visitor.answer.status_code == 403
    assert visitor.page.one(id="problem").text == "This token is nobody's."
    assert "nobody-has-this" not in visitor.answer.text


def test_sign_in_form_of_another_site_is_refused(site: PageSite) -> None:
    """Nobody is signed in by a form that did not come from the sign-in page."""
    visitor = site.visitor(None)

    visitor.ask("POST", "/sign-in", data={"token": site.user("anna").token, "csrf": "x"})

    assert visitor.answer.status_code == 403
    assert "guardian-session" not in visitor.client.cookies


def test_session_cookie_is_out_of_reach(site: PageSite) -> None:
    """No script and no other site gets hold of the session, and the cookie is not the token."""
    visitor = site.visitor()
    cookies = [
        header
        for answer in visitor.answer.history
        for header in answer.headers.get_list("set-cookie")
        if header.startswith("guardian-session=")
    ]

    assert len(cookies) == 1
    assert "HttpOnly" in cookies[0]
    assert "SameSite=strict" in cookies[0]
    assert site.user("anna").token not in cookies[0]


def test_signed_out_is_out(site: PageSite) -> None:
    """After signing out the old cookie opens nothing any more."""
    visitor = site.visitor()
    cookie = visitor.client.cookies["guardian-session"]
    visitor.press("Sign out")
    assert visitor.answer.url.path == "/sign-in"

    visitor.client.cookies.set("guardian-session", cookie)
    visitor.open("/devices")

    assert visitor.answer.url.path == "/sign-in"


def test_sign_in_page_leads_those_on_who_are_in(site: PageSite) -> None:
    """Who is signed in is not asked again."""
    visitor = site.visitor()

    visitor.open("/sign-in?next=/provisioning")

    assert visitor.answer.url.path == "/provisioning"
    visitor.open("/")
    assert visitor.answer.url.path == "/devices"


@pytest.mark.parametrize("path", ["/devices/actions", "/columns", "/settings", "/provisioning", "/sign-out"])
def test_form_without_its_proof_changes_nothing(site: PageSite, path: str) -> None:
    """Each form is refused without what the session's own forms hold."""
    visitor = site.visitor()
    before = (site.user("anna").iso, site.user("anna").local_time)

    answer = visitor.ask("POST", path, data={"csrf": "forged", "iso": "on", "local_time": "on"})

    assert answer.status_code == 403
    assert "another site's" in visitor.page.text
    assert (site.user("anna").iso, site.user("anna").local_time) == before
    visitor.open("/devices")
    assert visitor.answer.url.path == "/devices"


@pytest.mark.parametrize("path", ["/devices/actions", "/columns", "/settings", "/sign-out"])
def test_nothing_is_changed_by_looking(site: PageSite, path: str) -> None:
    """What changes something answers no GET."""
    visitor = site.visitor()

    assert visitor.ask("GET", path).status_code in {404, 405}
    visitor.open("/devices")
    assert visitor.answer.url.path == "/devices"


def test_pages_take_no_other_method(site: PageSite) -> None:
    """A page answers only what its links and forms send."""
    visitor = site.visitor()

    for method in ("PUT", "DELETE", "PATCH"):
        assert visitor.ask(method, "/devices").status_code == 405


def test_answers_carry_a_strict_policy(site: PageSite) -> None:
    """Every answer forbids scripts of others, frames and guesses of the media type; pages are not stored."""
    visitor = site.visitor()
    page = visitor.open("/devices")
    addresses = [page.one("script")["src"], page.one("link", rel="stylesheet")["href"]]

    for address in ["/devices", "/provisioning", "/sign-in", "/devices/nobody", *addresses]:
        headers = visitor.ask("GET", address).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        stored = "public, max-age=31536000, immutable" if "/pages/" in address else "no-store"
        assert headers["cache-control"] == stored


def test_nothing_in_a_page_runs_by_itself(site: PageSite) -> None:
    """No script, style or handler stands in the HTML, and nothing is loaded from elsewhere."""
    site.submit("SN-inline")
    visitor = site.visitor()

    for address in ("/devices?system=Infusion", "/provisioning", "/sign-in"):
        page = visitor.open(address)
        for element in page.walk():
            assert not any(name.startswith("on") or name == "style" for name in element.attributes)
            assert element.tag != "style"
            assert element.tag != "script" or not element.text
            for name in ("src", "href", "action"):
                assert not re.match(r"[a-z]+:|//", element[name]), element[name]


def test_unknown_file_is_not_there(site: PageSite) -> None:
    """Only the three files of the pages are given away, whoever asks."""
    visitor = site.visitor(None)

    assert visitor.ask("GET", "/pages/guardian.css").headers["content-type"] == "text/css; charset=utf-8"
    assert visitor.ask("GET", "/pages/layout.html").status_code == 404
    assert visitor.ask("GET", "/pages/..%2Fsite.py").status_code == 404


def test_names_with_markup_are_texts() -> None:
    """Whatever systems, instances, components and devices are called, it is shown as it is."""
    with PageSite() as site:
        site.system(EVIL, components=components(EVIL), instances=[{"name": EVIL}])
        request = site.submit(EVIL, system=EVIL, component=EVIL, instance={"name": EVIL}, by="anna")
        visitor = site.visitor()

        for address in (
            "/devices",
            f"/devices?approve={request.id}",
            "/devices?bulk=reject",
            f"/devices/{request.id}",
            "/provisioning",
            f"/provisioning/{request.id}",
        ):
            page = visitor.open(address)
            assert EVIL in page.text
            assert not [element for element in page.all("img") if element["src"] == "x"]
        assert visitor.open("/devices").one("td", data_column="system_name").text == EVIL
        visitor.open(f"/devices?hw_id={EVIL.replace('&', '%26').replace(';', '%3B')}&system=%3Cb%3E")
        assert not visitor.page.all("b")


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/devices",
        "//evil.example/devices",
        "/\\evil.example",
        "/devices\\..",
        "javascript:alert(1)",
        "/devices?a=b\r\nSet-Cookie: x=y",
        "/api/v1/systems",
        "/devicesque",
        "",
    ],
)
def test_form_leads_back_to_our_pages_only(wanted: str) -> None:
    """Whatever a form says, it leads to no other place."""
    assert safe_return(wanted) == "/devices"


@pytest.mark.parametrize("own", ["/devices", "/devices?system=A+B&status=error", "/provisioning/abc-1"])
def test_form_leads_back_where_it_was(own: str) -> None:
    """A form leads back to the page that it was on."""
    assert safe_return(own) == own


def test_form_that_is_too_long_is_refused(site: PageSite) -> None:
    """More than a provisioning request can have is not read."""
    visitor = site.visitor()

    assert visitor.ask("POST", "/settings", data={"iso": "x" * 100_000}).status_code == 413


def test_form_without_length_is_refused(site: PageSite) -> None:
    """A form that does not say how long it is could be endless."""
    visitor = site.visitor()

    async def pieces() -> object:
        yield b"csrf=x"

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert visitor.ask("POST", "/settings", content=pieces(), headers=headers).status_code == 411


def test_broken_form_is_refused(site: PageSite) -> None:
    """What is said to be a form and is none is refused, signed in or not."""
    headers = {"Content-Type": "multipart/form-data; boundary=x"}

    assert site.visitor().ask("POST", "/settings", content=b"nothing", headers=headers).status_code in {
        400,
        403,
    }
    too_long = site.visitor(None).ask("POST", "/sign-in", data={"token": "x" * 100_000})
    assert too_long.status_code == 413


def test_form_of_nobody_asks_to_sign_in(site: PageSite) -> None:
    """A form that is sent after the session ended leads to the sign-in page and does nothing."""
    visitor = site.visitor(None)

    visitor.ask("POST", "/settings", data={"iso": "on"})

    assert visitor.answer.url.path == "/sign-in"
    assert not site.user("anna").iso


def test_session_ends_with_its_user() -> None:
    """Who is no user any more is signed out at once."""
    with PageSite() as site:
        visitor = site.visitor()
        del site.service._users[site.user("anna").token]

        visitor.open("/devices")

        assert visitor.answer.url.path == "/sign-in"


def test_sessions_end_by_time_and_number() -> None:
    """A session ends after its time; the oldest one when there are too many."""
    now = 0.0
    sessions = Sessions(lambda: now)
    first, _session = sessions.open("token")
    assert sessions.find(first) is not None

    now = LONGEST
    assert sessions.find(first) is None

    names = [sessions.open("token")[0] for _ in range(MOST_SESSIONS + 1)]
    assert sessions.find(names[0]) is None
    assert sessions.find(names[1]) is not None
    sessions.close(names[1])
    sessions.close(names[1])
    assert sessions.find(names[1]) is None
    assert sessions.find(None) is None


def test_confirmation_counts_once() -> None:
    """What a panel asked can be confirmed once, and is forgotten when many panels were opened since."""
    _name, session = Sessions().open("token")
    asked = Confirmation(actions=(), requests=((ProvisionSource.CLOUD, "a"),))
    first = session.ask(asked)

    assert session.confirmed(first) == asked
    assert session.confirmed(first) is None
    names = [session.ask(asked) for _ in range(MOST_CONFIRMATIONS + 1)]
    assert session.confirmed(names[0]) is None
    assert session.confirmed(names[-1]) == asked
    assert "token" not in repr(session)
