"""Making Allure's page small: what it shows is packed into one block that the browser unpacks.

The page carries the data of every test and attachment by itself, each encoded in base64 and none compressed.
Texts of provisioning sessions are much alike, so packed together they take a tenth of that.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import re

_BLOCK = re.compile(r"Promise\.allSettled\(\[(?P<calls>d\([^\]]*\))\]\)")
_CALL = re.compile(r'd\("(?P<name>[^"\\<]*)","(?P<value>[A-Za-z0-9+/=]*)"\)(?:,|$)')

# What waits for the data asks Allure's own flag, which is set when this promise has ended.
# DecompressionStream: Chrome 80, Firefox 113, Safari 16.4.
_UNPACK = """Promise.allSettled([
  fetch("data:application/gzip;base64,{packed}")
    .then((answer) => new Response(answer.body.pipeThrough(new DecompressionStream("gzip"))).json())
    .then((texts) => Promise.all(Object.entries(texts).map(([name, text]) => d(name, btoa(text)))))
    .catch((error) => {{
      document.body.textContent = "This browser cannot unpack the report: " + error;
    }})
])"""


def pack(page: str) -> str:
    """Pack the data of a page of Allure.

    :param page: the page, as Allure's awesome report made it in one file.
    :return: a page that shows the same; the page as it is where its data is not written as we know it.
    """
    block = _BLOCK.search(page)
    if block is None:
        return page
    calls = block["calls"]
    texts: dict[str, str] = {}
    end = 0
    for call in _CALL.finditer(calls):
        if call.start() != end:
            return page
        end = call.end()
        try:
            # A character for each byte, as the browser's btoa takes them.
            texts[call["name"]] = base64.b64decode(call["value"], validate=True).decode("latin-1")
        except binascii.Error:
            return page
    if end != len(calls):
        return page
    plain = json.dumps(texts, ensure_ascii=False).encode()
    packed = base64.b64encode(gzip.compress(plain, mtime=0)).decode()
    return page[: block.start()] + _UNPACK.format(packed=packed) + page[block.end() :]
