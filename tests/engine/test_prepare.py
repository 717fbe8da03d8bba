"""A model is prepared once: complete, keyed by all it depends on, opened without transformers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from jinja2 import TemplateError
from peft import LoraConfig, get_peft_model

from dialog import home
from dialog.engine.chat_template import compile_template
from dialog.engine.lean.forward import LeanForward
from dialog.engine.load import open_model
from dialog.engine.local import LocalModel
from dialog.engine.saved_tokenizer import SavedTokenizer, save_tokenizer
from dialog.engine.tokenizer import HFChatTokenizer
from dialog.errors import ModelError
from dialog.settings import ModelSection
from dialog.testing.tiny import tiny_tokenizer, tiny_transformer
from dialog.values import Message, Sampling
from tests.engine.making import ids_of, prompt_of
from tests.prompt.families import FAMILIES, stock

pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
TALK = [
    Message(role="user", content="Where is it? 你好 <b>&"),
    Message(role="assistant", content="On its way."),
    Message(role="user", content="Thanks\n"),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INSTRUCTREC_HOME", str(tmp_path / "home"))
    tiny_transformer("llama", seed=0, context_tokens=128).save_pretrained(tmp_path / "base")
    tiny_tokenizer().save_pretrained(tmp_path / "base")
    return tmp_path / "base"


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    config = LoraConfig(r=2, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    model = get_peft_model(tiny_transformer("llama", seed=0, context_tokens=128), config)
    model.save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter"


def opened(folder: Path, told: list[str] | None = None, **options: str) -> LocalModel:
    section = ModelSection.model_validate({"name": str(folder), **options})
    return open_model(section, progress=None if told is None else told.append)


def says(model: LocalModel) -> list[int]:
    prompt = prompt_of(model.tokenizer, ("user", "x"))
    return ids_of(list(model.stream(prompt, sampling=Sampling(max_tokens=12))))


def entries() -> list[Path]:
    return sorted((home.cache_dir() / "prepared").glob("[!.]*"))


def test_the_second_time_it_is_found_prepared(folder: Path) -> None:
    told: list[str] = []
    first = says(opened(folder, told, precision="int4"))
    assert says(opened(folder, told, precision="int4")) == first
    assert len([line for line in told if "preparing" in line]) == 1


def test_a_warm_start_does_not_import_transformers(folder: Path) -> None:
    opened(folder, precision="int8")
    code = (
        "import sys\nfrom dialog.engine.load import open_model\nfrom dialog.settings import ModelSection\n"
        f"model = open_model(ModelSection(name={str(folder)!r}, precision='int8'))\n"
        "print(model.tokenizer.fingerprint, 'transformers' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert run.stdout.split() == [HFChatTokenizer(tiny_tokenizer()).fingerprint, "False"]


def test_another_precision_or_adapter_is_another_entry(folder: Path, adapter: Path) -> None:
    for options in (
        {"precision": "int8"},
        {"precision": "int4"},
        {"precision": "int8", "adapter": str(adapter)},
    ):
        opened(folder, **options)
    assert len(entries()) == 3


def test_an_adapter_is_merged_before_packing(folder: Path, adapter: Path) -> None:
    plain = opened(folder, precision="int8").forward
    ids = [1, 87, 85, 263, 9, 9]
    adapted = [
        opened(folder, precision=precision, adapter=str(adapter)).forward for precision in ("int8", "fp32")
    ]
    logits = [forward.next_logits(ids, forward.new_cache()) for forward in (plain, *adapted)]
    assert torch.cosine_similarity(logits[1], logits[2]).item() > 0.999
    assert torch.cosine_similarity(logits[0], logits[2]).item() < 0.99


def test_a_changed_template_is_prepared_anew_and_the_old_entry_goes(folder: Path) -> None:
    opened(folder, precision="int8")
    before = entries()
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template += "!"
    tokenizer.save_pretrained(folder)
    assert opened(folder, precision="int8").tokenizer.fingerprint == HFChatTokenizer(tokenizer).fingerprint
    assert len(entries()) == 1
    assert entries() != before


def test_a_damaged_entry_is_made_again(folder: Path) -> None:
    told: list[str] = []
    first = says(opened(folder, precision="int4"))
    (entries()[0] / "weights.safetensors").write_bytes(b"nothing")
    assert says(opened(folder, told, precision="int4")) == first
    assert any("damaged" in line for line in told)


def test_a_cache_that_cannot_be_written_costs_time_only(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = says(opened(folder, precision="int4"))
    (tmp_path / "file").touch()
    monkeypatch.setenv("INSTRUCTREC_HOME", str(tmp_path / "file"))
    told: list[str] = []
    assert says(opened(folder, told, precision="int4")) == first
    assert any("in memory" in line for line in told)


def test_what_the_lean_engine_does_not_know_goes_through_transformers_and_says_so(folder: Path) -> None:
    config = (
        (folder / "config.json")
        .read_text()
        .replace('"rope_type": "default"', '"rope_type": "dynamic", "factor": 2.0')
    )
    (folder / "config.json").write_text(config)
    told: list[str] = []
    model = opened(folder, told, precision="fp32")
    assert not isinstance(model.forward, LeanForward)
    assert "transformers" in model.info.engine
    assert "dynamic" in model.info.engine
    assert any("dynamic" in line for line in told)
    assert len(says(model)) == 12


def test_packed_weights_that_are_not_possible_are_refused(folder: Path) -> None:
    text = (folder / "config.json").read_text()
    (folder / "config.json").write_text(
        text.replace('"rope_type": "default"', '"rope_type": "dynamic", "factor": 2.0')
    )
    with pytest.raises(ModelError, match='use "auto"'):
        opened(folder, precision="int4")


def test_the_engine_says_what_was_chosen_and_why(folder: Path) -> None:
    assert opened(folder, precision="int8").info.engine == "lean, int8: asked for"


@pytest.mark.parametrize("name", FAMILIES)
def test_a_saved_tokenizer_is_the_stock_one(name: str, tmp_path: Path) -> None:
    save_tokenizer(stock(name), tmp_path, end_ids={7})
    saved = SavedTokenizer(tmp_path)
    ours, theirs = HFChatTokenizer(saved), HFChatTokenizer(stock(name))
    for with_prompt in (True, False):
        text = ours.apply_template(TALK, add_generation_prompt=with_prompt)
        assert text == theirs.apply_template(TALK, add_generation_prompt=with_prompt)
        assert ours.split_control(text) == theirs.split_control(text)
        assert ours.encode(text) == theirs.encode(text)
        assert ours.decode(ours.encode(text)[0]) == theirs.decode(theirs.encode(text)[0])
    assert (ours.fingerprint, ours.special_ids) == (theirs.fingerprint, theirs.special_ids)
    assert saved.end_ids == {7}


@pytest.mark.parametrize(
    "source",
    [
        "{% for m in messages %}\n  {{ m | tojson }}\n{% endfor %}",
        "{% for m in messages %}{% if loop.index > 1 %}{% break %}{% endif %}{{ m.role }}{% endfor %}",
        "{% generation %}{{ messages[0].content }}{% endgeneration %}",
        "{% set ns = namespace(a=1) %}{% set ns.a = 2 %}{{ ns.a }}{{ dict(a=1) | tojson(indent=1) }}",
        "{{ bos_token }}{{ tools is none }}{{ strftime_now('%%') }}",
    ],
)
def test_templates_render_as_transformers_renders_them(source: str) -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template, tokenizer.bos_token = source, "<s>"
    messages = [{"role": "user", "content": "你好 <b>"}, {"role": "assistant", "content": "x"}]
    ours = compile_template(source).render(messages=messages, tools=None, bos_token="<s>")
    assert ours == tokenizer.apply_chat_template(messages, tokenize=False)


@pytest.mark.parametrize(
    "source",
    [
        "{{ raise_exception('no') }}",
        "{{ messages.__class__.__mro__ }}",
        "{{ messages.append(1) }}",
        "{{ namespace(__class__=1) }}",
        "{% set ns = namespace() %}{% set ns._x = 1 %}",
        "{{ dict.__class__.__init__.__globals__ }}",
    ],
)
def test_a_template_cannot_reach_what_is_not_its_own(source: str) -> None:
    with pytest.raises(TemplateError):
        compile_template(source).render(messages=[])
