"""tau2's retail tasks by the support skill: is the database in the end as it should be?

    python -m benchmarks.skills.tau2

A scripted customer says the task's reason for the call, then what is known when
asked who it is, repeats the request with its instructions when asked for it,
and says yes to a confirmation. The skill has three flows (cancel, return,
exchange; `retail.toml`), the program's actions find orders and items by rules
and call the tools. Nothing is generated and nothing was fitted to the tasks'
expected actions. Success is an end state equal to that after the expected
actions. The 74 tasks are the published training split; leaderboards are on
other tasks and with a model that plays the customer, so no figure here
compares with theirs.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, JsonValue

from benchmarks import DATA, markdown, save
from benchmarks.skills import interval
from benchmarks.skills._retail import Kind, do
from dialog import Action, ActionContext, DialogAgent, load_config
from dialog.testing import ScriptedModel
from skills.support import Support
from skills.support.tau2 import Database, Retail, load

RETAIL = DATA / "tau2" / "retail"
KINDS = ("cancel", "return", "exchange")
MAX_TURNS = 8


class Arguments(BaseModel):
    who: str
    request: str


def main() -> int:
    if not RETAIL.is_dir():
        print(f"no {RETAIL}: nothing is measured; set INSTRUCTREC_DATA", file=sys.stderr)
        return 1
    tasks = json.loads((RETAIL / "tasks_train.json").read_text(encoding="utf-8"))
    database = load(RETAIL / "db.json.gz")
    untouched = Retail(database).state()
    wanted = [_expected(database, task) for task in tasks]
    results = {
        "do nothing": [float(state == untouched) for state in wanted],
        "support skill, scripted customer": [
            float(reached == state) for reached, state in zip(_reached(database, tasks), wanted, strict=True)
        ],
    }
    rows, values = [], {}
    for name, successes in results.items():
        share, (low, high) = sum(successes) / len(successes), interval(successes)
        rows.append(
            (
                name,
                f"{100 * share:.1f} [{100 * low:.1f}, {100 * high:.1f}]",
                f"{sum(successes):.0f}/{len(successes)}",
            )
        )
        values[name] = {"success": share, "low": low, "high": high}
    values["changing tasks solved"] = {
        "solved": sum(
            done
            for done, idle in zip(
                results["support skill, scripted customer"], results["do nothing"], strict=True
            )
            if not idle
        ),
        "of": sum(not idle for idle in results["do nothing"]),
    }
    save("skills-tau2", values, table=markdown(("end state as expected", "% of tasks", "tasks"), rows))
    return 0


def _expected(database: Database, task: Mapping[str, Any]) -> JsonValue:
    """The state after the expected actions; what the tools refuse is meant to be refused."""
    retail = Retail(database)
    for action in task["evaluation_criteria"]["actions"]:
        try:
            retail.call(action["name"], action["arguments"])
        except ValueError:
            continue
    return retail.state()


def _reached(database: Database, tasks: list[dict[str, Any]]) -> list[JsonValue]:
    """The state after each conversation."""
    shops = {task["id"]: Retail(database) for task in tasks}

    def run(kind: Kind) -> Callable[[Arguments, ActionContext], JsonValue]:
        def act(arguments: Arguments, context: ActionContext) -> JsonValue:
            return cast(JsonValue, do(shops[context.conversation_id], database, kind, arguments.model_dump()))

        return act

    actions = [Action(kind, kind, Arguments, run(cast(Kind, kind)), needs_approval=False) for kind in KINDS]
    desk = Support(Path(__file__).with_name("retail.toml"))
    config = load_config(
        environment={}, overrides=["store.url=sqlite://", "skills.default=support", "knowledge.path=none-yet"]
    )
    with DialogAgent(config, model=ScriptedModel(["I see."] * 9999), skills=[desk], actions=actions) as agent:
        for task in tasks:
            _talk(agent, task)
    return [shops[task["id"]].state() for task in tasks]


def _talk(agent: DialogAgent, task: Mapping[str, Any]) -> None:
    """The customer's part, until nothing more is asked."""
    told = task["user_scenario"]["instructions"]
    request = " ".join(_spoken(told.get(part)) for part in ("reason_for_call", "task_instructions"))
    said = _spoken(told["reason_for_call"])
    for _ in range(MAX_TURNS):
        agent.reply(said, conversation_id=task["id"])
        state = agent.state(task["id"])
        progress = state.slots.get("flow")
        asked = progress.value.get("asked") if progress else None
        if asked is None or state.handoff.status != "bot":
            return
        said = {"who": _spoken(told.get("known_info")), "request": request, "confirm": "yes"}[asked]


def _spoken(text: str | None) -> str:
    """What the task tells about a customer, said by that customer."""
    turned = re.sub(r"\b(?:You are|you are)\b", "I am", text or "")
    return re.sub(r"\b[Yy]our\b", "my", re.sub(r"\b[Yy]ou\b", "I", turned))


if __name__ == "__main__":
    raise SystemExit(main())
