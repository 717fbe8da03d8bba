"""Conversations a minute: `replay` with workers against plain loops over the same turns with the same model.

    python -m benchmarks.replay_speed [--conversations 4] [--workers N] [--rounds 2] [--max-tokens 24]

The turns are those of `examples/conversations/heldout.jsonl`, as many Chinese as
English, each answered from the recorded history by the default model. A plain
loop is what one writes without replay: `generate()` of transformers on each
turn's chat template, or this project's agent, one turn after the other.
`replay` asks as many conversations at once as there are workers, and saves
every answer; its scores and reports are timed beside it, for they cost the same
whatever the model. All ways take turns in one process, on one thread, in
another order each round; a figure is the median of the rounds. Replies end at
`--max-tokens` or where the model ends them, so their tokens are counted, too.
The model writes English only; it is told that it writes Chinese, so that both
languages cost it a reply.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import torch

from benchmarks import markdown, save
from dialog.config import Config, load_config
from dialog.engine.sources import resolve
from dialog.metrics.registry import default_metrics
from dialog.replay.agents.configured import ConfiguredAgent
from dialog.replay.asked import Asked, questions, with_candidates
from dialog.replay.folder import Manifest, RunFolder, hash_of
from dialog.replay.outcome import Data, Fingerprints
from dialog.replay.replaying import Judging, replay
from dialog.values import Transcript

TALKS = Path(__file__).parents[1] / "examples" / "conversations" / "heldout.jsonl"
LOOP = "agent, one turn after the other"


@dataclass(frozen=True)
class Spent:
    """Seconds to the last answer, those of scores and reports after it, and what was said."""

    wall_s: float
    cpu_s: float
    judging_cpu_s: float
    num_tokens: int
    texts: tuple[str, ...] = ()


Way = Callable[[Sequence[Asked]], Spent]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=4)
    parser.add_argument("--workers", type=int, help="as many as conversations by default")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--max-tokens", type=int, default=24)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    asked = drawn(given.conversations)
    workers = given.workers or given.conversations
    config = load_config(
        overrides=[
            f"sampling.max_tokens={given.max_tokens}",
            "knowledge.path='no-index'",
            "model.threads=1",
            "model.languages=['en', 'zh']",
        ],
        environment={},
    )
    ways: dict[str, Way] = {
        "transformers generate(), one turn after the other": generating(config),
        LOOP: lambda turns: looped(config, turns),
        "replay, 1 worker": lambda turns: replayed(config, turns, workers=1),
        f"replay, {workers} workers": lambda turns: replayed(config, turns, workers=workers),
    }
    spent = measured(ways, asked, rounds=given.rounds)
    told = vars(given) | {"workers": workers, "turns": len(asked)}
    values = {name: [vars(one) | {"texts": None} for one in found] for name, found in spent.items()}
    save("replay-speed", {**told, **values}, table=table(spent, given.conversations))
    return 0


def drawn(num: int) -> list[Asked]:
    """The questions of the first conversations, Chinese and English in turn as they stand in the file."""
    lines = TALKS.read_text(encoding="utf-8").splitlines()[:num]
    read = [Transcript.model_validate_json(line) for line in lines]
    return with_candidates([asked for transcript in read for asked in questions(transcript).asked])


def measured(ways: dict[str, Way], asked: Sequence[Asked], *, rounds: int) -> dict[str, list[Spent]]:
    """Every way on a turn of its own first, then in another order each round."""
    spent: dict[str, list[Spent]] = {name: [] for name in ways}
    for way in ways.values():
        way(asked[:1])
    for number in range(rounds):
        names = list(ways)[number % len(ways) :] + list(ways)[: number % len(ways)]
        for name in names:
            spent[name].append(ways[name](asked))
            print(f"round {number + 1}, {name}: {spent[name][-1].cpu_s:.1f} s", file=sys.stderr)
    return spent


def generating(config: Config) -> Way:
    """transformers in float32, with the model's own template and the agent's system prompt."""
    from dialog.engine.stock import load_model, load_tokenizer

    logging.getLogger("transformers").setLevel(logging.ERROR)
    values = config.values
    files = resolve(values.model.name)
    tokenizer = load_tokenizer(files)
    model = load_model(files, torch.device("cpu"), torch.float32)

    def run(asked: Sequence[Asked]) -> Spent:
        num_tokens = 0
        started, started_cpu = perf_counter(), process_time()
        for one in asked:
            messages = [{"role": said.role, "content": said.content} for said in one.messages]
            prompt = tokenizer.apply_chat_template(
                [{"role": "system", "content": values.prompt.system}, *messages],
                add_generation_prompt=True,
                return_tensors="pt",
                return_dict=True,
            )
            output = model.generate(**prompt, max_new_tokens=values.sampling.max_tokens, do_sample=False)
            num_tokens += output.shape[1] - prompt["input_ids"].shape[1]
        return Spent(perf_counter() - started, process_time() - started_cpu, 0.0, num_tokens)

    return run


def looped(config: Config, asked: Sequence[Asked]) -> Spent:
    """The agent without replay; it is opened anew, so that nothing was read before."""
    with closing(ConfiguredAgent(config)) as agent:
        started, started_cpu = perf_counter(), process_time()
        with agent.session(seed=0) as answer:
            given = [answer(one) for one in asked]
        wall_s, cpu_s = perf_counter() - started, process_time() - started_cpu
    num_tokens = sum(one.reply_tokens or 0 for one in given)
    return Spent(wall_s, cpu_s, 0.0, num_tokens, tuple(one.text or "" for one in given))


def replayed(config: Config, asked: Sequence[Asked], *, workers: int) -> Spent:
    """What `instructrec replay` runs, into a folder of its own."""
    with (
        closing(ConfiguredAgent(config)) as agent,
        tempfile.TemporaryDirectory() as folder,
        RunFolder(Path(folder)) as run,
    ):
        manifest = Manifest(
            seeds=(0,),
            questions=hash_of(asked),
            fingerprints=Fingerprints(a=dict(agent.fingerprint)),
            data=Data(files=()),
        )
        started, started_cpu = perf_counter(), process_time()
        answered = (started, started_cpu)

        def advance(done: int, total: int) -> None:
            nonlocal answered
            answered = (perf_counter(), process_time())

        judging = Judging(default_metrics())
        replay(run, manifest, asked, {"a": agent}, judging=judging, workers=workers, advance=advance)
        judging_cpu_s = process_time() - answered[1]
        saved = saved_answers(run, asked)
    return Spent(answered[0] - started, answered[1] - started_cpu, judging_cpu_s, *saved)


def saved_answers(run: RunFolder, asked: Sequence[Asked]) -> tuple[int, tuple[str, ...]]:
    """Tokens of all replies, and the replies in the order of the questions."""
    from dialog.replay.saved import read_turns

    saved = read_turns(run.turns).turns
    given = [saved["a", 0, one.conversation_id, one.turn].given for one in asked]
    return sum(one.reply_tokens or 0 for one in given), tuple(one.text or "" for one in given)


def table(spent: dict[str, list[Spent]], num: int) -> str:
    """One row a way; "times" are medians of the rounds' ratios to the agent's own loop."""
    loop = spent[LOOP]
    rows = [
        (
            name,
            60 * num / median(one.cpu_s for one in found),
            60 * num / median(one.wall_s for one in found),
            *(
                f"{median(of(base) / of(one) for base, one in zip(loop, found, strict=True)):.2f}"
                for of in (lambda one: one.cpu_s, lambda one: one.wall_s)
            ),
            round(median(one.num_tokens for one in found)),
            "" if not found[0].texts else "yes" if same(found, loop) else "no",
            f"{median(one.judging_cpu_s for one in found):.1f} s" if found[0].judging_cpu_s else "",
        )
        for name, found in spent.items()
    ]
    header = (
        "way", "conversations a minute of processor", "on the wall", "times the agent's loop, processor",
        "on the wall", "reply tokens", "same replies as the loop", "scores and reports, processor",
    )  # fmt: skip
    return markdown(header, rows)


def same(found: Sequence[Spent], loop: Sequence[Spent]) -> bool:
    return all(one.texts == base.texts for one, base in zip(found, loop, strict=True))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
