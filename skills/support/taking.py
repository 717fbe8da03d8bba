"""Slots taken from a message, and taken back by one.

What was asked for is read first and generously; whatever else is there is
taken only where its form says what it is and only one slot can be meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dialog.text import normalise
from skills.support.case import Case
from skills.support.cues import is_asking, is_correcting, is_former, is_no
from skills.support.flows import Flow, SlotSpec
from skills.support.progress import CONFIRM
from skills.support.reading import Found, read

_FREE = ("text", "name")


@dataclass
class Taken:
    """What a message gave.

    Attributes:
        names: the slots that have a new value.
        spans: where those were read.
        trouble: what was said for the slot that was asked for, and will not do.
    """

    names: list[str] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    trouble: Found | None = None

    def is_free(self, found: Found) -> bool:
        return all(found.end <= start or found.start >= end for start, end in self.spans)


def take(case: Case, flow: Flow, *, asked: str | None) -> Taken:
    """Read the message: the slot that was asked for, corrections, then what else is missing."""
    taken = Taken()
    spec = case.flows.slots.get(asked or "")
    is_free = spec is not None and spec.kind in _FREE
    if asked is not None and spec is not None and not is_free:
        _take_asked(case, asked, spec, taken)
    if asked is not None and is_correcting(case.text):
        _correct(case, flow, taken)
    if asked is not None and spec is not None and is_free and not taken.names and not is_asking(case.text):
        _take_asked(case, asked, spec, taken)
        return taken
    _take_offered(case, flow, taken)
    return taken


def take_back(case: Case, flow: Flow) -> str | None:
    """Clear the slot that the message calls wrong without saying what is right; returns its name."""
    if not is_correcting(case.text):
        return None
    said = normalise(case.text)
    for name in flow.all_slots:
        label = case.flows.slots[name].label
        if name in case.values and any(normalise(one) in said for one in (label.zh, label.en)):
            case.put(name, None)
            return name
    free = [name for name in flow.all_slots if name in case.values and case.flows.slots[name].kind in _FREE]
    if case.progress.asked == CONFIRM and len(free) == 1 and not is_no(case.text):
        case.put(free[0], None)  # nothing of the other kinds was said, so it is this that is wrong
        return free[0]
    return None


def _take_asked(case: Case, name: str, spec: SlotSpec, taken: Taken) -> None:
    found = [
        one
        for one in read(case.text, spec, today=case.today, asked=True)
        if not is_former(case.text, one.start)
    ]
    good = [one for one in found if one.trouble is None]
    if len({one.value for one in good}) > 1:
        taken.trouble = _all_of(case, good)
    elif good:
        _put(case, name, good[0], taken)
    elif found:
        taken.trouble = found[0]


def _correct(case: Case, flow: Flow, taken: Taken) -> None:
    """New values of slots that had one; where two slots could be meant, the one that is named."""
    fitting: dict[str, Found] = {}
    for name in flow.all_slots:
        spec = case.flows.slots[name]
        if name in taken.names or name not in case.values or spec.kind in _FREE:
            continue
        found = _offered(case, spec, taken)
        others = {one.value: one for one in found if one.value != case.values[name]}
        if len(others) == 1:
            (fitting[name],) = others.values()
    said = normalise(case.text)
    named = [
        name
        for name in fitting
        if any(normalise(one) in said for one in case.flows.slots[name].label.model_dump().values())
    ]
    for name in named or fitting:
        if taken.is_free(fitting[name]):
            _put(case, name, fitting[name], taken)


def _take_offered(case: Case, flow: Flow, taken: Taken) -> None:
    missing = [name for name in flow.all_slots if name not in case.values]
    offers = {name: _offered(case, case.flows.slots[name], taken) for name in missing}
    for name, found in offers.items():
        if len({one.value for one in found}) != 1 or not taken.is_free(found[0]):
            continue
        kind = case.flows.slots[name].kind
        rivals = [other for other in missing if other != name and case.flows.slots[other].kind == kind]
        claims = {(one.start, one.end) for other in rivals for one in offers[other]}
        if not any((one.start, one.end) in claims for one in found):
            _put(case, name, found[0], taken)


def _offered(case: Case, spec: SlotSpec, taken: Taken) -> Sequence[Found]:
    """What nobody asked for, and is plainly a value of this kind."""
    return [
        one
        for one in read(case.text, spec, today=case.today, asked=False)
        if one.trouble is None and taken.is_free(one) and not is_former(case.text, one.start)
    ]


def _put(case: Case, name: str, found: Found, taken: Taken) -> None:
    case.put(name, found.value)
    taken.names.append(name)
    taken.spans.append((found.start, found.end))


def _all_of(case: Case, found: Sequence[Found]) -> Found:
    said = " / ".join(dict.fromkeys(one.value for one in found))
    return Found(value=said, start=found[0].start, end=found[-1].end, trouble="ambiguous")
