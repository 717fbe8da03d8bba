"""The instruction decoder: one attention over the prompt whose effect on every logit splits exactly by token.

On a frozen language model stands a reader of a few of its hidden states. It
looks back over instruction and history once more, and adds to the last hidden
state a sum of values, weighted by attention, and to the logits a copy term. As
that last step is linear in what was attended to, the logit of a token is

    base + own + sum over prompt tokens j of C_j          (`contributions`)

and C is the explanation of the reply. All outputs start at zero, so an
untrained decoder leaves the model exactly as it is.

    decoder = InstructionDecoder(config)
    memory = decoder.read(taps_BTKD, ids_BT, kinds_BT)
    look = decoder.look(taps_BQKD, positions_BQ, memory)
    logits_BQV = decoder.logits(hidden_BQD, look, memory, head_VD)

Legend: B batch, T remembered tokens, Q queries, K taps, D hidden size, R rank,
H heads, E head size (R / H), V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from dialog.decoder.config import DecoderConfig
from dialog.decoder.memory import Memory


@dataclass(frozen=True)
class Look:
    """What queries found.

    Attributes:
        attention_BHQT: shares of the remembered tokens; with `nothing_BHQ` each sums to 1.
        context_BQR: the values they were weighted with, summed.
        own_BQD: what the query itself adds to the hidden state.
        copy_BQH: gate of the copy term, a log-odds, a head.
    """

    attention_BHQT: Tensor
    nothing_BHQ: Tensor
    context_BQR: Tensor
    own_BQD: Tensor
    copy_BQH: Tensor

    @property
    def copied_BQT(self) -> Tensor:
        """What each remembered token adds to the logit of its own id."""
        return torch.einsum("bhqt,bqh->bqt", self.attention_BHQT, self.copy_BQH)


class InstructionDecoder(nn.Module):
    """See the module. Parameters and computation are float32, whatever the model is."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        size, rank, num_taps = config.hidden_size, config.rank, len(config.taps)
        self.tap_norms = nn.ModuleList(nn.RMSNorm(size, eps=1e-6) for _ in range(num_taps))
        self.reader = nn.Linear(num_taps * size, rank, bias=False)
        self.key = nn.Linear(2 * rank, rank, bias=False)
        self.value = nn.Linear(size, rank, bias=False)
        self.entry = nn.Linear(num_taps * size, rank, bias=False)
        self.mlp_norm = nn.RMSNorm(rank, eps=1e-6)
        self.mlp_in = nn.Linear(rank, 2 * config.mlp_size, bias=False)
        self.mlp_out = nn.Linear(config.mlp_size, rank, bias=False)
        self.hop_norm = nn.RMSNorm(rank, eps=1e-6)
        self.hop_query = nn.Linear(rank, rank, bias=False)
        self.hop_key = nn.Linear(rank, rank, bias=False)
        self.hop_value = nn.Linear(rank, rank, bias=False)
        self.hop_out = nn.Linear(rank, rank, bias=False)
        self.query_norm = nn.RMSNorm(rank, eps=1e-6)
        self.query = nn.Linear(rank, rank, bias=False)
        self.nothing_key = nn.Parameter(torch.randn(rank) * 0.02)
        self.kind_bias = nn.Parameter(torch.zeros(len(config.kinds), config.heads))
        self.up = nn.Linear(rank, size, bias=False)
        self.own = nn.Linear(rank, size, bias=False)
        self.copy_gate = nn.Linear(rank, config.heads)
        self.dropout = nn.Dropout(config.dropout)
        for zero in (self.mlp_out, self.hop_out, self.up, self.own, self.copy_gate):
            for parameter in zero.parameters():
                nn.init.zeros_(parameter)

    def read(
        self, taps_BTKD: Tensor, ids_BT: Tensor, kinds_BT: Tensor, after: Memory | None = None
    ) -> Memory:
        """The memory of tokens, appended to `after`. Reading in pieces gives what reading at once gives."""
        read = self.read_more(taps_BTKD, ids_BT, kinds_BT, after=after)
        return read if after is None else after.joined(read)

    def read_more(self, taps_BTKD: Tensor, ids_BT: Tensor, kinds_BT: Tensor, after: Memory | None) -> Memory:
        """The memory of these tokens alone, `after` being what was read before them.

        A key knows its token and the one before it, so that what followed a
        name is found by the name.
        """
        reads_BTR = self.reader(self._taps(taps_BTKD))
        before_B1R = torch.zeros_like(reads_BTR[:, :1]) if after is None else after.reads_BTR[:, -1:]
        shifted_BTR = torch.cat([before_B1R, reads_BTR[:, :-1]], dim=1)
        keys_BTR = self.key(torch.cat([shifted_BTR, reads_BTR], dim=-1))
        read = Memory(
            keys_BTR=keys_BTR,
            values_BTR=self.value(self._tap(-1, taps_BTKD)),
            hop_keys_BTR=self.hop_key(keys_BTR),
            hop_values_BTR=self.hop_value(keys_BTR),
            reads_BTR=reads_BTR,
            ids_BT=ids_BT,
            kinds_BT=kinds_BT,
        )
        return read

    def look(
        self,
        taps_BQKD: Tensor,
        positions_BQ: Tensor,
        memory: Memory,
        *,
        weights_BT: Tensor | None = None,
        visible_BT: Tensor | None = None,
    ) -> Look:
        """Attend from each query to the tokens at and before its position.

        Args:
            positions_BQ: index into the memory of the token each query stands on.
            weights_BT: strength of each token's segment, 1 by default, 0 mutes it; needs no training.
            visible_BT: False for padding and other conversations.
        """
        tokens_T = torch.arange(memory.num_tokens, device=positions_BQ.device)
        seen_BQT = tokens_T[None, None] <= positions_BQ[:, :, None]
        if visible_BT is not None:
            seen_BQT = seen_BQT & visible_BT[:, None]
        bias_BHT = self.kind_bias[memory.kinds_BT].transpose(1, 2)
        if weights_BT is not None:
            bias_BHT = bias_BHT + weights_BT.float().log()[:, None]
        keys_BHTE, values_BHTE = self._heads(memory.keys_BTR), self._heads(memory.values_BTR)

        state_BQR = self._state(taps_BQKD, memory, seen_BQT, bias_BHT)
        query_BHQE = self._heads(self.query(state_BQR))
        scale = self.config.head_size**-0.5
        scores_BHQT = query_BHQE @ keys_BHTE.transpose(-1, -2) * scale + bias_BHT[:, :, None]
        scores_BHQT = scores_BHQT.masked_fill(~seen_BQT[:, None], -torch.inf)
        nothing_HE = self.nothing_key.view(self.config.heads, -1)
        nothing_BHQ1 = torch.einsum("bhqe,he->bhq", query_BHQE, nothing_HE)[..., None] * scale
        shares = torch.cat([nothing_BHQ1, scores_BHQT], dim=-1).softmax(dim=-1)
        attention_BHQT = shares[..., 1:]
        context_BQR = (attention_BHQT @ values_BHTE).transpose(1, 2).flatten(2)
        return Look(
            attention_BHQT=attention_BHQT,
            nothing_BHQ=shares[..., 0],
            context_BQR=self.dropout(context_BQR),
            own_BQD=self.own(self.dropout(state_BQR)),
            copy_BQH=self.copy_gate(state_BQR),
        )

    def logits(self, hidden_BQD: Tensor, look: Look, memory: Memory, head_VD: Tensor) -> Tensor:
        """The model's logits with the decoder's say; float32.

        Args:
            hidden_BQD: the model's last hidden state, after its final norm.
            head_VD: the model's own output embedding.
        """
        changed_BQD = self.changed(hidden_BQD, look).to(head_VD.dtype)
        return self.with_copies(F.linear(changed_BQD, head_VD).float(), look, memory)

    def changed(self, hidden_BQD: Tensor, look: Look) -> Tensor:
        """The hidden state, float32, that the model's head is to be applied to."""
        changed_BQD: Tensor = hidden_BQD.float() + self.up(look.context_BQR) + look.own_BQD
        return changed_BQD

    def with_copies(self, logits_BQV: Tensor, look: Look, memory: Memory) -> Tensor:
        """The head's logits, float32, with the copy term."""
        where_BQT = memory.ids_BT[:, None].expand_as(look.copied_BQT)
        return logits_BQV.scatter_add(-1, where_BQT, look.copied_BQT)

    def contributions(self, look: Look, memory: Memory, targets_BQ: Tensor, head_VD: Tensor) -> Tensor:
        """C_BQT: what each remembered token adds to the logit of each target; exact in float32."""
        return self.spoken_for(look, memory, targets_BQ, head_VD[targets_BQ])

    def spoken_for(self, look: Look, memory: Memory, targets_BQ: Tensor, rows_BQD: Tensor) -> Tensor:
        """`contributions`, given the head's row of each target."""
        rows_BQR = rows_BQD.float() @ self.up.weight
        rows_BHQE, values_BHTE = self._heads(rows_BQR), self._heads(memory.values_BTR)
        said_BHQT = rows_BHQE @ values_BHTE.transpose(-1, -2)
        is_target_BQT = memory.ids_BT[:, None] == targets_BQ[:, :, None]
        return (look.attention_BHQT * said_BHQT).sum(dim=1) + look.copied_BQT * is_target_BQT

    def _state(self, taps_BQKD: Tensor, memory: Memory, seen_BQT: Tensor, bias_BHT: Tensor) -> Tensor:
        """The query's state: a gated residual, then one look into the memory to refine it."""
        state_BQR = self.entry(self._taps(taps_BQKD))
        gate, content = self.mlp_in(self.mlp_norm(state_BQR)).chunk(2, dim=-1)
        state_BQR = state_BQR + self.mlp_out(F.silu(gate) * content)
        mask_BHQT = bias_BHT[:, :, None].masked_fill(~seen_BQT[:, None], -torch.inf)
        # A first key of zeros: there is something to see even if every segment is mute.
        hop_BHQE = F.scaled_dot_product_attention(
            self._heads(self.hop_query(self.hop_norm(state_BQR))),
            F.pad(self._heads(memory.hop_keys_BTR), (0, 0, 1, 0)),
            F.pad(self._heads(memory.hop_values_BTR), (0, 0, 1, 0)),
            attn_mask=F.pad(mask_BHQT, (1, 0)),
        )
        state_BQR = state_BQR + self.hop_out(hop_BHQE.transpose(1, 2).flatten(2))
        normed_BQR: Tensor = self.query_norm(state_BQR)
        return normed_BQR

    def _taps(self, taps_BTKD: Tensor) -> Tensor:
        taps = [self._tap(at, taps_BTKD) for at in range(len(self.tap_norms))]
        return torch.cat(taps, dim=-1)

    def _tap(self, at: int, taps_BTKD: Tensor) -> Tensor:
        normed_BTD: Tensor = self.tap_norms[at](taps_BTKD[..., at, :].float())
        return normed_BTD

    def _heads(self, rows_BTR: Tensor) -> Tensor:
        batch, tokens, _ = rows_BTR.shape
        return rows_BTR.view(batch, tokens, self.config.heads, -1).transpose(1, 2)
