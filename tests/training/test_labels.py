"""`instructrec tune-labels`: what is learned, resumed, told apart from no label, and refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from dialog.encoder.files import WEIGHTS_FILE, load_labeller, read_config
from dialog.encoder.labeller import Labeller, by_length
from dialog.errors import ConfigError, CorpusError, Interrupted, ModelError
from training.encoder.calibrating import fit_scope, fit_temperature
from training.encoder.light import fit_head
from training.encoder.options import LabelOptions
from training.encoder.texts import LabelledText, Parts, divided, read_texts
from training.encoder.tuning import LabelTuning
from training.run import Report

QUICK = LabelOptions(num_frozen=11, epochs=2, batch=8, share=0.2)


class Watched:
    """Stops a run after some steps, if told to."""

    def __init__(self, *, stop_at: int | None = None) -> None:
        self.reports: list[Report] = []
        self.remarks: list[str] = []
        self._stop_at, self._step = stop_at, 0

    def step(self, step: int, num_steps: int, loss: float) -> None:
        self._step = step

    def report(self, report: Report) -> None:
        self.reports.append(report)

    def remark(self, text: str) -> None:
        self.remarks.append(text)

    def wants_to_stop(self) -> bool:
        return self._stop_at is not None and self._step >= self._stop_at


def texts() -> list[LabelledText]:
    said = {
        "parcel": ("where is order {}", "order {} has not come", "订单{}到哪儿了", "订单{}还没收到"),
        "refund": ("money back for {} please", "refund {}", "请退{}元", "{}元还没退给我"),
    }
    made = [
        LabelledText(form.format(number), label)
        for label, forms in said.items()
        for form in forms
        for number in range(100, 106)
    ]
    strange = ("who wrote book {}", "sing song {}", "第{}首诗是谁写的", "{}加一是多少")
    return made + [LabelledText(form.format(i), "oos") for form in strange for i in range(6)]


def parts() -> Parts:
    return divided(texts(), none=("oos",), share=QUICK.share, seed=0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("labels") / "light"
    LabelTuning(parts(), QUICK.model_copy(update={"num_frozen": 12}), watch=Watched()).into(out, resume=False)
    return out


def test_it_labels_what_it_never_saw_in_both_languages(folder: Path):
    labelled = Labeller.load(folder)(["where is order 999", "订单999在哪儿", "refund 999", "请退999元"])
    labels = read_config(folder).labels
    assert [labels[row.argmax()] for row in labelled.probabilities] == [
        "parcel",
        "parcel",
        "refund",
        "refund",
    ]


def test_it_tells_texts_of_no_label(folder: Path):
    scope = read_config(folder).scope
    assert scope is not None
    labelled = Labeller.load(folder)(["sing song 9", "第9首诗是谁写的", "where is order 7", "订单7还没收到"])
    assert (labelled.in_scope < scope.threshold).tolist() == [True, True, False, False]


def test_what_is_loaded_labels_as_what_was_saved(folder: Path):
    once, again = (Labeller.load(folder)(["refund 5", "订单5"]) for _ in range(2))
    assert (once.probabilities == again.probabilities).all()


def test_a_run_that_was_stopped_ends_as_one_that_was_not(tmp_path: Path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    LabelTuning(parts(), QUICK, watch=Watched()).into(whole, resume=False)
    with pytest.raises(Interrupted, match="--resume"):
        LabelTuning(parts(), QUICK, watch=Watched(stop_at=7)).into(broken, resume=False)
    LabelTuning(parts(), QUICK, watch=Watched()).into(broken, resume=True)
    first, second = (load_file(one / WEIGHTS_FILE) for one in (whole, broken))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not (broken / "checkpoint").exists()


def test_frozen_layers_are_not_saved_and_not_changed(tmp_path: Path):
    tuning = LabelTuning(parts(), QUICK.model_copy(update={"epochs": 1}), watch=Watched())
    tuning.into(tmp_path / "out", resume=False)
    assert {name.split(".")[0] for name in load_file(tmp_path / "out" / WEIGHTS_FILE)} == {
        "layers", "head", "centroids",
    }  # fmt: skip


def test_a_labeller_of_another_encoder_is_refused(folder: Path, tmp_path: Path):
    for name in ("labels.json", WEIGHTS_FILE):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    config = json.loads((tmp_path / "labels.json").read_text())
    (tmp_path / "labels.json").write_text(json.dumps(config | {"base": "other/1"}))
    with pytest.raises(ModelError, match="'other/1'"):
        load_labeller(tmp_path)


@pytest.mark.parametrize("damage", [b"", b"garbage", b"\x80\x04."])
def test_damaged_weights_are_refused(folder: Path, tmp_path: Path, damage: bytes):
    (tmp_path / "labels.json").write_bytes((folder / "labels.json").read_bytes())
    (tmp_path / WEIGHTS_FILE).write_bytes(damage)
    with pytest.raises(ModelError, match="tune it again"):
        load_labeller(tmp_path)


def test_too_few_of_no_label_are_said_and_not_fitted(tmp_path: Path):
    some = parts()
    watch = Watched()
    light = QUICK.model_copy(update={"num_frozen": 12})
    LabelTuning(Parts(some.train, some.held_out, some.none[:5]), light, watch=watch).into(
        tmp_path / "out", resume=False
    )
    assert read_config(tmp_path / "out").scope is None
    assert any("too few" in remark for remark in watch.remarks)


def test_parts_divide_each_label_and_keep_likenesses_together():
    many = [LabelledText(f"text {i}", "a" if i % 2 else "b") for i in range(40)]
    found = divided(
        [*many, *(LabelledText(one.text.upper(), one.label) for one in many)], none=(), share=0.25, seed=1
    )
    held = {one.text.lower() for one in found.held_out}
    assert held.isdisjoint({one.text.lower() for one in found.train})
    assert [sum(one.label == label for one in found.held_out) for label in "ab"] == [10, 10]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'text,label\n"hello, you",greet\n退货,return\n'),
        ("a.tsv", "text\tlabel\nhello, you\tgreet\n退货\treturn\n"),
        ("a.jsonl", '{"text": "hello, you", "label": "greet"}\n{"text": "退货", "label": "return"}\n'),
    ],
)
def test_tables_and_records_read_alike(tmp_path: Path, name: str, content: str):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    assert read_texts([path])[0] == [LabelledText("hello, you", "greet"), LabelledText("退货", "return")]


@pytest.mark.parametrize(
    "content", ["", "{broken\n", '{"text": "x"}\n', '{"text": " ", "label": "a"}\n', "[1]\n"]
)
def test_a_bad_record_is_named_with_its_place(tmp_path: Path, content: str):
    path = tmp_path / "a.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CorpusError, match=r"a\.jsonl"):
        read_texts([path])


def test_one_label_is_nothing_to_learn():
    with pytest.raises(ConfigError, match="at least two"):
        LabelTuning(Parts([LabelledText("x", "a")], [], []), QUICK, watch=Watched())


def test_the_temperature_cools_what_is_too_sure():
    generator = torch.Generator().manual_seed(0)
    targets = torch.randint(0, 2, (2000,), generator=generator)
    is_right = torch.rand(2000, generator=generator) < 0.8
    shown = torch.where(is_right, targets, 1 - targets)
    sure = torch.nn.functional.one_hot(shown, 2) * 10.0
    assert torch.softmax(sure / fit_temperature(sure, targets), dim=1).amax(dim=1)[0] == pytest.approx(
        0.8, abs=0.03
    )


def test_the_threshold_loses_no_more_than_it_may():
    generator = torch.Generator().manual_seed(0)
    inside = torch.randn(1000, 3, generator=generator) + 1.5
    outside = torch.randn(200, 3, generator=generator) - 1.5
    scope = fit_scope(inside, outside, torch.ones(1000, dtype=torch.bool), most_lost=0.02)
    assert float((scope.probabilities(inside) < scope.threshold).float().mean()) <= 0.02
    assert float((scope.probabilities(outside) < scope.threshold).float().mean()) > 0.95


def test_the_light_head_is_the_logistic_regression_of_least_loss():
    generator = torch.Generator().manual_seed(0)
    features, targets = torch.randn(200, 5, generator=generator), torch.arange(200) % 3
    weight, bias = (one.requires_grad_() for one in fit_head(features, targets, num_labels=3, decay=1e-2))
    loss = torch.nn.functional.cross_entropy(features @ weight.T + bias, targets)
    loss = loss + 0.5e-2 * weight.square().sum()
    loss.backward()
    assert weight.grad is not None
    assert float(weight.grad.abs().max()) < 1e-3


@pytest.mark.parametrize(("lengths", "rows"), [([], []), ([3, 1, 2], [[1, 2], [0]]), ([50], [[0]])])
def test_batches_are_of_like_length(lengths: Sequence[int], rows: list[list[int]]):
    assert list(by_length(lengths, max_tokens=9)) == rows


def test_order_follows_from_the_seed():
    first, second = (divided(texts(), none=("oos",), share=0.2, seed=seed) for seed in (0, 1))
    assert first == divided(texts(), none=("oos",), share=0.2, seed=0)
    assert first.held_out != second.held_out
