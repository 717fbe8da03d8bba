"""The progress line."""

import pytest

from dialog.cli import progress


@pytest.mark.parametrize(
    ("spent_s", "done", "total", "shown"),
    [
        (10.0, 1, 4, ", 0:30 left"),
        (600.0, 1, 13, ", 2:00:00 left"),
        (10.0, 0, 4, ""),
        (10.0, 4, 4, ""),
        (10.0, 4, 0, ""),
        (0.5, 1, 4, ""),
    ],
)
def test_time_left_is_told_once_there_is_something_to_tell_from(spent_s, done, total, shown):
    assert progress._left(spent_s, done, total) == shown


def test_a_line_shows_the_work_and_is_gone_at_the_end(capsys, monkeypatch):
    now = iter([0.0, 10.0, 20.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    with progress.progress("replaying", shown=True) as advance:
        advance(1, 2)
        advance(2, 2)
    drawn = capsys.readouterr().err
    assert f"\r\x1b[Kreplaying [{'=' * 15}{' ' * 15}] 1/2, 0:10 left" in drawn
    assert drawn.endswith("2/2\r\x1b[K")
