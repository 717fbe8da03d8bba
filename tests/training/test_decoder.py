"""Training the instruction decoder: it learns, the model does not change, and the cache changes nothing."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from random import Random

import pytest
import torch
from transformers import PreTrainedModel

from dialog.decoder.config import DecoderConfig
from dialog.decoder.module import InstructionDecoder
from dialog.engine.tokenizer import HFChatTokenizer
from dialog.errors import ModelError
from dialog.testing.tiny import tiny_tokenizer, tiny_transformer
from dialog.values import Message, Transcript
from training.batching import batches
from training.checkpoint import load_checkpoint, save_checkpoint
from training.examples import Example, build_examples
from training.features import FeatureCache, NoRoom
from training.methods.decoder import DecoderMethod
from training.methods.method import IGNORED
from training.run import Run, RunOptions
from training.schedule import Schedule

CONFIG = DecoderConfig(hidden_size=64, taps=(1, 2), rank=32, heads=4, mlp_size=32)
OPTIONS = RunOptions(epochs=12, lr=1e-2, batch_tokens=1500, seed=3)


def talk(number: int) -> Transcript:
    """The reply repeats a code from the question: only who looks back can know it."""
    chance = Random(number)
    code = "".join(chance.choices("BCDFGHJKLMNPQRSTVWXZ", k=3))
    asked, told = [("My code is {}.", "Code {}."), ("我的号码是{}。", "号码{}。")][number % 2]
    return Transcript(
        id=f"c-{number}",
        messages=(
            Message(role="user", content=asked.format(code)),
            Message(role="assistant", content=told.format(code)),
        ),
    )


@pytest.fixture(scope="module")
def model() -> PreTrainedModel:
    return tiny_transformer("llama", seed=1, context_tokens=512)


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    tokenizer = HFChatTokenizer(tiny_tokenizer())
    built = [build_examples(talk(number), tokenizer, limit_tokens=400) for number in range(48)]
    return [example for one in built for example in one.examples]


def cache_of(model: PreTrainedModel, folder: Path | None, *, fingerprint: str = "f") -> FeatureCache:
    return FeatureCache(folder, model=model, fingerprint=fingerprint, template="t", taps=CONFIG.taps)


def run_of(model: PreTrainedModel, cache: FeatureCache, options: RunOptions = OPTIONS) -> Run:
    torch.manual_seed(0)
    head = model.get_output_embeddings().weight
    return Run(DecoderMethod(InstructionDecoder(CONFIG), cache, head_VD=head), options)


def digest(model: PreTrainedModel) -> str:
    return hashlib.sha256(b"".join(one.detach().numpy().tobytes() for one in model.parameters())).hexdigest()


@pytest.mark.slow
def test_it_learns_what_was_not_shown_and_the_model_stays_as_it_was(
    model: PreTrainedModel, examples: list[Example], tmp_path: Path
) -> None:
    before = digest(model)
    run = run_of(model, cache_of(model, tmp_path))
    train, valid = examples[:40], examples[40:]
    at_first = run.loss_on(valid)
    reports = list(run.reports(train, valid))
    assert reports[-1].valid_loss is not None
    assert reports[-1].valid_loss < 0.5 * at_first
    assert reports[-1].besides["evidence"] < 0.5 * reports[0].besides["evidence"]
    assert digest(model) == before


def test_an_untrained_decoder_has_the_loss_of_the_model(
    model: PreTrainedModel, examples: list[Example]
) -> None:
    total, num_tokens = 0.0, 0
    for example in examples[:4]:
        ids = torch.tensor([example.ids])
        labels = torch.tensor([example.labels()])
        with torch.no_grad():
            loss = model(input_ids=ids, labels=labels).loss
        total += float(loss) * example.num_supervised
        num_tokens += example.num_supervised
    found = run_of(model, cache_of(model, None)).loss_on(examples[:4])
    assert found == pytest.approx(total / num_tokens, rel=2e-3)  # the features are bfloat16


def test_with_and_without_the_cache_the_run_is_the_same(
    model: PreTrainedModel, examples: list[Example], tmp_path: Path
) -> None:
    options = OPTIONS.model_copy(update={"epochs": 2})
    weights = []
    for folder in (None, tmp_path, tmp_path):
        run = run_of(model, cache := cache_of(model, folder), options)
        list(run.reports(examples[:8]))
        weights.append([one.detach().clone() for one in run.method.module.parameters()])
    assert cache.num_computed == 0
    for other in weights[1:]:
        assert all(torch.equal(mine, theirs) for mine, theirs in zip(weights[0], other, strict=True))


def test_an_interrupted_run_ends_where_it_would_have(
    model: PreTrainedModel, examples: list[Example], tmp_path: Path
) -> None:
    options = OPTIONS.model_copy(update={"epochs": 3, "batch_tokens": 120})
    config = CONFIG.model_copy(update={"dropout": 0.1})

    def fresh() -> Run:
        torch.manual_seed(5)
        head = model.get_output_embeddings().weight
        return Run(DecoderMethod(InstructionDecoder(config), cache_of(model, None), head_VD=head), options)

    whole, broken, resumed = fresh(), fresh(), fresh()
    list(whole.reports(examples[:6]))

    def stop(step: int, *_: object) -> None:
        if step == 4:
            save_checkpoint(tmp_path / "at", broken.method, broken.optimiser, progress={"step": broken.step})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(broken.reports(examples[:6], on_step=stop))
    progress = load_checkpoint(tmp_path / "at", resumed.method, resumed.optimiser)
    assert progress == {"step": 4}
    resumed.step = 4
    list(resumed.reports(examples[:6]))
    assert resumed.step == whole.step > 5
    pairs = zip(whole.method.module.parameters(), resumed.method.module.parameters(), strict=True)
    assert all(torch.equal(mine, theirs) for mine, theirs in pairs)


def test_anchors_are_where_nothing_is_trained(model: PreTrainedModel, examples: list[Example]) -> None:
    torch.manual_seed(0)
    batch = run_of(model, cache_of(model, None)).method.batch(examples[:4])
    anchors_BS = batch.inputs.anchors_BS
    for row, example in enumerate(examples[:4]):
        found = [int(at) for at in anchors_BS[row] if at >= 0]
        assert len(found) == len(set(found)) == math.ceil(0.25 * example.num_supervised)
        assert all(at < len(example.ids) for at in found)
        trained = set(batch.positions_BQ[row][batch.targets_BQ[row] != IGNORED].tolist())
        assert not trained & set(found)
    assert batch.num_besides[1] == float((anchors_BS >= 0).sum())


def test_an_anchored_decoder_leaves_other_text_more_as_it_was(
    model: PreTrainedModel, examples: list[Example]
) -> None:
    moved = []
    for anchor in (1e-6, 2.0):
        torch.manual_seed(0)
        head = model.get_output_embeddings().weight
        method = DecoderMethod(InstructionDecoder(CONFIG), cache_of(model, None), head_VD=head, anchor=anchor)
        list(Run(method, OPTIONS.model_copy(update={"epochs": 3})).reports(examples[:40]))
        batch = method.batch(examples[40:])
        moved.append(float(method.losses(batch).besides[1].detach()) / batch.num_besides[1])
    assert 0 < moved[1] < 0.5 * moved[0]


def test_a_checkpoint_of_another_run_is_refused(model: PreTrainedModel, tmp_path: Path) -> None:
    run = run_of(model, cache_of(model, None))
    assert load_checkpoint(tmp_path / "none", run.method, run.optimiser) is None
    save_checkpoint(tmp_path / "at", run.method, run.optimiser, progress={})
    other = DecoderMethod(
        InstructionDecoder(CONFIG.model_copy(update={"rank": 16})),
        cache_of(model, None),
        head_VD=model.get_output_embeddings().weight,
    )
    with pytest.raises(ModelError, match="is of another run"):
        load_checkpoint(tmp_path / "at", other, run.optimiser)


def test_the_loss_does_not_depend_on_the_batch(model: PreTrainedModel, examples: list[Example]) -> None:
    losses = [
        run_of(model, cache_of(model, None), OPTIONS.model_copy(update={"batch_tokens": size})).loss_on(
            examples[:6]
        )
        for size in (1, 10_000)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_the_size_is_known_beforehand(
    model: PreTrainedModel, examples: list[Example], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = cache_of(model, tmp_path)
    num_tokens = sum(len(one.ids) for one in examples[:3])
    assert cache.check_room(examples[:3]) == num_tokens * 2 * 2 * 64
    for one in examples[:3]:
        cache.taps(one)
    assert cache.num_bytes(examples[:3]) == 0
    on_disk = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert on_disk == pytest.approx(num_tokens * 2 * 2 * 64, rel=0.05)
    monkeypatch.setattr("training.features.shutil.disk_usage", lambda _: type("Usage", (), {"free": 10})())
    with pytest.raises(NoRoom, match="10 left"):
        cache.check_room(examples)


def test_another_models_features_are_never_read(
    model: PreTrainedModel, examples: list[Example], tmp_path: Path
) -> None:
    cache_of(model, tmp_path).taps(examples[0])
    other = cache_of(model, tmp_path, fingerprint="another")
    other.taps(examples[0])
    assert (other.num_computed, other.num_read) == (1, 0)


def test_a_damaged_file_is_made_again(
    model: PreTrainedModel, examples: list[Example], tmp_path: Path
) -> None:
    cache = cache_of(model, tmp_path)
    taps = cache.taps(examples[0])
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:100])
    assert torch.equal(cache.taps(examples[0]), taps)
    assert cache.num_computed == 2


def test_batches_hold_everything_once_within_their_size() -> None:
    lengths = [5, 90, 7, 6, 200, 40, 41, 5]
    found = list(batches(lengths, max_tokens=100, seed=1, epoch=0))
    assert sorted(at for batch in found for at in batch) == list(range(8))
    assert all(len(one) * max(lengths[at] for at in one) <= 100 for one in found if len(one) > 1)
    assert list(batches(lengths, max_tokens=100, seed=1, epoch=0)) == found
    assert list(batches(lengths, max_tokens=100, seed=1, epoch=1)) != found


@pytest.mark.parametrize(("decay", "last"), [("constant", 1.0), ("linear", 0.0), ("cosine", 0.0)])
def test_the_rate_warms_up_and_decays(decay: str, last: float) -> None:
    rate = Schedule(decay, num_steps=100, warmup_steps=10)  # type: ignore[arg-type]
    assert rate(0) == pytest.approx(0.1)
    assert rate(10) == 1.0
    assert rate(100) == pytest.approx(last)
    assert math.isclose(Schedule("cosine", num_steps=110, warmup_steps=10)(60), 0.5)
