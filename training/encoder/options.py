"""How a labeller is trained."""

from __future__ import annotations

from pydantic import Field

from dialog.values import Value


class LabelOptions(Value):
    """Options of one run.

    Attributes:
        num_frozen: layers that stay as they are, of 12; 12: a logistic regression on the encoder's vectors.
        lr: of the layers; the head learns `head_lr` times as fast.
        smoothing: share of each target spread over all labels.
        averaging: the network that is kept is a moving average over steps; this is its memory.
        max_tokens: texts are read so far.
        patience: epochs without fewer errors on what is held out, after which training ends.
        share: of the texts, held out where no others are given.
        scope_loss: how much accuracy the threshold for "none of these" may cost on what is held out.
    """

    epochs: int = Field(default=4, ge=1)
    lr: float = Field(default=3e-4, gt=0)
    head_lr: float = Field(default=10.0, gt=0)
    batch: int = Field(default=32, ge=1)
    num_frozen: int = Field(default=7, ge=0, le=12)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    smoothing: float = Field(default=0.1, ge=0, lt=1)
    averaging: float = Field(default=0.99, ge=0, lt=1)
    weight_decay: float = Field(default=0.01, ge=0)
    warmup: float = Field(default=0.1, ge=0, le=1)
    clip: float = Field(default=1.0, gt=0)
    max_tokens: int = Field(default=128, ge=1, le=510)
    patience: int = Field(default=2, ge=1)
    share: float = Field(default=0.1, ge=0, lt=1)
    scope_loss: float = Field(default=0.01, ge=0, le=1)
    seed: int = 0
