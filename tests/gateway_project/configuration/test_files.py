"""One door for both formats."""

from pathlib import Path

import pytest

from gateway_project.configuration.document import ConfigurationRefused
from gateway_project.configuration.files import load_config
from gateway_project.configuration.report import Report

SAMPLES = Path(__file__).parent / "samples"


@pytest.mark.parametrize("name", ["load_balancing.yaml", "wildcards.yaml", "with_includes.yaml", "every_key.yaml"])
def test_litellms_files_come_with_a_report(name: str) -> None:
    assert isinstance(load_config(SAMPLES / name, {})[1], Report)


def test_our_files_come_without() -> None:
    declared, report = load_config(str(SAMPLES / "gateway.yaml"), {})
    assert report is None
    assert {problem.message.rpartition(" ")[2] for problem in declared.problems} == {
        "ANN_PASSWORD",
        "CI_KEY",
        "OPENAI_API_KEY",
        "TEAM",
    }


def test_broken_yaml_names_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("routes:\n  - name: [\n")
    with pytest.raises(ConfigurationRefused, match=r"broken\.yaml:3:1: not YAML"):
        load_config(path)


def test_the_example_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    example = Path(__file__).parents[3] / "deploy" / "gateway.example.yaml"
    environ = dict.fromkeys(["OPENAI_API_KEY", "ADMIN_PASSWORD", "CI_KEY", "MISTRAL_API_KEY"], "something-long")
    declared, report = load_config(example, environ)
    assert report is None
    assert declared.problems == ()
    assert declared.routes
