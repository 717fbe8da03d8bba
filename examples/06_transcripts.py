"""Read transcripts and see what a model would be trained on: the agent's turns, nothing else.

python examples/06_transcripts.py [FILE.jsonl]
"""

import sys
from pathlib import Path

from dialog import Transcript
from dialog.testing import WordTokenizer
from training.examples import Example, build_examples

SAMPLE = Path(__file__).parent / "conversations" / "train.jsonl"
NUM_SHOWN = 2

path = Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLE
transcripts = [Transcript.model_validate_json(line) for line in path.read_text(encoding="utf-8").splitlines()]
# A tokenizer that splits words, so that this runs at once; to train, it is the model's own.
tokenizer = WordTokenizer()


def preview(example: Example) -> str:
    """The rendered text; what is in the loss stands between » and «."""
    text, inside = "", False
    for token, weight in zip(example.ids, example.weights, strict=True):
        if (weight > 0) != inside:
            text += "«" if inside else "»"
            inside = not inside
        text += tokenizer.decode([token])
    return text + "«" * inside


built = [build_examples(transcript, tokenizer, limit_tokens=2048) for transcript in transcripts]
examples = [example for one in built for example in one.examples]
for example in examples[:NUM_SHOWN]:
    print(f"--- {example.conversation_id}: {example.num_supervised} of {len(example.ids)} tokens are learned")
    print(preview(example))
for one in built:
    if one.refused:
        print(f"{one.conversation_id} was left out: {one.refused}")
num_learned, num_tokens = sum(e.num_supervised for e in examples), sum(len(e.ids) for e in examples)
print(f"{len(transcripts)} conversations in {len(examples)} examples")
print(f"{num_learned} of {num_tokens} tokens are learned")
