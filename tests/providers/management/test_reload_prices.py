"""What `manage.py reload_prices` prints and does."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from providers.catalog import set_price
from providers.models import Price

pytestmark = pytest.mark.django_db


def write(directory: Path, **models: Any) -> Path:
    path = directory / "prices.json"
    path.write_text(json.dumps({"version": "1.0", "providers": {"openai": models}}))
    return path


def run(path: Path | None = None, **options: Any) -> list[str]:
    out = StringIO()
    call_command("reload_prices", file=path, stdout=out, **options)
    return out.getvalue().splitlines()


def test_a_diff_is_readable_and_the_second_run_changes_nothing(tmp_path: Path) -> None:
    cheap = {"input_per_1k_tokens": 0.005, "output_per_1k_tokens": 0.015}
    path = write(tmp_path, **{"gpt-4o": cheap, "gone": {"per_image": 1}})
    assert run(path) == [
        "file:prices.json 1.0",
        "added openai/gpt-4o input 5, output 15",
        "added openai/gone image 1",
        "2 added, 0 changed, 0 withdrawn, 0 unchanged",
    ]
    assert run(path)[1:] == ["nothing changed: 2 models as before"]
    set_price(vendor="openai", model="gone", input_per_mtok=1)
    path = write(tmp_path, **{"gpt-4o": {"input_per_1k_tokens": 0.0025}, "gone": {"per_image": 2}})
    count = Price.objects.count()
    dry = run(path, dry_run=True)
    assert Price.objects.count() == count
    assert dry[1].startswith("changed openai/gpt-4o input 5 → 2.5, output 15 → none from 20")
    assert dry[2].startswith("changed openai/gone image 1 → 2 from 20")
    assert dry[2].endswith("(kept, overridden: the price of manual stays in force)")
    assert dry[3:] == ["0 added, 2 changed, 0 withdrawn, 0 unchanged", "dry run: nothing was written"]
    assert run(path)[-1] == "0 added, 2 changed, 0 withdrawn, 0 unchanged"
    assert Price.objects.count() == count + 2


def test_prune_withdraws_what_the_file_dropped(tmp_path: Path) -> None:
    run(write(tmp_path, a={"per_image": 1}, b={"per_image": 1}))
    path = write(tmp_path, a={"per_image": 1})
    assert run(path, prune=True)[1:] == [
        "withdrawn openai/b",
        "0 added, 0 changed, 1 withdrawn, 1 unchanged",
    ]
    assert run(path, prune=True)[1:] == ["nothing changed: 1 models as before"]


def test_without_a_file_the_bundled_list_is_loaded() -> None:
    first, second = run(), run()
    assert first[0].startswith("genai-prices ")
    assert any(line.startswith("added … and ") for line in first)
    assert second[-1].startswith("nothing changed: ")
    assert len(run(verbosity=2)) > len(second)


def test_a_bad_file_is_refused_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="openai/m: per_image: 'x' is no number"):
        run(write(tmp_path, m={"per_image": "x"}))
    assert not Price.objects.exists()


def test_prune_needs_a_file() -> None:
    with pytest.raises(CommandError, match="--prune goes with --file"):
        run(prune=True)
