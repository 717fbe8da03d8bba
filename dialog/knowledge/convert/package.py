"""The ZIP archive an Office file is, opened with every bound an untrusted one needs.

    package = open_package(data, kind="Word document", suffix=".docx")
    root = package.xml("word/document.xml")     # tags and attributes without namespaces

Refused with a reason: encrypted and old files (both are OLE containers),
archives that unpack to too much, and XML with a document type (entities that
expand, or fetch) or nested or long beyond sense.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from dialog.knowledge.convert.pieces import Unreadable

MAX_UNPACKED_BYTES = 256 * 1024 * 1024
MAX_RATIO = 300
"""How much smaller packed than unpacked a file may be; Office files reach about 50."""
_SMALL_BYTES = 8 * 1024 * 1024
"""Below this an unpacked file is harmless whatever its ratio."""
MAX_PARTS = 20_000
MAX_ELEMENTS = 3_000_000
MAX_DEPTH = 250

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


@dataclass(frozen=True)
class Package:
    """An opened archive; `kind` names it in messages."""

    archive: zipfile.ZipFile
    kind: str

    def has(self, part: str) -> bool:
        return part in self.archive.NameToInfo

    def xml(self, part: str) -> Element:
        """The root of an XML part.

        Raises:
            Unreadable: it is missing, malformed or beyond the bounds.
        """
        builder = TreeBuilder()
        self._parse(part, builder)
        return builder.close()

    def check(self, part: str) -> None:
        """Refuse an XML part that another library is to read if it is malformed or beyond the bounds."""
        self._parse(part, None)

    def _parse(self, part: str, builder: TreeBuilder | None) -> None:
        if not self.has(part):
            raise Unreadable(f"is not a {self.kind}: it has no {part!r}")
        parser = XMLParser(target=_Bounded(part, builder))
        try:
            with self.archive.open(part) as file:
                # Asked for so many bytes it unpacks no more, whatever the header said.
                parser.feed(file.read(self.archive.NameToInfo[part].file_size))
            parser.close()
        except (ParseError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise Unreadable(f"is damaged: {part}: {error}") from error

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """Of a part ("" for the package): relation id -> (type's last word, target part)."""
        folder, name = posixpath.split(part)
        source = posixpath.join(folder, "_rels", f"{name}.rels")
        if not self.has(source):
            return {}
        found = {}
        for relation in self.xml(source):
            target = relation.get("Target", "")
            path = target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target)
            kind = relation.get("Type", "").rpartition("/")[2]
            found[relation.get("Id", "")] = (kind, posixpath.normpath(path))
        return found


def open_package(data: bytes, *, kind: str, suffix: str) -> Package:
    """Open an Office file's archive.

    Raises:
        Unreadable: it is encrypted, old, no archive, or unpacks to too much.
    """
    if data.startswith(_OLE):
        if _ENCRYPTED in data:
            raise Unreadable("is encrypted; save it without a password")
        raise Unreadable(f"is in the old Office format; save it as {suffix}")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise Unreadable(f"is not a {kind}, or damaged: {error}") from error
    _check_size(archive)
    return Package(archive, kind)


def _check_size(archive: zipfile.ZipFile) -> None:
    """Bounds what is unpacked: of a part no more is ever read than the size declared here."""
    parts = archive.infolist()
    if len(parts) > MAX_PARTS:
        raise Unreadable(f"holds {len(parts)} parts; at most {MAX_PARTS} are read")
    total = sum(part.file_size for part in parts)
    if total > MAX_UNPACKED_BYTES:
        raise Unreadable(f"unpacks to {total} bytes; at most {MAX_UNPACKED_BYTES} are read")
    for part in parts:
        if part.flag_bits & 1:
            raise Unreadable("is encrypted; save it without a password")
        if part.file_size > _SMALL_BYTES and part.file_size > MAX_RATIO * max(part.compress_size, 1):
            raise Unreadable(f"unpacks to more than {MAX_RATIO} times its size ({part.filename!r})")


class _Bounded:
    """Builds the tree, without namespaces, and refuses what no honest file holds."""

    def __init__(self, part: str, builder: TreeBuilder | None) -> None:
        self.part = part
        self.builder = builder
        self.depth = self.num_elements = 0

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        raise Unreadable(f"declares a document type in {self.part!r}, which no Office file needs")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.num_elements += 1
        if self.depth > MAX_DEPTH:
            raise Unreadable("is nested too deeply")
        if self.num_elements > MAX_ELEMENTS:
            raise Unreadable(f"has more than {MAX_ELEMENTS} elements in {self.part!r}")
        if self.builder:
            self.builder.start(_local(tag), {_local(name): value for name, value in attributes.items()})

    def end(self, tag: str) -> None:
        self.depth -= 1
        if self.builder:
            self.builder.end(_local(tag))

    def data(self, text: str) -> None:
        if self.builder:
            self.builder.data(text)


def _local(name: str) -> str:
    return name.rpartition("}")[2]
