"""A person in front of the browser: looks, presses, types, and waits until something is to be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import ActionChains, Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from selenium.webdriver.remote.webelement import WebElement

PATIENCE = 15.0
WIDTH, HEIGHT = 1280, 900


def start_browser(profile: Path) -> Chrome:
    """Start Chromium without a window.

    :param profile: a directory for what it keeps; downloads come there, too.
    """
    options = ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-first-run",
        f"--user-data-dir={profile / 'data'}",
        f"--window-size={WIDTH},{HEIGHT}",
    ):
        options.add_argument(argument)
    options.add_experimental_option(
        "prefs", {"download.default_directory": str(profile), "download.prompt_for_download": False}
    )
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return Chrome(options=options, service=Service("/usr/bin/chromedriver"))


class Looker:
    """Somebody who uses the pages."""

    def __init__(self, browser: Chrome, url: str, tokens: Mapping[str, str]) -> None:
        self.browser = browser
        self.url = url
        self._tokens = tokens
        self._user = ""

    def sign_in(self, user: str) -> None:
        """Be a user, from now on."""
        if self._user == user and self.browser.current_url.startswith(self.url):
            return
        self.browser.get(f"{self.url}/sign-in")
        self.browser.delete_all_cookies()
        self.browser.get(f"{self.url}/sign-in")
        self.one("#token").send_keys(self._tokens[user])
        self.go("Sign in")
        self.until(lambda: self.one("#user").text == user, f"{user} is signed in")
        self._user = user

    def open(self, path: str, user: str = "anna") -> None:
        """Open a page as a user."""
        self.sign_in(user)
        self.browser.get(f"{self.url}{path}")

    def one(self, selector: str) -> WebElement:
        """Return what a CSS selector selects."""
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        """Return everything that a CSS selector selects."""
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        """Return what can be read there; what is not to be seen has no text."""
        read: list[str] = self.script(
            "return [...document.querySelectorAll(arguments[0])]"
            ".map(each => each.checkVisibility() ? each.innerText.trim() : '')",
            selector,
        )
        return read

    def script(self, code: str, *arguments: Any) -> Any:
        """Ask the page."""
        return self.browser.execute_script(code, *arguments)

    def press(self, text: str, within: str = "body") -> None:
        """Press the only button, link or drop-down that can be read as a text."""
        # Asked in one go: a page of a hundred rows has hundreds of buttons.
        found = self.script(
            "return [...document.querySelectorAll(arguments[0])]"
            ".filter(each => each.innerText.trim() === arguments[1] && each.checkVisibility())",
            f":is({within}) :is(button, a, summary)",
            text,
        )
        assert len(found) == 1, f"{len(found)} times {text!r} in {within}"
        found[0].click()

    def go(self, text: str, within: str = "body") -> None:
        """Press what leads to another page, and wait for that page."""
        before = self.one("html")
        self.press(text, within)
        self.until(
            lambda: self.one("html") != before and self.script("return document.readyState") == "complete",
            f"the page behind {text!r}",
        )

    def key(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        ActionChains(self.browser).send_keys(*keys).perform()

    @property
    def focused(self) -> WebElement:
        """What has the focus."""
        return self.browser.switch_to.active_element

    def until(self, seen: Callable[[], Any], what: str) -> None:
        """Wait until something is to be seen."""
        WebDriverWait(self.browser, PATIENCE, ignored_exceptions=[StaleElementReferenceException]).until(
            lambda _browser: seen(), f"never seen: {what}"
        )

    def status(self, identifier: str) -> str:
        """Return the status that the row of a request shows."""
        return self.one(f'tr[data-id="{identifier}"] td[data-column=provisioning_status]').text

    def confirm(self, button: str) -> None:
        """Press a button of the confirmation panel, as soon as it is there, and wait for the answer."""
        self.until(lambda: self.all("#panel"), "the confirmation panel")
        self.go(button, "#panel")
        self.until(lambda: self.messages, "an answer")

    @property
    def messages(self) -> list[str]:
        """What is said."""
        return self.texts("#messages .message")
