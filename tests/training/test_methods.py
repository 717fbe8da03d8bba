"""Ways of tuning behind one seam: each begins as the model, learns, can go on, and is saved whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from dialog.engine.bottleneck import with_bottlenecks
from dialog.engine.stock import with_adapter
from dialog.errors import ModelError
from dialog.testing.tiny import tiny_tokenizer, tiny_transformer
from training.checkpoint import load_checkpoint, save_checkpoint
from training.evaluation import losses_of, mean_loss
from training.examples import Example
from training.methods.adapter import AdapterMethod
from training.methods.backbone import Backbone
from training.methods.full import FullMethod
from training.methods.method import Method
from training.methods.peft_methods import AdaLoraMethod, LoraMethod, PrefixMethod, Variant
from training.run import Run, RunOptions

NUM_STEPS = 12
OPTIONS = RunOptions(epochs=4, lr=1e-2, batch_tokens=500, seed=3)
RATES = {"prefix": 1.0, "adapter": 5e-2, "adalora": 5e-2}
Make = Callable[[PreTrainedModel], Method]


def lora(variant: Variant) -> Make:
    return lambda model: LoraMethod(model, rank=4, alpha=4.0, dropout=0.0, variant=variant, base_name="tiny")


METHODS: dict[str, Make] = {
    "rslora": lora("rslora"),
    "dora": lora("dora"),
    "pissa": lora("pissa"),
    "adalora": lambda model: AdaLoraMethod(
        model, rank=2, alpha=4.0, dropout=0.0, num_steps=NUM_STEPS, base_name="tiny"
    ),
    "prefix": lambda model: PrefixMethod(model, rank=4, base_name="tiny"),
    "adapter": lambda model: AdapterMethod(model, rank=8, dropout=0.0, base_name="tiny"),
    "full": lambda model: FullMethod(model, tiny_tokenizer()),
}


def tiny() -> PreTrainedModel:
    return tiny_transformer("llama", seed=1, context_tokens=512)


def made(name: str) -> Method:
    torch.manual_seed(0)
    return METHODS[name](tiny())


def loss_of(method: Method, examples: list[Example]) -> float:
    return mean_loss(losses_of(method, examples, batch_tokens=500))


def base_loss(examples: list[Example]) -> float:
    return loss_of(Backbone(tiny()), examples)


@pytest.mark.parametrize("name", METHODS)
def test_before_the_first_step_it_is_the_model_as_it_was(name: str, examples: list[Example]) -> None:
    method = made(name)
    with method.as_base():
        assert loss_of(method, examples[:4]) == pytest.approx(base_loss(examples[:4]), rel=1e-4)


def test_the_loss_is_that_of_the_model_itself(fresh_model: PreTrainedModel, examples: list[Example]) -> None:
    total, num_tokens = 0.0, 0
    for example in examples[:4]:
        with torch.no_grad():
            output = fresh_model(
                input_ids=torch.tensor([example.ids]), labels=torch.tensor([example.labels()])
            )
        total += float(output.loss) * example.num_supervised
        num_tokens += example.num_supervised
    assert base_loss(examples[:4]) == pytest.approx(total / num_tokens, rel=1e-5)


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
@pytest.mark.parametrize("name", METHODS)
def test_it_learns_and_what_was_saved_has_its_loss(
    name: str, examples: list[Example], tmp_path: Path
) -> None:
    method = made(name)
    run = Run(method, OPTIONS.model_copy(update={"lr": RATES.get(name, 1e-2)}))
    assert len(list(run.reports(examples[:16]))) == OPTIONS.epochs
    learned = run.loss_on(examples[:8])
    assert learned < 0.8 * base_loss(examples[:8])
    method.save(tmp_path)
    assert loss_of(load_saved(name, tmp_path), examples[:8]) == pytest.approx(learned, rel=1e-3)
    assert not list(tmp_path.glob(".*"))


def load_saved(name: str, folder: Path) -> Method:
    match name:
        case "full":
            return Backbone(AutoModelForCausalLM.from_pretrained(folder))
        case "adapter":
            return Backbone(with_bottlenecks(tiny(), folder))
        case "prefix":
            from peft import PeftModel

            method = PrefixMethod(tiny(), rank=4, base_name="tiny")
            peft = PeftModel.from_pretrained(tiny(), str(folder))
            with torch.no_grad():
                for mine, theirs in zip(
                    method.peft.prompt_encoder.parameters(), peft.prompt_encoder.parameters(), strict=True
                ):
                    mine.copy_(theirs)
            return method
        case _:
            return Backbone(with_adapter(tiny(), folder))


@pytest.mark.parametrize("name", [name for name in METHODS if name != "full"])
def test_the_models_own_weights_are_not_trained(name: str, examples: list[Example]) -> None:
    method = made(name)
    own = [one for one in method.module.parameters() if not one.requires_grad]
    before = digest(own)
    list(Run(method, OPTIONS.model_copy(update={"epochs": 1})).reports(examples[:6]))
    assert digest(own) == before
    assert sum(one.numel() for one in own) >= tiny().num_parameters()


def digest(tensors: list[torch.nn.Parameter]) -> str:
    return hashlib.sha256(b"".join(one.detach().numpy().tobytes() for one in tensors)).hexdigest()


@pytest.mark.parametrize("name", ["rslora", "pissa", "adalora", "prefix", "adapter", "full"])
def test_a_stopped_run_ends_where_it_would_have(name: str, examples: list[Example], tmp_path: Path) -> None:
    whole, broken, resumed = (Run(made(name), OPTIONS) for _ in range(3))
    list(whole.reports(examples[:12]))

    def stop(step: int, *_: object) -> None:
        if step == whole.step - 2:
            save_checkpoint(tmp_path / "at", broken.method, broken.optimiser, progress={"step": step})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(broken.reports(examples[:12], on_step=stop))
    progress = load_checkpoint(tmp_path / "at", resumed.method, resumed.optimiser)
    assert progress is not None
    resumed.step = progress["step"]
    list(resumed.reports(examples[:12]))
    pairs = zip(whole.method.module.parameters(), resumed.method.module.parameters(), strict=True)
    assert all(torch.equal(mine, theirs) for mine, theirs in pairs)


@pytest.mark.parametrize("name", ["rslora", "adalora"])
def test_accumulated_batches_are_one_large_one(name: str, examples: list[Example]) -> None:
    same = [one for one in examples if len(one.ids) == len(examples[0].ids)][:4]
    length = len(same[0].ids)
    weights = []
    for size, times in ((4 * length, 1), (length, 4)):
        options = OPTIONS.model_copy(update={"epochs": 2, "batch_tokens": size, "accumulate": times})
        run = Run(made(name), options)
        list(run.reports(same))
        assert run.step == 2
        weights.append([one.detach().clone() for one in run.method.module.parameters()])
    pairs = zip(*weights, strict=True)
    assert all(torch.allclose(mine, theirs, atol=2e-4) for mine, theirs in pairs)


def test_the_ranks_of_adalora_move(examples: list[Example]) -> None:
    method = made("adalora")
    assert isinstance(method, AdaLoraMethod)
    assert set(method.ranks().values()) == {0}  # begins as nothing
    run = Run(method, OPTIONS)
    list(run.reports(examples[:24]))
    ranks = method.ranks()
    assert run.step >= NUM_STEPS
    assert len(set(ranks.values())) > 1
    assert sum(ranks.values()) == 2 * len(ranks)


def test_sgd_learns_too(examples: list[Example]) -> None:
    run = Run(made("rslora"), OPTIONS.model_copy(update={"optimiser": "sgd", "lr": 0.5, "clip": 0.3}))
    reports = list(run.reports(examples[:16]))
    assert reports[-1].train_loss < reports[0].train_loss


def test_a_model_without_such_layers_cannot_have_bottlenecks(fresh_model: PreTrainedModel) -> None:
    for layer in fresh_model.model.layers:
        del layer.mlp
    with pytest.raises(ModelError, match="use LoRA"):
        AdapterMethod(fresh_model, rank=4, dropout=0.0, base_name="tiny")


@pytest.mark.parametrize("damage", ["missing", "other size"])
def test_an_adapter_that_does_not_fit_is_refused(damage: str, tmp_path: Path) -> None:
    made("adapter").save(tmp_path)
    config = tmp_path / "bottleneck_config.json"
    if damage == "missing":
        (tmp_path / "bottleneck.safetensors").unlink()
    else:
        config.write_text(config.read_text(encoding="utf-8").replace('"size": 8', '"size": 16'), "utf-8")
    with pytest.raises(ModelError, match="adapter"):
        with_bottlenecks(tiny(), tmp_path)
