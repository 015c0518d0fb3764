"""`manage.py seed`, with a file and without."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from routing.models import Route
from tenants import keys
from tenants.models import Tenant

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data_dir(settings: Settings, tmp_path: Path) -> Path:
    settings.GATEWAY_DATA_DIR = tmp_path
    return tmp_path


def seed(*arguments: str) -> str:
    out = StringIO()
    call_command("seed", *arguments, stdout=out)
    return out.getvalue()


def write(directory: Path, text: str) -> str:
    (directory / "gateway.yaml").write_text(text)
    return str(directory / "gateway.yaml")


def test_without_a_file_the_secrets_are_shown_once() -> None:
    first, second = seed(), seed()
    [line] = [line for line in first.splitlines() if line.startswith("demo key: ")]
    assert keys.find(keys.digest_of(line.split()[2])) is not None
    assert "sign in as admin with " in first
    assert "demo key" not in second
    assert "sign in" not in second


def test_a_file_creates_and_prints_generated_secrets(tmp_path: Path) -> None:
    said = seed(write(tmp_path, "tenants: [{slug: a}]\nkeys: [{tenant: a, name: k}]"))
    assert "created tenant a" in said
    [line] = [line for line in said.splitlines() if line.startswith("secret of key a/k: ")]
    assert keys.find(keys.digest_of(line.split()[4])) is not None


def test_only_update_changes_what_exists(tmp_path: Path) -> None:
    seed(write(tmp_path, "tenants: [{slug: a, name: One}]"))
    file = write(tmp_path, "tenants: [{slug: a, name: Two}]")
    assert seed(file) == "nothing to change\n"
    assert seed(file, "--update") == "updated tenant a\n"
    assert Tenant.objects.get(slug="a").name == "Two"


def test_faults_are_told_and_nothing_is_applied(tmp_path: Path) -> None:
    file = write(tmp_path, "tenants: [{slug: a}]\nroutes: [{nome: r}]")
    with pytest.raises(CommandError, match=r"(?s)Nothing was applied.*gateway\.yaml:2:11: unknown field nome"):
        seed(file)
    assert not Tenant.objects.exists()


def test_a_litellm_file_is_reported_on(tmp_path: Path) -> None:
    said = seed(write(tmp_path, "model_list: [{model_name: a, litellm_params: {model: openai/x}}]"))
    assert "2 keys: 2 mapped" in said
    assert Route.objects.filter(name="a").exists()
