"""`manage.py import_litellm`: the report, then the rows."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from routing.models import Route

SAMPLE = Path(__file__).parent / "configuration" / "samples" / "load_balancing.yaml"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def master_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITELLM_MASTER_KEY", "sk-master-1234")


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("import_litellm", *arguments, stdout=out)
    return out.getvalue()


def test_a_dry_run_reports_and_changes_nothing() -> None:
    said = run(str(SAMPLE), "--dry-run")
    assert "a dry run; without --dry-run:\n" in said
    assert "created route gpt-4o\n" in said
    assert f"{SAMPLE}:67:3" in said
    assert not Route.objects.exists()


def test_a_run_applies_and_a_second_one_has_nothing_to_do() -> None:
    assert "created route gpt-4o" in run(str(SAMPLE))
    assert Route.objects.filter(name="gpt-4o").exists()
    assert run(str(SAMPLE)).endswith("nothing to change\n")


def test_faults_stop_it_after_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LITELLM_MASTER_KEY")
    with pytest.raises(CommandError, match="Nothing was applied"):
        run(str(SAMPLE))
    assert not Route.objects.exists()


def test_our_own_format_is_sent_to_seed(tmp_path: Path) -> None:
    (tmp_path / "g.yaml").write_text("routes: []\n")
    with pytest.raises(CommandError, match="is no LiteLLM configuration"):
        run(str(tmp_path / "g.yaml"))
