"""Asking the model outside of a conversation: one instruction, one text, what it writes.

said = asked(tools.model, "Summarise the conversation in two sentences.", text, max_tokens=120)
"""

from __future__ import annotations

from dialog.instructions import Instruction
from dialog.prompt.render import render
from dialog.protocols import LanguageModel
from dialog.values import Sampling


def asked(
    model: LanguageModel,
    instruction: str,
    text: str,
    *,
    max_tokens: int,
    temperature: float = 0.0,
    seed: int = 0,
) -> str:
    """What the model writes, without surrounding white space; both texts are text to its template.

    Raises:
        PromptTooLong: instruction, text and `max_tokens` do not fit the model together.
        ModelError: it could not be run.
    """
    rendered = render(
        model.tokenizer,
        instructions=[Instruction(id="skill", text=instruction, source="skill", scope="turn")],
        turns=(),
        passages=(),
        user=text,
        user_id="record",
        limit_tokens=model.info.context_tokens,
        reserve_tokens=max_tokens,
        on_overflow="error",
    )
    sampling = Sampling(max_tokens=max_tokens, temperature=temperature, seed=seed)
    return "".join(chunk.text for chunk in model.stream(rendered.prompt, sampling=sampling)).strip()
