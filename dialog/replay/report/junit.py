"""The report as JUnit: gates and conversations as test cases, for what continuous integration shows.

Only gates fail a build, as they alone make the verdict and the exit code: an
undecided one is skipped, and an agent that never answered is an error. What
went wrong in a conversation stands in its case's output.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from xml.etree import ElementTree

from dialog.replay.failures import Failure
from dialog.replay.outcome import CRASHED, Outcome
from dialog.replay.report.shown import plain


def junit(outcome: Outcome, conversation_ids: Iterable[str]) -> str:
    """The XML text."""
    root = ElementTree.Element("testsuites", name="replay")
    gates = ElementTree.SubElement(root, "testsuite", name="gates")
    for gate in outcome.gates:
        case = _case(gates, gate.expr)
        if gate.verdict == "fail":
            ElementTree.SubElement(case, "failure", message=plain(gate.reason))
        elif gate.verdict == "inconclusive":
            ElementTree.SubElement(case, "skipped", message=f"inconclusive: {plain(gate.reason)}")
    if outcome.exit_code == CRASHED:
        ElementTree.SubElement(_case(gates, "agents"), "error", message=outcome.headline)
    conversations = ElementTree.SubElement(root, "testsuite", name="conversations")
    wrong: dict[str, list[Failure]] = defaultdict(list)
    for failure in outcome.failures:
        wrong[failure.conversation_id].append(failure)
    for conversation_id in sorted(conversation_ids):
        case = _case(conversations, conversation_id)
        if wrong[conversation_id]:
            told = [
                f"turn {one.turn}, agent {one.agent.upper()}: {one.kind}: {one.detail}"
                for one in wrong[conversation_id]
            ]
            ElementTree.SubElement(case, "system-out").text = plain("\n".join(told))
    for suite in (gates, conversations):
        suite.set("tests", str(len(suite)))
        suite.set("failures", str(len(suite.findall("*/failure"))))
        suite.set("errors", str(len(suite.findall("*/error"))))
        suite.set("skipped", str(len(suite.findall("*/skipped"))))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _case(suite: ElementTree.Element, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=suite.get("name", ""), name=plain(name))
