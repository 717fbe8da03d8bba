"""How probable a server finds a given text: its `/completions` with `echo` and `logprobs`.

    logprobs = score_ids(wire, address, [1, 87, 85], num_scored=2)      # of 87 and 85

Ids are sent, so that prompt and text are cut as `model.tokenizer` cuts them
and no template is put around them. vLLM answers, and llama-cpp-python's server;
llama.cpp's own, Ollama and most hosted services do not take `echo`.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field, ValidationError

from dialog.engine.remote.address import Address
from dialog.engine.remote.connection import Wire
from dialog.engine.remote.failures import Refused
from dialog.engine.remote.inquiry import ask
from dialog.engine.remote.wire import Usage

_NOT_TOLD = (400, 404, 405, 422, 501)


class NotTold(Refused):
    """The server does not tell log-probabilities of given text."""


class _Logprobs(BaseModel):
    token_logprobs: list[float | None] = Field(default_factory=list)


class _Choice(BaseModel):
    logprobs: _Logprobs | None = None


class _Completion(BaseModel):
    choices: list[_Choice] = Field(default_factory=list)
    usage: Usage | None = None


def score_ids(wire: Wire, address: Address, ids: Sequence[int], *, num_scored: int) -> list[float]:
    """Natural log-probabilities of the last `num_scored` of `ids`, each after those before it.

    Raises:
        NotTold: the server has no such thing, or read other tokens than it was sent.
        Failure: it cannot be reached, or refuses for another reason.
    """
    body = {
        "model": address.model,
        "prompt": list(ids),
        "echo": True,
        "logprobs": 1,
        "max_tokens": 1,  # some refuse 0; the one that is made is left out
        "temperature": 0,
    }
    try:
        answer = _Completion.model_validate_json(ask(wire, "POST", address.at("completions"), body))
    except ValidationError as error:
        raise NotTold(status=0, said="it sent no completion") from error
    except Refused as refusal:
        if refusal.status in _NOT_TOLD:
            raise NotTold(status=refusal.status, said=refusal.said) from refusal
        raise
    told = answer.choices[0].logprobs if answer.choices else None
    logprobs = told.token_logprobs if told is not None else []
    scored = logprobs[len(ids) - num_scored : len(ids)]
    if answer.usage is not None and answer.usage.prompt_tokens != len(ids):
        raise NotTold(
            status=0, said=f"it read {answer.usage.prompt_tokens} tokens where {len(ids)} were sent"
        )
    found = [one for one in scored if one is not None]
    if len(found) != num_scored or len(logprobs) < len(ids):
        raise NotTold(status=0, said="its completions carry no log-probabilities of the prompt")
    return found
