"""What an indexing run says about all its documents, put on them; and what must not be indexed as it is.

A run's `--tenant` and `--set-metadata` are stronger than what the documents
say of themselves, so a tenant's own upload cannot claim to be another's.

    stamped = put_on(loaded, {"tenant": "acme"})
    stamped.loaded.document.metadata["tenant"]     # "acme"; None where nothing of it may be indexed
    stamped.skipped, stamped.notices
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dialog.errors import KnowledgeError
from dialog.knowledge.documents import SourceFile
from dialog.knowledge.facets import facet_name, locale_tag, read_facets, tenant_name
from dialog.knowledge.records import Block, Loaded, Skip

_HEAD_LINES = 60
_FIELD = re.compile(r"^\s{0,3}[\"']?([^:：\"']{1,30})[\"']?\s*[:：]")
_SHOWN_CHARS = 40


@dataclass(frozen=True)
class Stamped:
    """A document as it may be indexed, what of it may not, and what goes unused."""

    loaded: Loaded | None
    skipped: tuple[Skip, ...] = ()
    notices: tuple[Skip, ...] = ()


def checked_stamp(tenant: str | None, metadata: Mapping[str, str]) -> dict[str, str]:
    """What to put on every document; an empty tenant makes it everybody's.

    Raises:
        KnowledgeError: a value does not mean what its name says.
    """
    stamp = {facet_name(name) or name: value for name, value in metadata.items()}
    if "tenant" in stamp:
        raise KnowledgeError("a document's owner is set with --tenant, not with --set-metadata")
    try:
        stamp |= {"locale": locale_tag(stamp["locale"])} if stamp.get("locale") else {}
        stamp |= {} if tenant is None else {"tenant": tenant_name(tenant)}
    except ValueError as error:
        raise KnowledgeError(
            f"cannot index documents with {stamp | {'tenant': tenant}!r}: {error}"
        ) from error
    read = read_facets(stamp)
    if read.faults or read.notices:
        raise KnowledgeError(f"cannot index documents so: {(*read.faults, *read.notices)[0]}")
    return stamp


def put_on(loaded: Loaded, stamp: Mapping[str, str]) -> Stamped:
    """The document with the stamp on it, its facets under their own names, its faulty parts left out."""
    document = loaded.document
    read = read_facets(_without(document.metadata, stamp))
    faults = [*read.faults, *_lost_front_matter(loaded, stamp)]
    if faults:
        return Stamped(None, skipped=_skips(document.source, faults))
    notices = list(_skips(document.source, read.notices))
    skipped: list[Skip] = []
    blocks: list[Block] = []
    for block in loaded.blocks:
        own = read_facets(_without(block.metadata, stamp)) if block.metadata else None
        where = f"{document.source}: {_shown(document.text[block.start : block.end])!r}"
        if own and own.faults:
            skipped += _skips(where, own.faults)
            continue
        if own:
            notices += _skips(where, own.notices)
            block = replace(block, metadata={**own.metadata, **_said(stamp)})
        blocks.append(block)
    if loaded.blocks and not blocks:
        return Stamped(None, skipped=tuple(skipped), notices=tuple(notices))
    identity = stamped_hash(document.content_hash, stamp)
    changed = document.model_copy(
        update={"metadata": {**read.metadata, **_said(stamp)}, "content_hash": identity}
    )
    stamped = replace(loaded, document=changed, blocks=tuple(blocks))
    return Stamped(stamped, skipped=tuple(skipped), notices=tuple(notices))


def stamped_hash(content_hash: str, stamp: Mapping[str, str]) -> str:
    """What a document is known by: another stamp makes it another version."""
    if not stamp:
        return content_hash
    return hashlib.sha256(repr((content_hash, sorted(stamp.items()))).encode()).hexdigest()


def refuse_to_disown(files: Sequence[SourceFile | Skip], owners: Mapping[str, str]) -> None:
    """Against a run that names no owner and would make a tenant's documents everybody's.

    Raises:
        KnowledgeError: one of the files has an owner that an earlier run named.
    """
    for file in files:
        if isinstance(file, SourceFile) and (owner := owners.get(file.key)):
            raise KnowledgeError(
                f"{file.source!r} was indexed as tenant {owner!r}; index it with --tenant {owner!r} again, "
                "or with --tenant '' to make it everybody's"
            )


def _without(metadata: Mapping[str, Any], stamp: Mapping[str, str]) -> dict[str, Any]:
    """What the document says of itself and the stamp does not say in its place."""
    return {name: value for name, value in metadata.items() if (facet_name(name) or name) not in stamp}


def _said(stamp: Mapping[str, str]) -> dict[str, str]:
    """An empty value is there to override what the document says, not to be kept."""
    return {name: str(read) for name, read in read_facets(stamp).metadata.items() if read != ""}


def _lost_front_matter(loaded: Loaded, stamp: Mapping[str, str]) -> list[str]:
    """Why a document whose front matter could not be read must not be taken for everybody's.

    A reader takes front matter it cannot parse for text; harmless, unless it
    says who may see the document, and when.
    """
    lines = loaded.document.text[:10_000].split("\n")[:_HEAD_LINES]
    if not lines or lines[0].strip() != "---":
        return []
    known = {facet_name(name) for name in loaded.document.metadata} | set(stamp)
    for line in lines[1:]:
        if line.strip() in ("---", "..."):
            break
        field = _FIELD.match(line)
        name = facet_name(field.group(1)) if field else None
        if name in ("tenant", "locale", "valid_from", "valid_until") and name not in known:
            if line.partition(":")[2].strip(" \"'~") in ("", "null"):
                continue
            return [f"has front matter that cannot be read and says {name}; write it as YAML"]
    return []


def _skips(source: str, reasons: Sequence[str]) -> tuple[Skip, ...]:
    return tuple(Skip(source=source, reason=reason) for reason in reasons)


def _shown(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _SHOWN_CHARS else f"{flat[:_SHOWN_CHARS]}..."
