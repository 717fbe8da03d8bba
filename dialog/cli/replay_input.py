"""What `instructrec replay` is given: files as questions, names as metrics, expressions as gates."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import typer

from dialog.cli.transcripts import STDIN, numbered_lines, parsed
from dialog.cli.verb import Run
from dialog.errors import ConfigError, CorpusError
from dialog.replay.asked import Asked, questions, with_candidates
from dialog.replay.free.scenario import scenario_of
from dialog.replay.free.talk import Task
from dialog.replay.gates import parse
from dialog.replay.measures import chosen
from dialog.replay.outcome import Data, DataFile
from dialog.replay.replaying import Judging
from dialog.values import Transcript

Found = TypeVar("Found")
_LIKELIHOODS = frozenset(("perplexity", "ce", "cross_entropy"))


@dataclass(frozen=True)
class Input:
    """What is asked, where it comes from, and what the reader must know about it."""

    turns: Sequence[Asked]
    data: Data
    num_unasked: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Tasks:
    """What is talked about in free replay, where it comes from, and what the reader must know about it."""

    tasks: Sequence[Task]
    fingerprint: str
    data: Data
    notes: tuple[str, ...]


def read_input(paths: Sequence[str], *, skip_bad: int, run: Run) -> Input:
    """The questions of all files; skipped lines are listed at once.

    Raises:
        CorpusError: a file cannot be read, more than `skip_bad` lines are bad, an id
            comes twice, or there is nothing to ask.
    """
    read = _read_all(paths, questions, skip_bad=skip_bad, run=run)
    turns = [turn for _, found in read.found for turn in found.asked]
    if not turns:
        problem = "no assistant turn follows a user's message, so there is nothing to ask"
        raise CorpusError(problem, path=", ".join(paths))
    num_unasked = sum(found.unasked for _, found in read.found)
    num_tools = sum(
        any(message.role == "tool" for message in transcript.messages) for transcript, _ in read.found
    )
    notes = (
        (read.num_bad, "bad lines were skipped"),
        (num_unasked, "assistant turns answer no user message and are not asked"),
        (num_tools, "conversations hold tool messages, which configured agents are not shown"),
    )
    return Input(with_candidates(turns), read.data, num_unasked, _told(notes))


def read_tasks(paths: Sequence[str], *, skip_bad: int, run: Run) -> Tasks:
    """The scenarios of all files; raises as `read_input` does."""
    read = _read_all(paths, scenario_of, skip_bad=skip_bad, run=run)
    if not read.found:
        raise CorpusError("no conversation is left to be had", path=", ".join(paths))
    tasks = [
        Task(
            conversation_id=transcript.id,
            scenario=scenario,
            before=tuple(message for message in transcript.messages if message.role == "system"),
            tags=transcript.tags,
            about=(transcript.meta or {}).get("task") or {},
        )
        for transcript, scenario in read.found
    ]
    hashes = sorted(
        hashlib.sha256(transcript.model_dump_json().encode("utf-8", "backslashreplace")).hexdigest()
        for transcript, _ in read.found
    )
    fingerprint = hashlib.sha256("".join(hashes).encode()).hexdigest()
    return Tasks(tasks, fingerprint, read.data, _told([(read.num_bad, "bad lines were skipped")]))


def judging_of(
    metrics: str | None,
    fail_on: Sequence[str],
    *,
    is_comparison: bool,
    seeds: int,
    embedder: Callable[[], str],
) -> Judging:
    """The metrics asked for and those that gates need, and the gates.

    With several seeds and no metrics named, pass^k of all of them is computed, too.

    Raises:
        typer.BadParameter: a gate is malformed, or needs another agent.
        ConfigError: there is no such metric.
    """
    gates = []
    for expr in fail_on:
        try:
            gate = parse(expr)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--fail-on") from error
        if gate.is_difference and not is_comparison:
            raise typer.BadParameter(
                f"{expr!r}: a threshold with a sign is about A - B, and there is no agent B; "
                "name one with --against, or leave the sign out",
                param_hint="--fail-on",
            )
        gates.append(gate)
    names = None if metrics is None else [name.strip() for name in metrics.split(",") if name.strip()]
    if names is not None and not names:
        raise typer.BadParameter("name at least one metric", param_hint="--metrics")
    found = {metric.name: metric for metric in chosen(names, embedder=embedder)}
    if names is None and seeds > 1:
        found |= {metric.name: metric for metric in chosen([f"pass^{seeds}"], embedder=embedder)}
    for gate in gates:
        if gate.metric not in found:
            try:
                (metric,) = chosen([gate.metric], embedder=embedder)
            except ConfigError as error:
                raise ConfigError(f"--fail-on {gate.expr!r}: {error}") from error
            found[gate.metric] = metric
    return Judging(list(found.values()), gates)


def needs_logprobs(judging: Judging) -> bool:
    """Whether a metric asks how likely the agent's model finds the wanted reply."""
    return any(metric.name in _LIKELIHOODS for metric in judging.metrics)


@dataclass(frozen=True)
class _Files(Generic[Found]):
    found: Sequence[tuple[Transcript, Found]]
    num_bad: int
    data: Data


def _read_all(
    paths: Sequence[str], read: Callable[[Transcript], Found], *, skip_bad: int, run: Run
) -> _Files[Found]:
    """Every transcript with what `read` makes of it; it raises ValueError for one that is bad."""
    found: list[tuple[Transcript, Found]] = []
    places: dict[str, str] = {}
    num_bad = 0
    for path in paths:
        for number, line in numbered_lines(path):
            try:
                transcript = _parsed(line, path, number, places)
                try:
                    found.append((transcript, read(transcript)))
                except ValueError as error:
                    raise CorpusError(str(error), path=path, line=number) from error
            except CorpusError as error:
                num_bad += 1
                if num_bad > skip_bad:
                    raise
                run.warn(f"skipped: {error}")
                continue
            places[transcript.id] = f"{path}:{number}"
    files = tuple(DataFile(path=path, sha256=_sha256(path)) for path in sorted(paths))
    return _Files(found, num_bad, Data(files=files))


def _parsed(line: str, path: str, number: int, places: dict[str, str]) -> Transcript:
    transcript = parsed(line, path=path, line_number=number)
    if transcript.id in places:
        problem = f"the id {transcript.id!r} came before in {places[transcript.id]}; ids must differ"
        raise CorpusError(problem, path=path, line=number)
    return transcript


def _told(notes: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    return tuple(f"{count} {what}" for count, what in notes if count)


def _sha256(path: str) -> str:
    if path == STDIN:
        return ""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
