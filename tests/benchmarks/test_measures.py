import pytest

from benchmarks.measures import (
    Goal,
    Measures,
    Result,
    Translated,
    difference,
    goals,
    median_of,
    percentile,
    ratio,
    translation_goals,
)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.5, None),
        ([7.0], 0.99, 7.0),
        ([3.0, 1.0, 2.0], 0.5, 2.0),
        ([float(i) for i in range(100)], 0.99, 99.0),
        ([float(i) for i in range(1000)], 0.99, 990.0),
    ],
)
def test_percentile(values: list[float], share: float, expected: float | None) -> None:
    assert percentile(values, share) == expected


def test_median_ignores_figures_that_a_round_did_not_take() -> None:
    rows = [Measures(calls_per_s=100.0), Measures(calls_per_s=300.0, idle_mib=5.0), Measures(calls_per_s=110.0)]
    assert median_of(rows) == Measures(calls_per_s=110.0, idle_mib=5.0)


def test_the_median_of_no_rounds_is_empty() -> None:
    assert median_of([]) == Measures()


def test_a_result_joins_its_memory_with_its_rounds() -> None:
    result = Result("x", memory=Measures(idle_mib=9.0), rounds=[Measures(calls_per_s=1.0), Measures(calls_per_s=3.0)])
    assert result.median() == Measures(calls_per_s=2.0, idle_mib=9.0)


def test_a_remark_is_kept_once() -> None:
    result = Result("x")
    result.note("slow")
    result.note("slow")
    assert result.notes == ["slow"]


def test_differences_and_ratios_need_both_sides() -> None:
    assert difference(3.0, 1.0) == 2.0
    assert difference(None, 1.0) is None
    assert ratio(3.0, 2.0) == 1.5
    assert ratio(3.0, 0.0) is None
    assert ratio(3.0, None) is None


@pytest.mark.parametrize(
    ("value", "at_least", "met"),
    [(5.0, True, True), (4.9, True, False), (5.0, False, True), (5.1, False, False), (None, True, None)],
)
def test_a_goal_is_met_on_its_side_of_the_limit(value: float | None, at_least: bool, met: bool | None) -> None:
    assert Goal("g", value, 5, at_least=at_least).met is met


def test_goals_compare_the_gateway_with_the_others() -> None:
    rows = {
        "gateway": Measures(calls_per_s=4400.0, cpu_us_per_call=200.0, cpu_us_per_chunk=30.0, kib_per_stream=25.0),
        "litellm": Measures(calls_per_s=100.0, cpu_us_per_call=9000.0, cpu_us_per_chunk=600.0),
        "bare": Measures(cpu_us_per_call=50.0, cpu_us_per_chunk=25.0),
    }
    measured = {goal.title: (goal.value, goal.met) for goal in goals(rows)}
    assert measured["requests per core against LiteLLM"] == (44.0, True)
    assert measured["requests per core against Portkey"] == (None, None)
    assert measured["CPU per call against bare"] == (4.0, True)
    assert measured["CPU per chunk against LiteLLM"] == (0.05, True)
    assert measured["CPU per chunk against bare"] == (1.2, True)
    assert measured["first byte added, p99 at 64 streams"] == (None, None)
    assert measured["memory of an open stream"] == (25.0, True)


def test_translation_is_the_median_over_the_rounds_that_have_it() -> None:
    rows = [{"openai": Translated(200.0, 40.0)}, {"openai": Translated(300.0, 50.0), "gemini": Translated(None, 60.0)}]
    assert Result("x", translated=list(rows)).median_translated() == {
        "openai": Translated(250.0, 45.0),
        "gemini": Translated(None, 60.0),
    }


def test_the_worst_dialect_counts_for_the_goals_of_translation() -> None:
    medians = {
        "openai": Translated(200.0, 40.0),
        "anthropic": Translated(300.0, 44.0),
        "gemini": Translated(300.0, 140.0),
    }
    chunk, request = translation_goals(medians, 149.0)
    assert (chunk.value, chunk.met) == (3.5, False)
    assert (request.value, request.met) == (149.0, True)


def test_translation_that_was_not_taken_meets_nothing() -> None:
    assert [goal.met for goal in translation_goals({}, None)] == [None, None]
