"""Whether a text belongs to any label at all: one probability from three signs.

The signs are the largest logit (after softmax, in nats), the energy (the logarithm of the
summed exponentials), and the cosine to the nearest label's mean vector. A
logistic function weighs them; the weights are fitted on texts that were held
out and texts that belong to no label.

    scope.probabilities(signs(logits_BL, pooled_BD, centroids_LD))

Sources: Liu et al. (2020), "Energy-based Out-of-distribution Detection";
Podolskiy et al. (2021), "Revisiting Mahalanobis Distance for Transformer-Based
Out-of-Domain Detection", with the plain cosine in place of the covariance.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from pydantic import Field
from torch import Tensor

from dialog.values import Value

NUM_SIGNS = 3


class Scope(Value):
    """A fitted judge.

    Attributes:
        weights, bias: of the logistic function over the signs.
        threshold: a text of less probability belongs to no label.
    """

    weights: tuple[float, float, float]
    bias: float
    threshold: float = Field(ge=0, le=1)

    def probabilities(self, signs_B3: Tensor) -> Tensor:
        """Of belonging to some label, (B,)."""
        weights = torch.tensor(self.weights, dtype=signs_B3.dtype)
        return torch.sigmoid(signs_B3 @ weights + self.bias)


def signs(logits_BL: Tensor, pooled_BD: Tensor, centroids_LD: Tensor) -> Tensor:
    """(B, 3) float32, in the order of the module's text."""
    surest_B = F.log_softmax(logits_BL, dim=1).amax(dim=1)
    nearest_B = (pooled_BD @ F.normalize(centroids_LD, dim=1).T).amax(dim=1)
    return torch.stack([surest_B, logits_BL.logsumexp(dim=1), nearest_B], dim=1)
