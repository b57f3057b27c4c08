"""Guardian's pages in this process, looked at without a browser and without a script."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import httpx

from harness_guardian.enums import Action, ErrorCode, ProvisionSource
from harness_guardian.fake.app import GuardianFake
from harness_guardian.fake.choices import FAKE
from harness_guardian.fake.vault_contract import Failure, Issued, SystemTrust
from tests.guardian.making import PaperDevice, make_key, public_jwk_of, thumbprint_of
from tests.guardian.page_reader import read_page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from harness_guardian.fake.choices import Choices
    from harness_guardian.fake.records import ProvisioningRequest, System, User
    from harness_guardian.fake.submitting import Submission
    from tests.guardian.making import MadeRequest
    from tests.guardian.page_reader import Element

ORGANISATION = "clinic"
DEADLINE = 10.0
PROFILE = "eyJ.certified.profile"
SLOTS = {"identity": "P-256"}
_INSTANCES = [{"name": "Ward A"}, {"name": "Ward B"}]


def components(*names: str) -> list[dict[str, Any]]:
    """Return definitions of components with one certificate each."""
    return [{"name": name, "certificates": [{"slot": slot} for slot in SLOTS]} for name in names]


class StillVault:
    """Stands for the link to Vault where nothing of Vault is tried."""

    async def set_up(self, _system: System) -> SystemTrust:
        return SystemTrust(root_pem="", intermediate_pem="", profile_signer_kid="kid", profile_signer_jwk={})

    async def set_roles(self, _system: System) -> None:
        """No roles."""

    async def tear_down(self, _system: System) -> None:
        """Nothing to remove."""


class PageSite:
    """A fake with an organisation, whose pages are visited; a context manager."""

    def __init__(self, choices: Choices = FAKE) -> None:
        self._runner = asyncio.Runner()
        self.fails_with: ErrorCode | None = None
        self.fake = GuardianFake(StillVault(), choices=choices, issue=self._issue)  # type: ignore[arg-type]  # what of Vault's link is not there is not called
        self.service = self.fake.guardian
        self.organisation, _made = self.service.add_organisation(ORGANISATION)
        self.service.order_dwell(ORGANISATION, 0)
        self.package_key = make_key()
        self._visitors: list[Visitor] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        for visitor in self._visitors:
            self.run(visitor.client.aclose())
        self.run(self.fake.close())
        self._runner.close()

    async def _issue(self, _link: Any, clock: Any, request: ProvisioningRequest) -> Issued | Failure:
        if self.fails_with is not None:
            return Failure(code=self.fails_with, detail="ordered")
        return Issued(
            response_id=f"response-{request.number}",
            created_at=clock.seconds(),
            certificates=(),
            certified_profile=PROFILE,
        )

    def run(self, work: Any) -> Any:
        """Let the fake work until something is done."""

        async def bounded() -> Any:
            async with asyncio.timeout(DEADLINE):
                return await work

        return self._runner.run(bounded())

    def user(self, name: str) -> User:
        """Return a user of the organisation."""
        return self.organisation.users[name]

    def system(self, name: str = "Infusion", approval: str = "Manual", **more: Any) -> System:
        """Make a system; requests of its package's key are accepted."""
        admin = self.user("anna")
        definition = {
            "name": name,
            "approval_type": approval,
            "components": components("pump", "gateway"),
            "instances": _INSTANCES,
            **more,
        }
        made: System = self.run(self.service.create_system(admin, definition))
        key = {"kid": thumbprint_of(self.package_key), "jwk": public_jwk_of(self.package_key)}
        self.service.put_signer_key(admin, name, {**key, "state": "active"})
        return made

    def made(self, hw_id: str, system: str = "Infusion", **more: Any) -> MadeRequest:
        """Make the request of a device, which nobody has submitted yet."""
        device = PaperDevice(system=system, signer=self.package_key, hw_id=hw_id, slots=SLOTS, **more)
        return device.request()

    def submit(
        self,
        hw_id: str,
        *,
        by: str | None = None,
        door: ProvisionSource = ProvisionSource.CLOUD,
        **more: Any,
    ) -> ProvisioningRequest:
        """Submit the request of a device, and wait until it needs somebody or is final."""
        made = self.made(hw_id, **more)
        uploader = None if by is None else self.user(by)
        taken: Submission = self.run(self.service.submit(made.content, made.media_type, door, uploader))
        self.settle(taken.request)
        return taken.request

    def decide(self, action: Action, request: ProvisioningRequest, by: str = "bert") -> None:
        """Let an administrator approve, reject or provision at the request's own door, and wait for it."""

        async def decided() -> None:
            self.service.act(self.user(by), request.door, request, action)

        self.run(decided())
        self.settle(request)

    def settle(self, *requests: ProvisioningRequest) -> None:
        """Wait until requests are final or wait for a user."""

        async def settled() -> None:
            for request in requests:
                while not (request.is_final or request.status in {"needs_approval", "complete_provisioning"}):
                    await self.service.wait_for_change(request, request.version, DEADLINE)

        self.run(settled())

    def visitor(self, name: str | None = "anna", door: ProvisionSource = ProvisionSource.CLOUD) -> Visitor:
        """Return somebody who looks at the pages, signed in unless nobody is named."""
        visitor = Visitor(self, self.fake.door(door))
        self._visitors.append(visitor)
        if name is not None:
            visitor.sign_in(self.user(name).token)
        return visitor


class Visitor:
    """Somebody with a browser that runs no script.

    :ivar answer: the last answer, behind all redirections.
    """

    def __init__(self, site: PageSite, application: Any) -> None:
        self._site = site
        transport = httpx.ASGITransport(application)
        self.client = httpx.AsyncClient(
            transport=transport, base_url="http://guardian.test", follow_redirects=True
        )
        self.answer: httpx.Response
        self._html = ""
        self._page: Element | None = None

    @property
    def page(self) -> Element:
        """What is seen; read when somebody looks."""
        if self._page is None:
            self._page = read_page(self._html)
        return self._page

    def ask(self, method: str, address: str, **content: Any) -> httpx.Response:
        """Ask, and see the page that comes, if one does."""
        self.answer = self._site.run(self.client.request(method, address, **content))
        if self.answer.headers.get("content-type", "").startswith("text/html"):
            self._html, self._page = self.answer.text, None
        return self.answer

    def open(self, address: str) -> Element:
        """Open a page."""
        self.ask("GET", address)
        assert self.answer.status_code == 200, self.answer.text
        return self.page

    def follow(self, link: Element) -> Element:
        """Follow a link."""
        return self.open(urljoin(str(self.answer.url), link["href"]))

    def sign_in(self, token: str) -> None:
        """Paste a user's token."""
        page = self.open("/sign-in")
        self.submit(page.one("form", action="/sign-in"), token=token)

    def submit(
        self,
        form: Element,
        button: Element | None = None,
        files: Mapping[str, Any] | None = None,
        **fields: str | Sequence[str],
    ) -> httpx.Response:
        """Send a form as it stands, with other values for some fields, by one of its buttons."""
        here = self.page if any(each is form for each in self.page.walk()) else form  # or one seen before
        sent: dict[str, Any] = {**here.sends(form), **fields}
        if button is not None and button["name"]:
            sent[button["name"]] = button["value"]
        address = urljoin(str(self.answer.url), form["action"])
        if form["method"] == "post":
            return self.ask("POST", address, data=sent, files=files)
        return self.ask("GET", address, params=sent)

    def press(self, text: str, **attributes: str) -> httpx.Response:
        """Press the only button of a text, inside its form or the form that it names."""
        buttons = [each for each in self.page.all("button", **attributes) if each.text == text]
        assert len(buttons) == 1, f"{len(buttons)} buttons {text!r}"
        button = buttons[0]
        forms = [
            form
            for form in self.page.all("form")
            if (form["id"] == button["form"] if "form" in button else button in form.walk())
        ]
        return self.submit(forms[-1], button)

    @property
    def messages(self) -> list[str]:
        """What is said on the page."""
        return [each.text for each in self.page.one(id="messages").all("div") if "message" in each["class"]]

    def rows(self) -> list[Element]:
        """Return the rows of the table of devices."""
        return [row for row in self.page.all("tr") if "data-id" in row]
