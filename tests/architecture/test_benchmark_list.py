"""`python -m benchmarks` knows what there is and says what each measures."""

from benchmarks import markdown, percentile
from benchmarks.__main__ import descriptions, main


def test_every_measurement_says_what_it_measures():
    found = descriptions()
    assert "startup" in found
    assert all(what.strip() for what in found.values())


def test_list_names_each_measurement(capsys):
    assert main([]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(descriptions())


def test_unknown_measurement_exits_2(capsys):
    assert main(["startup", "nonsense"]) == 2
    assert "no measurement nonsense; known: " in capsys.readouterr().err


def test_markdown_rounds_to_three_digits():
    assert markdown(("what", "s"), [("a", 1.23456)]) == "| what | s |\n| --- | --- |\n| a | 1.23 |"


def test_percentile_of_one_value_is_that_value():
    assert percentile([3.0], 0.95) == 3.0
    assert percentile([float(n) for n in range(1, 102)], 0.5) == 51.0
