"""The redactor: knows every secret of a session and takes them out of whatever is about to be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.redaction.clean_texts import CleanTexts
from harness.redaction.escapes import ALL_ESCAPES, ASCII_ESCAPES
from harness.redaction.patterns import COMMON_SECRETS, SHORTEST_SECRET, Find, Pattern, Secret
from harness.redaction.pieces import KnownValues
from harness.redaction.stream import LONGEST_LINE, RedactedStream, replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harness.plugins import HarnessPluginManager

#: Text that was escaped more often than this is not read.
MOST_ESCAPED = 4


class Redactor:
    """May be used, and told further secrets, from any thread."""

    def __init__(self, secrets: Iterable[Secret] = COMMON_SECRETS) -> None:
        """Know some secrets; others are added where they enter."""
        self.values = KnownValues()
        self._patterns: tuple[Pattern, ...] = ()
        self._clean = CleanTexts()
        self._watchers: list[Callable[[bytes, str], None]] = []
        self._sources: list[Callable[[], None]] = []
        for secret in secrets:
            self.add_secret(secret)

    @classmethod
    def of_plugins(cls, plugins: HarnessPluginManager) -> Redactor:
        """Make one that knows the secrets of every plugin, too.

        :raises UsageError: one of them is too short, or no regular expression.
        """
        redactor = cls()
        for secrets in plugins.hook.harness_secrets():
            for secret in secrets:
                redactor.add_secret(secret)
        return redactor

    # -- registering --------------------------------------------------------------------------------------

    def add_secret(self, secret: Secret) -> None:
        """Register a secret of either kind.

        :raises UsageError: its value is too short, or its pattern is no regular expression.
        """
        if secret.value is not None:
            self.add(secret.value, secret.label)
        elif secret.pattern is not None:
            self.add_pattern(secret.pattern, secret.label, secret.hint)

    def add(self, value: str | bytes, label: str) -> None:
        """Register a value.

        :raises UsageError: it is shorter than :data:`SHORTEST_SECRET` characters.
        """
        raw = encoded(value) if isinstance(value, str) else value
        if len(value) < SHORTEST_SECRET or len(raw.strip()) < SHORTEST_SECRET:
            raise UsageError(
                "this secret is too short to be taken out of reports",
                key=label,
                expected=f"at least {SHORTEST_SECRET} characters",
            )
        is_new = self.values.add(raw, label)
        self._clean.forget()  # when it is known, and not before: it is looked for from now on
        if is_new:
            for watcher in self._watchers:
                watcher(raw, label)

    def learn(self, value: bytes, label: str) -> None:
        """Know a value that somebody else has registered."""
        self.values.add(value, label)
        self._clean.forget()

    def add_pattern(self, pattern: str, label: str, hint: str = "") -> None:
        """Register a pattern.

        :param hint: see :class:`~harness.redaction.patterns.Secret`.
        :raises UsageError: it is no regular expression.
        """
        compiled = Pattern(pattern, label, hint)
        self.values.look_out(compiled.hints)
        self._patterns += (compiled,)
        self._clean.forget()

    def watch(self, watcher: Callable[[bytes, str], None]) -> None:
        """Call a function with each value and label that is registered, also with those that are already."""
        self._watchers.append(watcher)
        for value, label in self.values.items():
            watcher(value, label)

    def draw_from(self, source: Callable[[], None]) -> None:
        """Call a function before each search: it may have something new to :meth:`learn`."""
        self._sources.append(source)

    # -- redacting ----------------------------------------------------------------------------------------

    def redact(self, text: str) -> str:
        """Return a text without secrets; the very same object when there was none."""
        data = encoded(text)
        clean = self.redact_bytes(data)
        return text if clean is data else clean.decode("utf-8", "surrogateescape")

    def redact_bytes(self, data: bytes) -> bytes:
        """Return bytes without secrets; the very same object when there was none.

        :param data: bytes; of any other buffer, which may change yet, a copy is looked at.
        """
        data = bytes(data)  # bytes themselves are not copied
        self._draw()
        generation = self._clean.generation
        if data in self._clean:
            return data
        finds = self.find(data)
        if finds:
            return replaced(data, finds, len(data))
        self._clean.add(data, generation)
        return data

    def stream(self, longest_line: int = LONGEST_LINE) -> RedactedStream:
        """Return a processor for one stream that arrives in chunks.

        :param longest_line: a line that does not end is passed on in pieces of about this size, in bytes.
        """
        return RedactedStream(self, longest_line)

    def find(self, data: bytes) -> list[Find]:
        """Return where secrets are, in order; those that overlap as one."""
        self._draw()
        finds = list(self._find(data))
        finds += self._find_below(data, MOST_ESCAPED)
        return _joined(finds) if finds else finds

    def _draw(self) -> None:
        for source in self._sources:
            source()

    def _find(self, data: bytes) -> Iterator[Find]:
        finds, hints = self.values.find(data)
        yield from finds
        for pattern in self._patterns:
            if not pattern.hints or not pattern.hints.isdisjoint(hints):
                yield from pattern.find(data)

    def _find_below(self, data: bytes, layers: int) -> Iterator[Find]:
        """Give what is found when one layer of escapes after the other is undone."""
        view = (ASCII_ESCAPES if self.values.ascii_only else ALL_ESCAPES).undo(data)
        if view is None:
            return
        finds = list(self._find(view.data))
        if layers > 1:
            finds += self._find_below(view.data, layers - 1)
        for found in finds:
            if found.start < found.end:
                start, end = view.source(found.start, found.end)
                yield found._replace(start=start, end=end)


def encoded(text: str) -> bytes:
    """Return a text as bytes, also one with halves of characters in it."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")


def _joined(finds: list[Find]) -> list[Find]:
    joined: list[Find] = []
    for found in sorted(finds, key=lambda find: (find.start, -find.end)):
        if joined and found.start < joined[-1].end:
            last = joined[-1]
            if found.end > last.end:
                joined[-1] = last._replace(end=found.end, may_go_on=found.may_go_on)
            elif found.end == last.end and found.may_go_on:
                joined[-1] = last._replace(may_go_on=True)
        elif found.end > found.start:
            joined.append(found)
    return joined
