"""Task graphs of STAR become flow files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import DATA
from dialog.errors import CorpusError
from skills.support import load
from skills.support.importers.star import as_yaml, read_graph, to_flows

GRAPH = {
    "task": "book_ride",
    "replies": {
        "hello": "Hello",
        "ask_name": "Your name, please?",
        "ride_ask_destination": "Where to?",
        "ride_ask_confirm_booking": "A ride for {price:d} credits?",
        "ride_confirm_booking": "Booked: {id:d}.",
        "ride_ask_change": "Change what?",
        "query_check": "Query",
    },
    "graph": {
        "hello": "ask_name",
        "ask_name": "ride_ask_destination",
        "ride_ask_destination": "query_check",
        "query_book": "ride_confirm_booking",
    },
}


@pytest.fixture
def graph_file(tmp_path: Path) -> Path:
    path = tmp_path / "ride.json"
    path.write_text(json.dumps(GRAPH), encoding="utf-8")
    return path


def test_questions_become_slots_and_the_query_an_action(graph_file: Path, tmp_path: Path) -> None:
    imported = to_flows([read_graph(graph_file)], openings={"ride": ["I need a ride"]})
    flow = imported.flows.flows["ride"]
    assert flow.slots == ("ride_name", "ride_destination")
    assert imported.flows.slots["ride_destination"].ask.en == "Where to?"
    assert flow.confirm is not None
    assert flow.confirm.en == "A ride for {price} credits?"
    assert flow.reply is not None
    assert flow.reply.en == "Booked: {id}."
    assert flow.action is not None
    assert flow.action.name == "ride"
    written = tmp_path / "flows.yaml"
    written.write_text(as_yaml(imported.flows), encoding="utf-8")
    assert load(written) == imported.flows


def test_what_is_not_taken_over_is_said(graph_file: Path) -> None:
    notes = to_flows([read_graph(graph_file)], openings={}).notes
    assert notes == (
        "every text is English; translate the `zh` ones",
        "ride: no opening sentences; add `examples`",
        "ride: 'ride_ask_confirm_booking' is not on the way to the query",
        "ride: 'ride_ask_change' is not on the way to the query",
    )


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(CorpusError, match="no task graph"):
        read_graph(path)


@pytest.mark.data
def test_every_graph_becomes_a_flow_that_can_be_read_again(tmp_path: Path) -> None:
    folder = DATA / "star" / "tasks"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    graphs = [read_graph(path / f"{path.name}.json") for path in sorted(folder.iterdir())]
    imported = to_flows(graphs, openings={})
    written = tmp_path / "flows.yaml"
    written.write_text(as_yaml(imported.flows), encoding="utf-8")
    assert load(written) == imported.flows
    assert len(imported.flows.flows) == len(graphs) == 24
