"""A `config.json` as the facts our forward pass needs, or a refusal.

    architecture = read_architecture(json.loads(Path("config.json").read_text()))

Known: Llama, Qwen2, Qwen3, Gemma, Gemma 2 and Gemma 3 (text). Keys that
transformers' configuration of such a model does not know change nothing there
either, and are ignored; whatever does change something is read or refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ValidationError

from dialog.engine.lean.rope import Rope, Unsupported, read_rope
from dialog.values import Value

Activation = Literal["silu", "gelu_pytorch_tanh"]
_GEMMAS = {"gemma", "gemma2", "gemma3_text"}
_KNOWN = {"llama", "qwen2", "qwen3", *_GEMMAS}
_SLIDING = "sliding_attention"


class Architecture(Value):
    """Sizes and habits of a decoder-only transformer. Windows and ropes are one a layer."""

    family: str
    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    norm_eps: float
    context_tokens: int
    activation: Activation
    attention_scale: float
    windows: tuple[int | None, ...]
    ropes: tuple[Rope, ...]
    is_tied: bool
    embedding_scale: float = 1.0
    norm_offset: float = 0.0
    """What is added to a norm's weight: Gemma keeps it around 0, not 1."""
    has_output_norms: bool = False
    """Gemma 2 and 3 also norm what attention and the feed-forward part give."""
    has_qk_norms: bool = False
    attention_softcap: float | None = None
    logits_softcap: float | None = None

    @property
    def num_layers(self) -> int:
        return len(self.windows)

    @property
    def num_parameters(self) -> int:
        """Of all matrices; norms and biases are too few to count."""
        inner = (2 * self.num_heads + 2 * self.num_kv_heads) * self.head_dim
        layer = self.hidden_size * (inner + 3 * self.intermediate_size)
        return self.num_layers * layer + self.vocab_size * self.hidden_size * (1 if self.is_tied else 2)


def read_architecture(config: Mapping[str, Any]) -> Architecture:
    """The architecture a `config.json` (or `model.config.to_dict()`) describes.

    Raises:
        Unsupported: another family, or an option our forward pass does not have.
    """
    family = str(config.get("model_type", ""))
    if family not in _KNOWN:
        raise Unsupported(f"model_type = {family!r}")
    for key in ("quantization_config", "use_bidirectional_attention"):
        if config.get(key):
            raise Unsupported(f"{key} is set")
    try:
        return _read(family, config)
    except (KeyError, TypeError, ValidationError, ZeroDivisionError) as error:
        raise Unsupported(f"an unreadable {family} config.json ({type(error).__name__}: {error})") from error


def _read(family: str, config: Mapping[str, Any]) -> Architecture:
    is_gemma = family in _GEMMAS
    num_heads = int(config["num_attention_heads"])
    hidden_size = int(config["hidden_size"])
    head_dim = _or(
        config, "head_dim", {"qwen3": 128}.get(family, 256 if is_gemma else hidden_size // num_heads)
    )
    if family == "qwen2":
        head_dim = config.get("head_dim") or hidden_size // num_heads
    is_late_gemma = family in {"gemma2", "gemma3_text"}
    kinds = _layer_kinds(family, config)
    window = config.get("sliding_window", 4096 if is_late_gemma else None)
    return Architecture(
        family=family,
        vocab_size=config["vocab_size"],
        hidden_size=hidden_size,
        intermediate_size=config["intermediate_size"],
        num_heads=num_heads,
        num_kv_heads=_or(config, "num_key_value_heads", num_heads),
        head_dim=head_dim,
        norm_eps=config.get("rms_norm_eps", 1e-6),
        context_tokens=config.get("max_position_embeddings", 0),
        activation=_activation(config, is_gemma=is_gemma),
        attention_scale=(_or(config, "query_pre_attn_scalar", 256) if is_late_gemma else head_dim) ** -0.5,
        windows=tuple(window if kind == _SLIDING else None for kind in kinds),
        ropes=tuple(_ropes(family, config, kinds)),
        is_tied=config.get("tie_word_embeddings", is_gemma),
        embedding_scale=hidden_size**0.5 if is_gemma else 1.0,
        norm_offset=1.0 if is_gemma else 0.0,
        has_output_norms=is_late_gemma,
        has_qk_norms=family in {"qwen3", "gemma3_text"},
        attention_softcap=config.get("attn_logit_softcapping", 50.0) if family == "gemma2" else None,
        logits_softcap=_logits_softcap(family, config),
    )


def _layer_kinds(family: str, config: Mapping[str, Any]) -> list[str]:
    """Full or sliding attention, layer by layer, with each family's habits where the file is silent."""
    num_layers = int(config["num_hidden_layers"])
    if family in {"llama", "gemma"}:
        return ["full_attention"] * num_layers
    kinds = config.get("layer_types")
    if kinds is None:
        match family:
            case "gemma2":
                every = 2
            case "gemma3_text":
                every = int(config.get("sliding_window_pattern", 6))
            case _:
                first = (
                    int(config.get("max_window_layers", 28))
                    if config.get("use_sliding_window")
                    else num_layers
                )
                return [_SLIDING if index >= first else "full_attention" for index in range(num_layers)]
        kinds = [_SLIDING if (index + 1) % every else "full_attention" for index in range(num_layers)]
    unknown = sorted(set(kinds) - {_SLIDING, "full_attention"})
    if unknown or len(kinds) != num_layers:
        raise Unsupported(f"layer_types = {unknown or len(kinds)!r}")
    if family.startswith("qwen") and not config.get("use_sliding_window"):
        return ["full_attention"] * num_layers
    return list(kinds)


def _ropes(family: str, config: Mapping[str, Any], kinds: list[str]) -> list[Rope]:
    """Files before transformers 5 spread over several keys what `rope_parameters` now holds."""
    parameters = config.get("rope_parameters")
    theta = config.get("rope_theta", 1_000_000.0 if family == "gemma3_text" else 10_000.0)
    if family != "gemma3_text":
        rope = read_rope(parameters or config.get("rope_scaling") or {}, theta=theta)
        return [rope] * len(kinds)
    if parameters is None:
        parameters = {"full_attention": config.get("rope_scaling") or {}, _SLIDING: {}}
    thetas = {"full_attention": theta, _SLIDING: config.get("rope_local_base_freq", 10_000.0)}
    by_kind = {kind: read_rope(parameters.get(kind) or {}, theta=thetas[kind]) for kind in set(kinds)}
    return [by_kind[kind] for kind in kinds]


def _activation(config: Mapping[str, Any], *, is_gemma: bool) -> Any:
    """Gemma's first files say "gelu" and mean its approximation."""
    if not is_gemma:
        return config.get("hidden_act", "silu")
    named = _or(config, "hidden_activation", _or(config, "hidden_act", "gelu_pytorch_tanh"))
    return "gelu_pytorch_tanh" if named == "gelu" else named


def _logits_softcap(family: str, config: Mapping[str, Any]) -> float | None:
    match family:
        case "gemma2":
            cap = config.get("final_logit_softcapping", 30.0)
        case "gemma3_text":
            cap = config.get("final_logit_softcapping")
        case _:
            cap = None
    return None if cap is None else float(cap)


def _or(config: Mapping[str, Any], key: str, default: Any) -> Any:
    """The key's value, also where the file says null."""
    value = config.get(key)
    return default if value is None else value
