"""Packing the data of Allure's page: a browser gets back what Allure wrote; nothing unknown is touched."""

from __future__ import annotations

import base64
import gzip
import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cli.report_packing import pack

if TYPE_CHECKING:
    from pathlib import Path

CHROMIUM = shutil.which("chromium")


def page_with(calls: str) -> str:
    """Return a page as Allure 3.18 writes it, that shows what it was given in its title and its body."""
    return (
        "<!doctype html><html><head></head><body><script>\n"
        "window.allureReportData = {};\n"
        "function d(name, value){ window.allureReportData[name] = value; }\n"
        f"</script><script defer>Promise.allSettled([{calls}])\n"
        "  .then(function(){ document.body.textContent = JSON.stringify(window.allureReportData); })"
        "</script></body></html>"
    )


def call(name: str, content: bytes) -> str:
    """Return what Allure writes for one file."""
    return f'd("{name}","{base64.b64encode(content).decode()}")'


def unpacked(page: str) -> dict[str, bytes]:
    """Return the files in a packed page."""
    found = re.search(r"base64,([A-Za-z0-9+/=]+)\"\)", page)
    assert found is not None
    texts: dict[str, str] = json.loads(gzip.decompress(base64.b64decode(found[1])))
    return {name: text.encode("latin-1") for name, text in texts.items()}


@given(
    st.dictionaries(st.from_regex(r"[a-z0-9/.-]{1,20}", fullmatch=True), st.binary(max_size=40), min_size=1)
)
def test_nothing_is_lost(files: dict[str, bytes]) -> None:
    """Every file is in the packed page, byte for byte, and what is around the data stays."""
    page = page_with(",".join(call(name, content) for name, content in files.items()))

    packed = pack(page)

    assert unpacked(packed) == files
    before, _, after = page.partition("Promise.allSettled([")
    assert packed.startswith(before)
    assert packed.endswith(after.rpartition("])")[2])


def test_it_is_small() -> None:
    """Texts that are much alike take a tenth of what they took."""
    page = page_with(",".join(call(f"data/{n}.txt", b"GET /v1/devices -> 200\n" * 50) for n in range(500)))

    assert len(pack(page)) < len(page) / 10


@pytest.mark.parametrize(
    "page",
    [
        "<html><head></head></html>",
        page_with(""),
        page_with('d("a","!!")'),
        page_with('d("a","YQ==", true)'),
        page_with('d("a","YQ"),d("b","YQ==")'),
        page_with('d("a","YQ=="),e("b","YQ==")'),
    ],
)
def test_what_is_not_known_is_left_alone(page: str) -> None:
    """A page whose data is written in another way stays as it is."""
    assert pack(page) == page


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (make system-deps installs it)")
def test_browser_gets_what_was_packed(tmp_path: Path) -> None:
    """A browser that opens the file finds the same data as in the page that was not packed."""
    files = {"a.json": "ÄÖ☃ \x00".encode(), "b/c.txt": bytes(range(256))}
    page = page_with(",".join(call(name, content) for name, content in files.items()))
    (tmp_path / "page.html").write_text(pack(page), encoding="utf-8")

    shown = subprocess.run(
        [
            str(CHROMIUM),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--virtual-time-budget=10000",
            "--dump-dom",
            (tmp_path / "page.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout

    data = re.search(r"<body>(\{.*\})</body>", shown)
    assert data is not None, shown
    assert {name: base64.b64decode(value) for name, value in json.loads(data[1]).items()} == files
