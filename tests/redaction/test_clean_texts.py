"""Clean texts are not looked at twice, and are looked at again as soon as a further secret is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.redaction import Redactor
from harness.redaction.clean_texts import CleanTexts
from harness.redaction.pieces import KnownValues

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = "the word is swordfish-4711"
HIDE: list[Callable[[Redactor], None]] = [
    lambda redactor: redactor.add("swordfish-4711", "word"),
    lambda redactor: redactor.learn(b"swordfish-4711", "word"),
    lambda redactor: redactor.add_pattern(r"swordfish-[0-9]+", "word"),
]


@pytest.mark.parametrize("hide", HIDE, ids=["added", "learned", "pattern"])
def test_a_secret_that_is_known_later(hide: Callable[[Redactor], None]) -> None:
    """The same text is clean before, and redacted after."""
    redactor = Redactor()
    assert redactor.redact(TEXT) is TEXT
    assert redactor.redact(TEXT) is TEXT

    hide(redactor)

    assert "swordfish" not in redactor.redact(TEXT)
    assert "swordfish" not in redactor.redact(TEXT)


def test_a_secret_that_a_source_brings() -> None:
    """Sources are drawn from before each look, also at a text that was clean."""
    redactor = Redactor()
    news: list[bytes] = []

    def source() -> None:
        while news:
            redactor.learn(news.pop(), "word")

    redactor.draw_from(source)
    assert redactor.redact(TEXT) is TEXT

    news.append(b"swordfish-4711")

    assert "swordfish" not in redactor.redact(TEXT)


def test_a_secret_that_is_registered_while_a_text_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the look found before does not count afterwards."""
    redactor = Redactor()
    look = KnownValues.find

    def find(self: KnownValues, data: bytes) -> object:
        found = look(self, data)
        monkeypatch.undo()
        redactor.add("swordfish-4711", "word")
        return found

    monkeypatch.setattr(KnownValues, "find", find)
    redactor.redact(TEXT)

    assert "swordfish" not in redactor.redact(TEXT)


def test_a_second_look_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither for a value nor for a pattern."""
    redactor = Redactor()
    redactor.redact(TEXT)
    monkeypatch.setattr(KnownValues, "find", None)

    assert redactor.redact(TEXT) is TEXT


def test_memory_is_bounded() -> None:
    """Long texts are not kept, nor more than some thousands of short ones."""
    texts = CleanTexts()
    texts.add("x" * 1000, texts.generation)
    assert "x" * 1000 not in texts
    for number in range(12000):
        texts.add(str(number), texts.generation)

    assert sum(str(number) in texts for number in range(12000)) <= 5000
    assert "11999" in texts
