"""`index`, `search` and `render`: documents in, passages and prompts out."""

import json

import pytest

from dialog.knowledge.records import IndexReport
from dialog.values import Prompt, SearchResult
from tests.knowledge import pdfs


def test_index_says_what_it_did(command, light_embedder, tmp_path):
    (tmp_path / "a.md").write_text("# A\n\nText.\n")
    result = command("index", "a.md")
    assert result.code == 0
    assert result.out.startswith("1 added, 0 changed, 0 removed, 0 unchanged, 0 skipped; the index holds 1 ")


def test_index_json_is_a_report(command, shop):
    report = IndexReport.model_validate_json(command("index", str(shop), "--json").out)
    assert (report.added, report.unchanged, report.num_documents) == (0, 2, 2)


def test_index_lists_what_it_skips_also_when_quiet(command, own_shop):
    (own_shop / "picture.png").write_bytes(b"\x89PNG\x00\x00")
    result = command("index", str(own_shop), "--quiet")
    assert (result.code, result.out) == (0, "")
    assert result.err.startswith("skipped picture.png: ")


def test_index_says_what_it_read_in_part(command, own_shop):
    story = [("p", "Returns are free."), ("break", None)]
    (own_shop / "terms.pdf").write_bytes(pdfs.joined(pdfs.typeset(story), pdfs.scanned()))
    result = command("index", str(own_shop))
    assert result.err.startswith("read in part terms.pdf: page 2: no text (scanned or blank)")
    assert "0 skipped (1 read in part); the index holds 3 documents" in result.out


def test_index_of_nothing_readable_exits_1(command, light_embedder, tmp_path):
    (tmp_path / "empty").mkdir()
    result = command("index", "empty")
    assert result.code == 1
    assert "skipped empty: holds no files" in result.err


def test_prune_removes_what_is_gone(command, own_shop):
    (own_shop / "退货.md").unlink()
    report = json.loads(command("index", str(own_shop), "--prune", "--json").out)
    assert (report["removed"], report["num_documents"]) == (1, 1)


def test_rebuild_reads_everything_again(command, shop):
    assert json.loads(command("index", str(shop), "--rebuild", "--json").out)["added"] == 2


def test_index_draws_no_progress_into_a_pipe(command, shop):
    assert "\r" not in command("index", str(shop)).err


def test_index_draws_progress_on_a_terminal_and_wipes_it(command, shop, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    err = command("index", str(shop)).err
    assert "indexing [" in err
    assert err.endswith("\r\x1b[K")


@pytest.mark.parametrize("query", ["Are returns free?", "可以退货吗"])
def test_search_json_is_a_search_result(command, shop, query):
    result = SearchResult.model_validate_json(command("search", query, "--json").out)
    assert result.query == query
    assert {passage.source for passage in result.passages} <= {"returns.md", "退货.md"}
    assert result.passages[0].legs.lexical == 1


def test_search_for_people_names_sources(command, shop):
    out = command("search", "免费退货").out
    assert "1. 退货" in out
    assert "退货.md:" in out


def test_top_k_limits_the_passages(command, shop):
    assert len(json.loads(command("search", "free 退货", "--top-k", "1", "--json").out)["passages"]) == 1


def test_search_without_an_index_exits_1_and_says_how_to_make_one(command):
    result = command("search", "x")
    assert result.code == 1
    assert "instructrec index PATH" in result.err


def test_search_batch_gives_a_line_each_in_order_with_its_id(command, shop, lines, question):
    path = lines("q.jsonl", question("二", "可以退货吗"), question("1", "Are returns free?"))
    found = [json.loads(line) for line in command("search", "--batch", path).out.splitlines()]
    assert [line.pop("id") for line in found] == ["二", "1"]
    assert [SearchResult.model_validate(line).query for line in found] == ["可以退货吗", "Are returns free?"]


def test_history_gives_a_search_its_context(command, shop, lines):
    messages = [
        {"role": "user", "content": "Are returns free?"},
        {"role": "assistant", "content": "Yes, returns are free."},
    ]
    path = lines("h.jsonl", {"id": "h", "messages": messages})
    alone = json.loads(command("search", "And for how long?", "--json").out)
    in_context = json.loads(command("search", "And for how long?", "--history", path, "--json").out)
    assert alone["rewritten"] is None
    assert in_context["passages"][0]["source"] == "returns.md"


def test_history_with_two_conversations_exits_2(command, shop, lines, question):
    path = lines("h.jsonl", question("a", "x"), question("b", "y"))
    result = command("search", "z", "--history", path)
    assert result.code == 2
    assert "holds 2 conversations" in result.err


def test_render_json_is_the_contract(command, model, shop, lines, question):
    path = lines("h.jsonl", question("h", "Are returns free?", ("user", "Hello"), ("assistant", "Hi")))
    content = json.loads(command("render", "--history", path, "--json").out)
    assert content.keys() == {"text", "ids", "segments", "fit"}
    prompt = Prompt.model_validate(content)
    assert [segment.end for segment in prompt.segments[:-1]] == [s.start for s in prompt.segments[1:]]
    assert prompt.segments[-1].end == len(prompt.ids)
    assert {"user", "agent", "passage"} <= {segment.kind for segment in prompt.segments}


def test_render_is_what_the_model_was_shown(command, model, shop, lines, question):
    path = lines("h.jsonl", question("h", "Are returns free?"))
    command("ask", "--batch", path)
    assert command("render", "--history", path).out == model.prompts[-1].text


def test_render_of_a_stored_conversation(command, model, shop):
    command("ask", "Are returns free?", "--conversation", "c-1")
    assert command("render", "--conversation", "c-1").out == model.prompts[-1].text


def test_render_of_an_unknown_conversation_exits_1(command, model):
    result = command("render", "--conversation", "../nobody")
    assert result.code == 1
    assert "no conversation '../nobody'" in result.err


def test_render_on_a_terminal_colours_the_same_text(command, model, shop, lines, question, monkeypatch):
    import re

    path = lines("h.jsonl", question("h", "Are returns free?"))
    plain = command("render", "--history", path).out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    coloured = command("render", "--history", path)
    assert "\x1b[33m" in coloured.out
    assert re.sub(r"\x1b\[\d+m", "", coloured.out).rstrip("\n") == plain.rstrip("\n")
    assert "tokens used" in coloured.err


def test_documents_of_a_tenant_are_searched_as_that_tenant(command, own_shop):
    assert command("index", str(own_shop), "--tenant", "acme").code == 0
    assert json.loads(command("search", "退货", "--json").out)["passages"] == []
    as_acme = command("search", "退货", "--json", "--set", "knowledge.tenant=acme")
    assert len(json.loads(as_acme.out)["passages"]) == 2


def test_documents_are_not_disowned_by_a_later_run(command, own_shop):
    command("index", str(own_shop), "--tenant", "acme")
    result = command("index", str(own_shop))
    assert result.code == 1
    assert "was indexed as tenant 'acme'" in result.err
    assert command("index", str(own_shop), "--tenant", "").out.startswith("0 added, 2 changed")


def test_search_is_narrowed_by_metadata(command, light_embedder, tmp_path):
    (tmp_path / "faq.jsonl").write_text(
        '{"text": "Parking costs 1.", "floor": 1, "open": true}\n'
        '{"text": "Parking costs 2.", "floor": 2, "open": true}\n'
        '{"text": "Parking costs 3.", "floor": 3, "open": false}\n'
    )
    command("index", "faq.jsonl", "--set-metadata", "product=lot")

    def found(*where):
        result = json.loads(command("search", "parking", "--json", "--top-k", "9", *where).out)
        return sorted(passage["text"] for passage in result["passages"])

    assert found("--where", "floor=1", "--where", "product=lot") == ["Parking costs 1."]
    assert found("--where", "floor=1", "--where", "floor=3") == ["Parking costs 1.", "Parking costs 3."]
    assert found("--where", "open=true") == ["Parking costs 1.", "Parking costs 2."]
    assert found("--where", "product=tent") == []


@pytest.mark.parametrize(
    "arguments", [("search", "x", "--where", "floor"), ("index", ".", "--set-metadata", "=1")]
)
def test_filter_without_name_or_value_is_refused(command, arguments):
    result = command(*arguments)
    assert result.code == 2
    assert "NAME=VALUE" in result.err


def test_index_says_what_is_wrong_with_the_metadata(command, light_embedder, tmp_path):
    (tmp_path / "a.csv").write_text("question,answer,valid_until,updated\nA?,1,never,\nB?,2,,last week\n")
    err = command("index", "a.csv").err
    assert "skipped a.csv: 'A? 1': valid_until = 'never' is not a date" in err
    assert "a.csv: 'B? 2': updated = 'last week' is not a date" in err
