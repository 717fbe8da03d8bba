"""Many processes, killed processes: small versions of `benchmarks/store_proofs.py`."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

DATABASES = [
    pytest.param("sqlite_url", id="sqlite"),
    pytest.param("postgres_url", id="postgresql", marks=pytest.mark.postgres),
]


def prove(name: str, *options: str) -> dict[str, int]:
    """Run one proof as a process of its own."""
    command = [sys.executable, "-m", "benchmarks.store_proofs", "--proof", name, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    counted: dict[str, int] = json.loads(done.stdout)[name]
    return counted


@pytest.mark.slow
@pytest.mark.parametrize("url", DATABASES)
def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(
    url: str, request: pytest.FixtureRequest
) -> None:
    counted = prove("kill", "--kills", "20", "--url", request.getfixturevalue(url))
    assert counted["lost"] == 0
    assert counted["acknowledged"] >= 20


@pytest.mark.slow
@pytest.mark.parametrize("url", DATABASES)
def test_eight_processes_make_four_hundred_ordered_turns(url: str, request: pytest.FixtureRequest) -> None:
    counted = prove("many", "--processes", "8", "--messages", "50", "--url", request.getfixturevalue(url))
    assert counted["ordered_turns"] == 400


@pytest.mark.slow
def test_eight_processes_may_open_a_fresh_store_at_once() -> None:
    assert prove("race", "--processes", "8", "--stores", "20")["failures"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("url", DATABASES)
def test_action_happens_once_although_workers_are_killed(url: str, request: pytest.FixtureRequest) -> None:
    counted = prove("actions", "--kills", "50", "--url", request.getfixturevalue(url))
    assert counted["effects"] == counted["actions"]
