"""What metering adds is told from figures of many starts, each start compared with itself."""

from benchmarks.metering import lower_quartile, render


def test_slow_seconds_do_not_count() -> None:
    assert lower_quartile([210.0, 200.0, 900.0, 205.0, 201.0, 400.0]) == 201.0
    assert lower_quartile([200.0]) == 200.0


def test_the_difference_is_that_within_each_start_and_has_its_error() -> None:
    serving = {"unmetered": [200.0, 150.0, 160.0], "limited": [240.0, 196.0, 202.0]}
    whole = {"unmetered": [200.0, 150.0, 160.0], "limited": [310.0, 250.0, 260.0]}
    first, second = render(serving, whole).splitlines()[2:]
    assert first == "| LLM Gateway without metering | 160 | 160 | 0.0 ± 0.0 |"
    assert second == "| LLM Gateway, limits and budgets | 202 | 260 | 42.7 ± 1.8 |"


def test_one_start_tells_no_error() -> None:
    table = render({"unmetered": [200.0], "limited": [245.0]}, {"unmetered": [200.0], "limited": [300.0]})
    assert table.endswith("| 45.0 ± 0.0 |")
