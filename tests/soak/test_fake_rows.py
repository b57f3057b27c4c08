"""Nearly right bodies of rows: no row is lost, none shifts another, and what fails changes nothing.

40,000 bodies at scale 1 go to the fake's ASGI door in this process.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.nordic.paper_device import PaperDevice
from tests.soak.support.fake_inputs import ODD_TEXT, Input, damaged_bytes, damaged_text
from tests.soak.support.fake_site import DEVICES, FakeSite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tests.soak.support.rounds import Rounds

STRANGERS = 4
ODD_ROWS = ('"', '""', ",", ",,", " ", "\t", '"a"b', 'x,"a,b', "é", "\ufeff", "\x0b", "\u2028", "a" * 3000)
ODD_TAGS = (
    "",
    " ",
    ",",
    "a,b",
    ",a",
    "a,,b",
    '""',
    "x" * 100,
    "x" * 101,
    "Oslo,white",
    "é",
    "=1+1",
    "\u2028",
)


@pytest.fixture
def site() -> Iterator[FakeSite]:
    """Run a fake in this process, with a few more devices that nobody has claimed."""
    site = FakeSite()
    yield site
    site.close()


def row(random: Random, tokens: list[str]) -> str:
    """Make a row in one of the two documented forms, or one that is nearly so."""
    token = random.choice(tokens)
    tags = random.choice(ODD_TAGS)
    right = random.choice(
        (token, f'"{token}"', f'{token},"{tags}"', f'"{token}","{tags}"', f"{token},{tags}")
    )
    how = random.random()
    if how < 0.6:
        return right
    if how < 0.7:
        return right + right  # run together, as curl -d makes them
    if how < 0.85:
        return damaged_text(random, right)
    return random.choice((*ODD_ROWS, *ODD_TEXT))


def rows(random: Random, tokens: list[str], key: str) -> Input:
    """Make a body of rows; sometimes its bytes are damaged, too."""
    lines = [row(random, tokens) for _row in range(random.choice((1, 1, 2, 3, 6)))]
    body = random.choice(("\n", "\r\n", "\r")).join(lines).encode()
    body += random.choice((b"", b"\n", b"\r\n", b"\n\n"))
    if random.random() < 0.2:
        body = damaged_bytes(random, body)
    content_type = random.choice(
        ("", "text/csv", "text/csv; charset=utf-8", "application/x-www-form-urlencoded")
    )
    return Input("POST", DEVICES, "", key, body, content_type)


def lines_of(body: bytes) -> dict[int, str]:
    """Return the lines that are not blank by their numbers."""
    lines = re.split("\r\n|\r|\n", body.decode("utf-8-sig"))
    return {number: line for number, line in enumerate(lines, 1) if line.strip()}


def test_rows(rounds: Rounds, site: FakeSite) -> None:
    """Each line is claimed or named as failed, by its own number, and nothing else happens."""
    devices = {device.id: device for device in (PaperDevice(number) for number in range(10, 10 + STRANGERS))}
    for device in devices.values():
        site.tell("control", "/factory", device.record(), 201)
    tokens = {device.token(): device.id for device in devices.values()}
    others = [site.mine.token(), PaperDevice(99).token(), "2dn3hQFQ.0oRDoQEm", "x"]
    for random in rounds.run(40_000):
        made = rows(random, [*tokens, *others], site.key)
        before = site.snapshot()

        status, content = site.send(made)

        if made.body.lstrip().startswith(b"{"):
            assert status == 400, made
        if status != 200:
            assert status in {400, 413}, (status, made)
            assert site.snapshot() == before, made
            rounds.count(f"{status}")
            continue
        answer = json.loads(content)
        judge(answer, made, tokens)
        if not answer["claimedIds"]:
            assert site.snapshot() == before, made
        for identifier in answer["claimedIds"]:
            assert site.ask("world", "DELETE", f"{DEVICES}/{identifier}", key=site.key)[0] == 204
        rounds.count("claimed some" if answer["claimedIds"] else "claimed none")
    assert rounds.outcomes["claimed some"] > 0.3 * rounds.outcomes.total()


def judge(answer: dict[str, Any], made: Input, tokens: dict[str, str]) -> None:
    """Compare an answer with the lines of the body."""
    lines = lines_of(made.body)
    failed = [each["row"] for each in answer["failed"]]
    assert failed == sorted(set(failed)), made
    assert set(failed) <= set(lines), made
    assert all(each["message"] for each in answer["failed"]), made
    well = [line for number, line in lines.items() if number not in failed]
    assert len(well) == len(answer["claimedIds"]), made
    for line, identifier in zip(well, answer["claimedIds"], strict=True):
        assert any(token in line for token, device in tokens.items() if device == identifier), made
