"""The report as people read it."""

from gateway_project.configuration.document import Mark, Problem
from gateway_project.configuration.report import Line, Report, Verdict, render


def test_a_report_is_a_table_with_counts() -> None:
    report = Report(
        lines=(
            Line(Verdict.MAPPED, "model_list[0].model_name", Mark("c.yaml", 2, 5), "route small"),
            Line(Verdict.UNKNOWN, "foo", Mark("c.yaml", 10, 1), "ignored"),
        ),
        warnings=(Problem(Mark("c.yaml", 3, 7), "the environment has no X"),),
    )
    assert render(report).splitlines() == [
        "VERDICT  WHERE        KEY                       WHY",
        "mapped   c.yaml:2:5   model_list[0].model_name  route small",
        "unknown  c.yaml:10:1  foo                       ignored",
        "",
        "warning: c.yaml:3:7: the environment has no X",
        "2 keys: 1 mapped, 0 without effect, 0 unsupported, 1 unknown",
    ]


def test_an_empty_report_renders() -> None:
    assert render(Report(())).endswith("0 keys: 0 mapped, 0 without effect, 0 unsupported, 0 unknown")
