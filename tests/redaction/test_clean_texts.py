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


def test_what_is_clean_needs_no_second_look_in_front_of_a_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a text or of its bytes; nor does what became of a text that was not, once it was looked at."""
    redactor = Redactor()
    redactor.add("swordfish-4711", "word")
    clean = redactor.redact(TEXT * 100)
    redactor.redact(clean)
    monkeypatch.setattr(KnownValues, "find", None)

    assert redactor.redact(clean) is clean
    assert redactor.redact_bytes(clean.encode()) == clean.encode()


def test_memory_is_bounded() -> None:
    """Very long texts are not kept, nor more than some thousands of short ones, nor many of the others."""
    texts = CleanTexts()
    texts.add(b"x" * 100_000, texts.generation)
    assert b"x" * 100_000 not in texts
    for size, most in ((6, 20_000), (10_000, 210)):
        several = [b"%0*d" % (size, number) for number in range(2 * most)]
        for text in several:
            texts.add(text, texts.generation)

        assert sum(text in texts for text in several) <= most
        assert several[-1] in texts
