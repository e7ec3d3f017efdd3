"""What a program reads from a page: its heading, its text, its forms, and the parts that carry a ``data-testid``."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

UNREAD: Final = frozenset({"script", "style", "title", "noscript"})
VOID: Final = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
"""Elements without an end tag (HTML, section 13.1.2)."""


class PageError(Exception):
    """Another page, or part of one, than the expected one. The text has what the page reads."""


@dataclass(eq=False, slots=True)
class Form:
    """A form.

    Attributes:
        action: The path that it is sent to.
        fields: What is sent unless it is filled in otherwise.
        names: The names of the fields that can be filled in.

    """

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


@dataclass(eq=False, slots=True)
class Part:
    """An element with a ``data-testid``.

    Attributes:
        testid: That.
        attributes: All its attributes.
        form: The form that it is in.
        around: The parts that it is in.
        words: Its texts.

    """

    testid: str
    attributes: Mapping[str, str]
    form: Form | None
    around: tuple["Part", ...]
    words: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its text, white space folded."""
        return " ".join(self.words)


class Page(HTMLParser):
    """A page.

    Attributes:
        heading: Its main heading.
        words: Its texts.
        hidden: The hidden fields of all its forms.
        events: The path of its event stream; empty if it has none.
        parts: Its parts, in order.
        choices: The values of its radio buttons, by their names and labels.

    """

    def __init__(self, content: str = "") -> None:
        super().__init__()
        self.heading = ""
        self.words: list[str] = []
        self.hidden: dict[str, str] = {}
        self.events = ""
        self.parts: list[Part] = []
        self.choices: dict[str, dict[str, str]] = {}
        self._choice: tuple[str, str] | None = None
        self._form: Form | None = None
        self._open: list[tuple[str, Part | None]] = []
        self.feed(content)

    @property
    def text(self) -> str:
        """Its whole text, white space folded."""
        return " ".join(self.words)

    def find(self, testid: str, row: str = "") -> Part:
        """Return the first part with an id.

        Args:
            testid: The id.
            row: A text of a part around it.

        Raises:
            PageError: If there is none.

        """
        for part in self.parts:
            if part.testid == testid and (not row or any(row in each.text for each in part.around)):
                return part
        message = f"the page has no {testid!r} {f'in a row with {row!r} ' if row else ''}: {self.text}"
        raise PageError(message)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Enter an element."""
        attributes = {name: value or "" for name, value in attrs}
        self.events = attributes.get("data-events", self.events)
        if tag == "form":
            self._form = Form(attributes.get("action", ""))
        if tag == "input":
            self._read_input(attributes)
        part = None
        if "data-testid" in attributes:
            part = Part(attributes["data-testid"], attributes, self._form, tuple(self._parts_around()))
            self.parts.append(part)
        if tag not in VOID:
            self._open.append((tag, part))

    def handle_endtag(self, tag: str) -> None:
        """Leave an element, and those in it whose end tag is left out."""
        if tag == "form":
            self._form = None
        if any(tag == each for each, _ in self._open):
            while self._open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        """Note text that a person reads."""
        text = " ".join(data.split())
        tags = {tag for tag, _ in self._open}
        if not text or UNREAD & tags:
            return
        if "h1" in tags:
            self.heading = f"{self.heading} {text}".strip()
        self.words.append(text)
        if self._choice:
            name, value = self._choice
            self.choices.setdefault(name, {})[text] = value
            self._choice = None
        for part in self._parts_around():
            part.words.append(text)

    def _read_input(self, attributes: Mapping[str, str]) -> None:
        name, kind, value = attributes.get("name", ""), attributes.get("type", "text"), attributes.get("value", "")
        if kind == "hidden":
            self.hidden[name] = value
        if self._form is None or "disabled" in attributes:
            return
        self._form.names.add(name)
        self._choice = (name, value) if kind == "radio" else None
        if kind not in {"checkbox", "radio"} or "checked" in attributes:
            self._form.fields[name] = value

    def _parts_around(self) -> Iterator[Part]:
        return (part for _, part in self._open if part is not None)
