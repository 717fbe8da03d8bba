"""Recommendation: the item taken next, among 99 that were not; and films that people accepted.

    python -m benchmarks.skills.recommend                   # columns, item-kNN and the fused score
    python -m benchmarks.skills.recommend --lists 40        # and a language model on that many lists

movielens_small, leave-one-out by time: each user's last film is the target, among 99 films the user
never rated, drawn uniformly or by popularity (seed 1). No user's last film is in the past that the
columns are computed from. Weights are learned on a seeded third of the users (their five films
before the last, hidden); figures are of the other two thirds, with a bootstrap over users (95 %).
Ties count half. inspired (99 people's dialogues, development part): what stands before the
recommender first names the film it ends with is the wish; the film, where the catalogue has it, is
set among 99 others.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import sys
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from benchmarks import DATA, markdown, save
from skills.recommend.behaviour import Behaviour, Floats, Taken
from skills.recommend.catalogue import Catalogue, read_catalogue
from skills.recommend.critique import Wish, read_wish
from skills.recommend.features import COLUMNS, Features, standardised
from skills.recommend.fusion import Draw, Weights, fit, negatives, softmax_regression
from skills.recommend.instructions import Instruction, matching_scores, render

_SEED = 1
_DRAWS: tuple[Draw, ...] = ("uniform", "popularity")
_RESAMPLES = 2000
_TOP = 10
_PUBLISHED = {"uniform": (0.617, 0.394), "popularity": (0.294, 0.157)}
List = tuple[list[str], Floats]
"""Titles of the history, and the standardised columns of 100 candidates, the target first; (C, F)."""


def rank_of_first(scores_C: Floats) -> float:
    """How many candidates stand before the first, ties half."""
    return float((scores_C[1:] > scores_C[0]).sum() + (scores_C[1:] == scores_C[0]).sum() / 2)


def figures(ranks: Sequence[float]) -> tuple[Floats, Floats]:
    """HR@10 and NDCG@10 of each list."""
    ranks_L = np.array(ranks)
    hit_L = (ranks_L < _TOP).astype(np.float64)
    return hit_L, np.where(hit_L > 0, 1 / np.log2(ranks_L + 2), 0.0)


def interval(values_L: Floats) -> str:
    """Mean with its 95 % bootstrap interval over lists."""
    draw = np.random.default_rng(0)
    means = [values_L[draw.integers(len(values_L), size=len(values_L))].mean() for _ in range(_RESAMPLES)]
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{values_L.mean():.3f} [{low:.3f}, {high:.3f}]"


def gain(ours_L: Floats, theirs_L: Floats) -> str:
    """Relative gain of the mean, paired bootstrap over lists."""
    draw = np.random.default_rng(0)
    ratios = []
    for _ in range(_RESAMPLES):
        chosen = draw.integers(len(ours_L), size=len(ours_L))
        ratios.append(ours_L[chosen].mean() / max(1e-9, theirs_L[chosen].mean()) - 1)
    low, high = np.percentile(ratios, [2.5, 97.5])
    return f"{ours_L.mean() / theirs_L.mean() - 1:+.0%} [{low:+.0%}, {high:+.0%}]"


def is_for_choosing(user: str) -> bool:
    """A seeded third of the users."""
    return int(hashlib.sha256(f"recommend-{user}".encode()).hexdigest(), 16) % 3 == 0


def lists_of(
    whole: Behaviour, features: Features, catalogue: Catalogue, users: Sequence[str], how: Draw
) -> list[List]:
    """One list a user."""
    draw = np.random.default_rng(_SEED)
    found = []
    for user in users:
        history = whole.histories[user]
        taken = [event.place for event in history]
        others = negatives(features.past.popularity, taken, how=how, draw=draw)
        columns_NF = features.of(taken[:-1], now_s=history[-2].time_s)
        places = [taken[-1], *others.tolist()]
        titles = [catalogue.items[place].title for place in (*taken[-6:-1], *places)]
        found.append((titles, standardised(columns_NF[places])))
    return found


def movielens(
    catalogue: Catalogue, num_model_lists: int, model: str | None
) -> tuple[list[tuple[object, ...]], dict[str, object], tuple[Behaviour, Weights]]:
    """Rows of the table, values, and the past with the weights learned."""
    with gzip.open(DATA / "movielens_small" / "ratings.csv.gz", "rt", encoding="utf-8") as file:
        events = [
            Taken(user=row["userId"], place=catalogue.places[row["movieId"]], time_s=float(row["timestamp"]))
            for row in csv.DictReader(file)
        ]
    whole = Behaviour(events, num_items=len(catalogue.items))
    users = list(whole.histories)
    kept = [event for history in whole.histories.values() for event in history[:-1]]
    weights = fit(kept, catalogue, users=[user for user in users if is_for_choosing(user)])
    past = Behaviour(kept, num_items=len(catalogue.items))
    features = Features(past, catalogue)
    reported = [user for user in users if not is_for_choosing(user)]
    ways: dict[str, Callable[[Floats], Floats]] = {
        name: (lambda columns_CF, at=at: columns_CF[:, at]) for at, name in enumerate(COLUMNS)
    }
    ways["fused, even weights"] = lambda columns_CF: columns_CF.sum(axis=1)
    ways["fused, learned weights"] = lambda columns_CF: columns_CF @ weights.vector
    rows: list[tuple[object, ...]] = []
    values: dict[str, object] = {"weights": weights.model_dump(mode="json"), "users": len(reported)}
    for how in _DRAWS:
        lists = lists_of(whole, features, catalogue, reported, how)
        told = {name: figures([rank_of_first(way(one[1])) for one in lists]) for name, way in ways.items()}
        for name, (hits, ndcg) in told.items():
            shown = "item-kNN (item_item)" if name == "item_item" else name
            against = told["item_item"]
            gains = (gain(hits, against[0]), gain(ndcg, against[1])) if name.startswith("fused") else ("", "")
            rows.append((how, shown, len(lists), interval(hits), interval(ndcg), *gains))
            values[f"{how}: {name}"] = {"hr": hits.mean(), "ndcg": ndcg.mean()}
        rows.append((how, "item-kNN, published", "", *(f"{one:.3f}" for one in _PUBLISHED[how]), "", ""))
    if num_model_lists:
        choosing = [user for user in users if is_for_choosing(user)][:num_model_lists]
        parts = [
            lists_of(whole, features, catalogue, some, "popularity")
            for some in (choosing, reported[:num_model_lists])
        ]
        rows += with_model(parts[0], parts[1], weights, model, values)
    return rows, values, (past, weights)


def with_model(
    choosing: Sequence[List],
    reported: Sequence[List],
    weights: Weights,
    name: str | None,
    values: dict[str, object],
) -> list[tuple[object, ...]]:
    """The model's matching scores alone and fused; the two weights are learned on `choosing`."""
    from dialog.engine.load import open_model
    from dialog.settings import ModelSection

    model = open_model(ModelSection(name=name) if name else ModelSection())

    def scored(one: List) -> Floats:
        titles, columns_CF = one
        asked = Instruction(preference="implicit", task="matching", history=tuple(titles[:-100]))
        told = matching_scores(model, render(asked, language="en"), titles[-100:])
        return standardised(np.stack([columns_CF @ weights.vector, np.array(told)], axis=1))

    both = softmax_regression(np.stack([scored(one) for one in choosing]))
    lists = [scored(one) for one in reported]
    values["model"] = {"name": model.info.name, "weights": both.tolist()}
    rows = []
    for label, vector in (
        ("fused columns", [1, 0]),
        (f"{model.info.name} alone", [0, 1]),
        ("both, learned weights", both),
    ):
        hits, ndcg = figures([rank_of_first(columns_CF @ np.array(vector)) for columns_CF in lists])
        rows.append(("popularity, some lists", label, len(lists), interval(hits), interval(ndcg), "", ""))
        values[f"some lists: {label}"] = {"hr": hits.mean(), "ndcg": ndcg.mean()}
    return rows


def inspired(
    catalogue: Catalogue, past: Behaviour, weights: Weights
) -> tuple[list[tuple[object, ...]], dict[str, object]]:
    """Rank of the film a dialogue ends with, by popularity and by the skill's wish and columns."""
    with gzip.open(DATA / "inspired" / "dev.tsv.gz", "rt", encoding="utf-8") as file:
        dialogues: dict[str, list[Mapping[str, str]]] = {}
        for row in csv.DictReader(file, delimiter="\t"):
            dialogues.setdefault(row["dialog_id"], []).append(row)
    features = Features(past, catalogue)
    by_title = {item.title: place for place, item in enumerate(catalogue.items)}
    now_s = float(past.times[0][-1])
    draw = np.random.default_rng(_SEED)
    ranks: dict[str, list[float]] = {"popularity": [], "wish and columns": []}
    scores: list[tuple[bool, float]] = []
    for turns in dialogues.values():
        film = _recommended(turns)
        if film not in by_title:
            continue
        wish, liked = _said_before(turns, film, catalogue)
        others = negatives(past.popularity, [by_title[film], *liked], how="uniform", draw=draw)
        places = [by_title[film], *others.tolist()]
        columns_CF = standardised(features.of(liked, now_s=now_s)[places])
        kinds = [len(set(wish.wanted) & set(catalogue.items[place].tags)) for place in places]
        refused = [len(set(wish.unwanted) & set(catalogue.items[place].tags)) for place in places]
        own = columns_CF @ weights.vector + 2.0 * np.array(kinds) - 2.0 * np.array(refused)
        ranks["popularity"].append(rank_of_first(columns_CF[:, 0]))
        ranks["wish and columns"].append(rank_of_first(own))
        scores.append((turns[0]["coarse_label"] == "accept_new", float(own[0] - own.mean())))
    rows: list[tuple[object, ...]] = []
    for name, told in ranks.items():
        hits, ndcg = figures(told)
        rows.append(("inspired, uniform", name, len(told), interval(hits), interval(ndcg), "", ""))
    accepted = [score for is_accepted, score in scores if is_accepted]
    refused_scores = [score for is_accepted, score in scores if not is_accepted]
    area = (
        float(np.mean([(a > b) + (a == b) / 2 for a in accepted for b in refused_scores]))
        if refused_scores
        else None
    )
    return rows, {
        "dialogues": len(dialogues),
        "film in the catalogue": len(scores),
        "accepted": len(accepted),
        "refused": len(refused_scores),
        "acceptance AUROC of the score": area,
        **{
            name: {"hr": figures(told)[0].mean(), "ndcg": figures(told)[1].mean()}
            for name, told in ranks.items()
        },
    }


def _recommended(turns: Sequence[Mapping[str, str]]) -> str:
    """The film the recommender names last; empty if it names none."""
    named = [film for turn in turns if turn["speaker"] == "RECOMMENDER" for film in turn["movies"].split(";")]
    return next((film.strip() for film in reversed(named) if film.strip()), "")


def _said_before(
    turns: Sequence[Mapping[str, str]], film: str, catalogue: Catalogue
) -> tuple[Wish, list[int]]:
    """The seeker's wish and films, up to the recommender's first word of the film."""
    wish, liked = Wish(), []
    for turn in turns:
        if turn["speaker"] == "RECOMMENDER" and film in turn["movies"]:
            break
        if turn["speaker"] == "SEEKER":
            wish = wish.then(read_wish(turn["text"], catalogue))
    liked = [
        catalogue.places[one] for one in wish.liked if catalogue.items[catalogue.places[one]].title != film
    ]
    return wish, liked


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lists", type=int, default=0, help="lists a language model scores")
    parser.add_argument("--model", help="its name; default: the agent's")
    options = parser.parse_args(arguments)
    movies = DATA / "movielens_small" / "movies.csv"
    if not movies.is_file():
        print(f"skipped: {movies} is not there")
        return 0
    catalogue = read_catalogue(movies)
    rows, values, (past, weights) = movielens(catalogue, options.lists, options.model)
    if (DATA / "inspired" / "dev.tsv.gz").is_file():
        more, values["inspired"] = inspired(catalogue, past, weights)
        rows += more
    header = ("negatives", "how", "lists", "HR@10", "NDCG@10", "HR, against item-kNN", "NDCG, against it")
    save("skills-recommend", values, table=markdown(header, rows))
    print(values.get("inspired", "inspired is not there"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
