import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.measures import Goal, Measures, Result, Translated
from benchmarks.report import Run, markdown, number, table, verdict, write
from benchmarks.translation import PAIRS, Cost

RUN = Run("2026-11-21 01:00 UTC", "2 cores", 3, Measures(p50_ms_1=0.02, p99_ms_1=0.1), foreign_share=0.125)


def results() -> dict[str, Result]:
    return {
        "bare": Result(
            "bare ASGI",
            "uvicorn 1",
            rounds=[Measures(calls_per_s=20000.0, cpu_us_per_call=50.0, cpu_us_per_chunk=20.0)],
        ),
        "gateway": Result(
            "LLM Gateway",
            "0.1",
            memory=Measures(idle_mib=60.0, kib_per_stream=31.0),
            rounds=[Measures(calls_per_s=v, cpu_us_per_call=200.0, cpu_us_per_chunk=24.0) for v in (4000.0, 5000.0)],
            notes=["a remark"],
        ),
        "litellm": Result("LiteLLM proxy", skipped="pip failed"),
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0.0, "0.00"), (1.234, "1.23"), (12.34, "12.3"), (123.4, "123"), (12345.6, "12,346")],
)
def test_number(value: float | None, text: str) -> None:
    assert number(value) == text


def test_table() -> None:
    assert table(("a", "b"), [("x", "1")]) == "| a | b |\n| --- | ---: |\n| x | 1 |"


def test_verdict() -> None:
    assert verdict(Goal("g", None, 1, at_least=True)) == "not measured"
    assert verdict(Goal("g", 2, 1, at_least=True)) == "met"
    assert verdict(Goal("g", 2, 1, at_least=False)) == "**not met**"


def test_write_leaves_three_files_that_agree(tmp_path: Path) -> None:
    text = write(results(), RUN, tmp_path)
    assert (tmp_path / "latest.md").read_text() == text
    data = json.loads((tmp_path / "latest.json").read_text())
    assert data["candidates"]["gateway"]["median"]["calls_per_s"] == 4500.0
    assert data["candidates"]["litellm"] | {"median": None, "skipped": "pip failed"} == data["candidates"]["litellm"]
    assert (tmp_path / "latest.svg").read_text().startswith("<svg")


def test_the_text_names_circumstances_figures_goals_and_who_was_skipped(tmp_path: Path) -> None:
    lines = write(results(), RUN, tmp_path).splitlines()
    assert any("median of 3 alternating" in line and "12% of the machine" in line for line in lines)
    assert "| LLM Gateway | 4,500 | 200 | - / - | - / - | - / - | 60.0 |" in lines
    assert "| CPU per call against bare | ≤ 5x | 4.00x | met |" in lines
    assert "| memory of an open stream | ≤ 30 KiB | 31.0 KiB | **not met** |" in lines
    assert "| requests per core against LiteLLM | ≥ 40x | - | not measured |" in lines
    assert "CPU against the bare pass-through: gateway 4.00x a call, 1.20x a chunk." in lines
    assert "- LLM Gateway: 0.1; a remark" in lines
    assert "- LiteLLM proxy: skipped: pip failed" in lines


def test_a_ratio_below_one_is_read_as_a_fraction() -> None:
    rows = {"gateway": Measures(cpu_us_per_chunk=30.0), "litellm": Measures(cpu_us_per_chunk=600.0)}
    text = markdown({name: Result(name) for name in rows}, rows, RUN)
    assert "| CPU per chunk against LiteLLM | ≤ 1/15 | 1/20.0 | met |" in text


def test_translation_stands_beside_passing_where_it_was_taken(tmp_path: Path) -> None:
    measured = results()
    measured["gateway"].translated.append({"openai": Translated(200.0, 40.0), "gemini": Translated(300.0, 46.0)})
    run = replace(RUN, costs=(Cost(PAIRS[0], call_us=101.0, chunk_us=2.0, chunk_ratio=1.6),))
    lines = write(measured, run, tmp_path).splitlines()
    assert "| LLM Gateway, gemini | 300 | 1.50x | 46.0 | 1.15x |" in lines
    assert "| openai client, openai provider | 101 | 2.00 | 1.6x |" in lines
    assert "| CPU per translated chunk against passing it | ≤ 3x | 1.15x | met |" in lines
    assert "| translating a request of 10 KB | ≤ 150 µs | 101 µs | met |" in lines
    assert json.loads((tmp_path / "latest.json").read_text())["translation"][0]["call_us"] == 101.0


def test_no_translation_no_heading(tmp_path: Path) -> None:
    assert "## Translated" not in write(results(), RUN, tmp_path)
