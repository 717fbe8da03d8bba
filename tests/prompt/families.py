"""Six families of chat templates over tiny tokenizers: our own minimal equivalents, same habits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from dialog.engine.tokenizer import HFChatTokenizer
from dialog.values import Message

SAMPLE = [
    "Where is my parcel? It was sent on 3 May, order 4711, and costs 19.90 including the shipping fee.",
    "system user assistant model You are a helpful assistant. Answer customers briefly. Passages: Message:",
    "我的快递到哪里了？订单号4711，五月三日发货，运费十元。可以退货吗？用户消息：参考资料：",
]

CHATML = """{% if messages[0]['role'] != 'system' %}<|im_start|>system
{DEFAULT}<|im_end|>
{% endif %}{% for m in messages %}<|im_start|>{{ m['role'] }}
{{ m['content'] }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""

QWEN3 = """{% set ns = namespace(last=-1) %}{% for m in messages %}{% if m.role == 'user' \
and not m.content.startswith('<tool_response>') %}{% set ns.last = loop.index0 %}{% endif %}{% endfor %}\
{% for m in messages %}<|im_start|>{{ m.role }}
{% if m.role == 'assistant' %}{% set content = m.content %}{% set thought = '' %}\
{% if '</think>' in content %}\
{% set thought = content.split('</think>')[0].split('<think>')[-1] %}\
{% set content = content.split('</think>')[-1].lstrip('\\n') %}{% endif %}\
{% if loop.index0 > ns.last %}<think>
{{ thought.strip('\\n') }}
</think>

{{ content.lstrip('\\n') }}{% else %}{{ content }}{% endif %}{% else %}{{ m.content }}{% endif %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""

LLAMA3 = """{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m['role'] }}<|end_header_id|>

{{ m['content'] | trim }}<|eot_id|>{% endfor %}{% if add_generation_prompt %}\
<|start_header_id|>assistant<|end_header_id|>

{% endif %}"""

GEMMA3 = """{{ bos_token }}{% if messages[0]['role'] == 'system' %}\
{% set prefix = messages[0]['content'] + '\\n\\n' %}\
{% set rest = messages[1:] %}{% else %}{% set prefix = '' %}{% set rest = messages %}{% endif %}\
{% for m in rest %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}\
{{ raise_exception('roles must alternate') }}{% endif %}\
<start_of_turn>{{ 'model' if m['role'] == 'assistant' else m['role'] }}
{{ prefix if loop.first else '' }}{{ m['content'] | trim }}<end_of_turn>
{% endfor %}{% if add_generation_prompt %}<start_of_turn>model
{% endif %}"""

GEMMA2 = """{{ bos_token }}{% if messages[0]['role'] == 'system' %}\
{{ raise_exception('no system role') }}{% endif %}\
{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}\
{{ raise_exception('roles must alternate') }}{% endif %}\
<start_of_turn>{{ 'model' if m['role'] == 'assistant' else m['role'] }}
{{ m['content'] | trim }}<end_of_turn>
{% endfor %}{% if add_generation_prompt %}<start_of_turn>model
{% endif %}"""

MISTRAL = """{{ bos_token }}{% if messages[0]['role'] == 'system' %}\
{% set system = messages[0]['content'] + '\\n\\n' %}\
{% set rest = messages[1:] %}{% else %}{% set system = '' %}{% set rest = messages %}{% endif %}\
{% for m in rest %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}\
{{ raise_exception('roles must alternate') }}{% endif %}{% if m['role'] == 'user' %}\
[INST] {{ system if loop.last else '' }}{{ m['content'] }}[/INST]{% else %} {{ m['content'] }}{{ eos_token }}\
{% endif %}{% endfor %}"""


@dataclass(frozen=True)
class Family:
    """A template, its special tokens, and added tokens that are not flagged special."""

    name: str
    template: str
    special: tuple[str, ...]
    unflagged: tuple[str, ...] = ()
    takes_system: bool = True
    takes_repeats: bool = True


FAMILIES = {
    family.name: family
    for family in (
        Family(
            "smollm2",
            CHATML.replace("{DEFAULT}", "You are a helpful AI assistant named Small"),
            ("<|im_start|>", "<|im_end|>"),
        ),
        Family(
            "qwen2.5",
            CHATML.replace("{DEFAULT}", "You are a helpful assistant."),
            ("<|im_start|>", "<|im_end|>"),
            ("<tool_call>", "</tool_call>"),
        ),
        Family(
            "qwen3",
            QWEN3,
            ("<|im_start|>", "<|im_end|>"),
            ("<tool_call>", "</tool_call>", "<tool_response>", "<think>", "</think>"),
        ),
        Family(
            "llama3",
            LLAMA3,
            ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        ),
        Family("gemma3", GEMMA3, ("<bos>", "<start_of_turn>", "<end_of_turn>"), takes_repeats=False),
        Family(
            "gemma2",
            GEMMA2,
            ("<bos>", "<start_of_turn>", "<end_of_turn>"),
            takes_system=False,
            takes_repeats=False,
        ),
        Family("mistral", MISTRAL, ("<s>", "</s>", "[INST]", "[/INST]"), takes_repeats=False),
    )
}


@cache
def stock(name: str) -> PreTrainedTokenizerFast:
    """The tokenizer as transformers would load it: byte-level BPE, chat template set."""
    family = FAMILIES[name]
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    backend.train_from_iterator(
        SAMPLE, trainers.BpeTrainer(vocab_size=600, initial_alphabet=alphabet, show_progress=False)
    )
    backend.add_special_tokens([AddedToken(token, special=True) for token in family.special])
    backend.add_tokens([AddedToken(token, special=False) for token in family.unflagged])
    bos = next((token for token in ("<|begin_of_text|>", "<bos>", "<s>") if token in family.special), None)
    eos = next((token for token in ("</s>", "<|im_end|>", "<|eot_id|>") if token in family.special), None)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token=bos, eos_token=eos)
    tokenizer.chat_template = family.template
    return tokenizer


@cache
def chat_tokenizer(name: str) -> HFChatTokenizer:
    return HFChatTokenizer(stock(name))


def stock_ids(name: str, messages: list[Message], *, reply_follows: bool) -> tuple[int, ...]:
    """Ids of the stock template's text, tokenized by the stock tokenizer."""
    shown = [{"role": message.role, "content": message.content} for message in messages]
    encoded = stock(name).apply_chat_template(
        shown, tokenize=True, add_generation_prompt=reply_follows, return_dict=True
    )
    return tuple(encoded["input_ids"])


def control_ids(name: str) -> frozenset[int]:
    """Ids of every added token, flagged special or not."""
    return frozenset(stock(name).get_added_vocab().values())
