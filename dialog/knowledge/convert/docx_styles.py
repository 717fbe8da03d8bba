"""What the styles and list definitions of a Word document mean for its text.

Styles(root).level("Heading2", properties)          # 2; 0 for a paragraph that is no heading
Numbering(root).marker(properties, ("3", 0))        # (0, "-") or (1, "2."); None if it is no list item
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

_HEADING = re.compile(r"(?:heading|标题|überschrift|titre) ?([1-9])$")
_TITLES = {"title", "标题", "文档标题"}
_BODY_LEVEL = 9
_MAX_CHAIN = 20


class Styles:
    """Paragraph styles by id, with what they inherit."""

    def __init__(self, root: Element) -> None:
        self._styles = {style.get("styleId", ""): style for style in root.iter("style")}

    def level(self, style: str, properties: Element | None) -> int:
        """Heading level from 1, 0 for body text: by outline level, else by the style's name."""
        if (outline := value(properties, "outlineLvl")).isdigit():
            return _from_outline(outline)
        for element in self._chain(style):
            name = value(element, "name").strip().lower()
            if match := _HEADING.match(name):
                return int(match.group(1))
            if name in _TITLES:
                return 1
            if (outline := value(element.find("pPr"), "outlineLvl")).isdigit():
                return _from_outline(outline)
        return 0

    def is_title(self, style: str) -> bool:
        return any(value(element, "name").strip().lower() in _TITLES for element in self._chain(style))

    def is_bold(self, style: str) -> bool:
        return any(flag(element.find("rPr"), "b") for element in self._chain(style))

    def list_of(self, style: str) -> tuple[str, int] | None:
        """(list id, level) of paragraphs in this style."""
        for element in self._chain(style):
            if found := _list(element.find("pPr")):
                return found
        return None

    def _chain(self, style: str) -> list[Element]:
        chain: list[Element] = []
        while style in self._styles and len(chain) < _MAX_CHAIN:
            chain.append(self._styles[style])
            style = value(chain[-1], "basedOn")
        return chain


class Numbering:
    """List definitions, and how far each list has counted."""

    def __init__(self, root: Element) -> None:
        abstract = {element.get("abstractNumId", ""): element for element in root.iter("abstractNum")}
        self._formats: dict[tuple[str, int], str] = {}
        for number in root.iter("num"):
            levels = abstract.get(value(number, "abstractNumId"), Element("none"))
            for level in levels.iter("lvl"):
                key = (number.get("numId", ""), _integer(level.get("ilvl", "0")))
                self._formats[key] = value(level, "numFmt")
        self._counts: dict[tuple[str, int], int] = {}

    def marker(self, properties: Element | None, inherited: tuple[str, int] | None) -> tuple[int, str] | None:
        """Indentation and sign of a paragraph's list item; None if it belongs to no list."""
        item = _list(properties) or inherited
        if item is None or item[0] == "0":
            return None
        kind = self._formats.get(item, "bullet")
        if kind in ("bullet", "none"):
            return item[1], "-"
        self._counts = {
            key: count for key, count in self._counts.items() if key[0] != item[0] or key[1] <= item[1]
        }
        self._counts[item] = self._counts.get(item, 0) + 1
        return item[1], f"{self._counts[item]}."


def value(parent: Element | None, tag: str) -> str:
    """`<tag val="...">` below `parent`, "" if there is none."""
    element = None if parent is None else parent.find(tag)
    return "" if element is None else element.get("val", "")


def flag(properties: Element | None, tag: str, default: bool = False) -> bool:
    """An on-off property: present means on, unless it says otherwise."""
    element = None if properties is None else properties.find(tag)
    return default if element is None else element.get("val", "1") not in ("0", "false", "off", "none")


def _list(properties: Element | None) -> tuple[str, int] | None:
    numbering = None if properties is None else properties.find("numPr")
    if numbering is None or not value(numbering, "numId"):
        return None
    return value(numbering, "numId"), min(_integer(value(numbering, "ilvl")), 8)


def _from_outline(outline: str) -> int:
    return 0 if int(outline) >= _BODY_LEVEL else int(outline) + 1


def _integer(text: str) -> int:
    return int(text) if text.isdigit() else 0
