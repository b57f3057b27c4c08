"""Reads HTML as a person does: what stands there, what may be pressed, what a form would send."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})


@dataclass(slots=True, eq=False)
class Element:
    """An element, or a text (which has no tag)."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    data: str = ""

    def __getitem__(self, name: str) -> str:
        return self.attributes.get(name, "")

    def __contains__(self, name: str) -> bool:
        return name in self.attributes

    def walk(self) -> Iterator[Element]:
        """Return this element and all inside it, in their order."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def text(self) -> str:
        """All text inside, blanks run together."""
        return " ".join("".join(element.data for element in self.walk()).split())

    def all(self, tag: str = "", **attributes: str) -> list[Element]:
        """Return the elements of a tag with these attributes, inside this one; ``_`` in a name is ``-``."""
        wanted = {name.strip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [
            element
            for element in self.walk()
            if element.tag
            and (not tag or element.tag == tag)
            and all(element.attributes.get(name) == value for name, value in wanted.items())
        ]

    def one(self, tag: str = "", **attributes: str) -> Element:
        """Return the only one of :meth:`all`."""
        found = self.all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} of <{tag} {attributes}>"
        return found[0]

    def texts(self, tag: str, **attributes: str) -> list[str]:
        """Return the texts of :meth:`all`."""
        return [element.text for element in self.all(tag, **attributes)]

    def sends(self, form: Element) -> dict[str, list[str]]:
        """Return what a form inside this page would send by itself, without any of its buttons."""
        sent: dict[str, list[str]] = {}
        own = {id(element) for element in form.walk()}
        for element in self.walk():
            belongs = element["form"] == form["id"] if "form" in element else id(element) in own
            if not belongs or "disabled" in element or not element["name"]:
                continue
            if element.tag == "input":
                checkable = element["type"] in {"checkbox", "radio"}
                if element["type"] != "file" and (not checkable or "checked" in element):
                    sent.setdefault(element["name"], []).append(element["value"])
            elif element.tag == "select":
                chosen = [each for each in element.all("option") if "selected" in each]
                chosen = chosen or element.all("option")[:1]
                sent.setdefault(element["name"], []).extend(each["value"] for each in chosen)
        return sent


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("#page")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].tag == tag, f"</{tag}> inside <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(Element("", data=data))


def read_page(html: str) -> Element:
    """Read a page; every element must be closed where it belongs."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    assert len(builder._open) == 1, f"not closed: {[element.tag for element in builder._open[1:]]}"
    return builder.root
