"""The pages are used by the keyboard alone, fit into 1000 pixels, and can be heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.guardian.pages.clinic import Clinic
    from tests.guardian.pages.looking import Looker

SYSTEM = "Keyed pumps"


@pytest.fixture(scope="module")
def identifier(clinic: Clinic) -> str:
    """A request that needs approval."""
    clinic.system(SYSTEM)
    return clinic.submit("SN-1", SYSTEM, by="anna")


def tab_to(looker: Looker, identifier: str) -> None:
    """Press the tabulator until an element has the focus."""
    for _ in range(80):
        if looker.focused.get_attribute("id") == identifier:
            return
        looker.key(Keys.TAB)
    raise AssertionError(f"the tabulator does not lead to #{identifier}")


def test_skip_link_is_first(looker: Looker, identifier: str) -> None:
    """The first stop is a link to the content; it is seen when it has the focus."""
    looker.open(f"/devices?system={SYSTEM}")

    looker.key(Keys.TAB)
    assert looker.focused.text == "Skip to the content"
    assert looker.focused.location["y"] >= 0
    looker.key(Keys.ENTER)
    assert looker.focused.get_attribute("id") == "main"


def test_panel_takes_the_focus_and_gives_it_back(looker: Looker, identifier: str) -> None:
    """By keyboard alone: the panel opens with the focus in it; Escape and Cancel give it back."""
    looker.open(f"/devices?system={SYSTEM}")
    for leave in (Keys.ESCAPE, "cancel"):
        tab_to(looker, f"approve-{identifier}")
        looker.key(Keys.ENTER)
        looker.until(lambda: looker.focused.get_attribute("id") == "panel-heading", "the focus in the panel")
        panel = looker.one("#panel")
        assert panel.get_attribute("role") == "dialog"
        assert looker.one(f"#{panel.get_attribute('aria-labelledby')}").text == "Approve PR"
        looker.key(Keys.TAB)
        assert looker.focused.text == "Approve PR"
        if leave == "cancel":
            tab_to(looker, "cancel")
            looker.key(Keys.ENTER)
        else:
            looker.key(leave)
        looker.until(lambda: not looker.all("#panel"), "the panel closed")
        assert looker.focused.get_attribute("id") == f"approve-{identifier}"


@pytest.mark.parametrize("drop", ["filters", "columns", "settings", "export", "system-choice"])
def test_drop_down_by_keyboard(looker: Looker, identifier: str, drop: str) -> None:
    """Enter opens a drop-down, the tabulator goes into it, Escape closes it and the focus is where it was."""
    looker.open(f"/devices?system={SYSTEM}")
    looker.script("document.querySelector(arguments[0]).focus()", f"#{drop} > summary")
    looker.key(Keys.ENTER)
    assert looker.all(f"#{drop}[open]")

    looker.key(Keys.TAB)
    assert looker.script("return arguments[0].contains(document.activeElement)", looker.one(f"#{drop}"))
    looker.key(Keys.ESCAPE)

    assert not looker.all(f"#{drop}[open]")
    assert looker.focused == looker.one(f"#{drop} > summary")


def test_press_beside_a_drop_down_closes_it(looker: Looker, identifier: str) -> None:
    """One drop-down is open at a time, and none after a press elsewhere."""
    looker.open(f"/devices?system={SYSTEM}")
    looker.press("Settings")
    looker.press("Columns")
    assert [each.get_attribute("id") for each in looker.all("details[open]")] == ["columns"]

    looker.one("h1").click()

    assert looker.all("details[open]") == []


def test_focus_is_seen(looker: Looker, identifier: str) -> None:
    """What has the focus is outlined."""
    looker.open(f"/devices?system={SYSTEM}")
    tab_to(looker, f"approve-{identifier}")

    assert looker.focused.value_of_css_property("outline-style") == "solid"
    assert looker.focused.value_of_css_property("outline-width") == "3px"


def test_every_control_has_a_name(looker: Looker, identifier: str) -> None:
    """Each button, link, field and picture says what it is, and no id is there twice."""
    for path in (f"/devices?system={SYSTEM}", f"/devices/{identifier}", "/provisioning"):
        looker.open(path)
        nameless = looker.script(
            """
            return [...document.querySelectorAll("a, button, summary, input:not([type=hidden]), select")]
              .filter(e => !(e.textContent.trim() || e.getAttribute("aria-label") || (e.labels || []).length))
              .map(e => e.outerHTML);
            """
        )
        assert nameless == []
        doubled = looker.script(
            "const ids = [...document.querySelectorAll('[id]')].map(e => e.id);"
            "return ids.filter((id, place) => ids.indexOf(id) !== place)"
        )
        assert doubled == []
        assert looker.one("#messages").get_attribute("aria-live") == "polite"


def test_colours_can_be_told_apart(looker: Looker, clinic: Clinic, identifier: str) -> None:
    """All text has a contrast of 4.5 to what is behind it (WCAG 2, AA)."""
    clinic.submit("SN-9", SYSTEM, component="unknown")
    for path in (f"/devices?system={SYSTEM}", f"/devices/{identifier}", "/provisioning"):
        looker.open(path)
        assert looker.script(CONTRAST) == []


CONTRAST = """
const parts = text => (text.match(/[\\d.]+/g) || []).map(Number);
const light = ([r, g, b]) => {
  const linear = v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const [x, y, z] = [r, g, b].map(v => linear(v / 255));
  return .2126 * x + .7152 * y + .0722 * z;
};
const behind = element => {
  for (let e = element; e; e = e.parentElement) {
    const colour = parts(getComputedStyle(e).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
};
const weak = [];
for (const e of document.querySelectorAll("body *")) {
  const own = [...e.childNodes].some(node => node.nodeType === 3 && node.data.trim());
  if (!own || !e.checkVisibility()) continue;
  const [a, b] = [light(parts(getComputedStyle(e).color)), light(behind(e))];
  const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (contrast < 4.5) weak.push(`${e.tagName} ${e.textContent.trim()} ${contrast.toFixed(2)}`);
}
return weak;
"""


@pytest.fixture
def narrow(looker: Looker) -> Iterator[None]:
    """Make the window 1000 pixels wide."""
    size = {"width": 1000, "height": 700, "deviceScaleFactor": 1, "mobile": False}
    looker.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    yield
    looker.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_readable_at_1000_pixels(looker: Looker, identifier: str, narrow: None) -> None:
    """No page scrolls sideways at 1000 pixels: the table does, in a region that the keyboard reaches."""
    looker.open(f"/devices?system={SYSTEM}", user="bert")
    looker.press("Columns")
    for box in looker.all("#columns input[type=checkbox]"):
        if not box.is_selected():
            box.click()
    looker.go("Show these columns")
    region = "const e = document.getElementById('table-region');"
    assert looker.script(f"{region} return e.scrollWidth > e.clientWidth && e.tabIndex === 0")

    for path in (f"/devices?system={SYSTEM}", f"/devices/{identifier}", "/provisioning"):
        looker.open(path, user="bert")
        assert looker.script("return document.documentElement.scrollWidth <= innerWidth"), path
        assert looker.script("return document.body.scrollWidth <= innerWidth"), path
    looker.open(f"/devices?system={SYSTEM}", user="bert")
    for drop in ("filters", "columns", "settings", "export"):
        looker.one(f"#{drop} > summary").click()
        box = looker.script(
            "return JSON.parse(JSON.stringify(document.querySelector(arguments[0]).getBoundingClientRect()))",
            f"#{drop} .menu",
        )
        assert box["left"] >= 0, drop
        assert box["right"] <= 1000, drop


def complaints(looker: Looker) -> list[dict[str, object]]:
    """Return what Chromium has complained of since it was asked last."""
    log: list[dict[str, object]] = looker.browser.get_log("browser")  # type: ignore[no-untyped-call]  # selenium's own
    return log


def test_nothing_is_complained_of(looker: Looker, identifier: str) -> None:
    """Chromium finds nothing that the policy forbids, that is missing or that fails in the script."""
    complaints(looker)  # what was before

    for path in (f"/devices?system={SYSTEM}", f"/devices/{identifier}", "/provisioning", "/sign-in"):
        looker.open(path)

    assert complaints(looker) == []


def test_works_without_a_script(looker: Looker, clinic: Clinic, identifier: str) -> None:
    """With scripts switched off a request is approved by the same presses."""
    second = clinic.submit("SN-2", SYSTEM)
    looker.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        looker.open(f"/devices?system={SYSTEM}")
        looker.go("Approve", f'tr[data-id="{second}"]')
        looker.confirm("Approve PR")
        assert looker.messages == ["Approved 1 PR: SN-2."]
    finally:
        looker.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert clinic.rest(second) == "complete_provisioning"
