"""The newcomer's seed, run once and again."""

from pathlib import Path

import pytest
from pytest_django import Settings

from gateway_project.configuration.embedded import seed_embedded
from providers.models import Provider
from routing.models import Route, Target
from tenants import keys
from tenants.models import ConfigurationVersion, Key, Tenant, User
from usage.models import Budget, Limit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data_dir(settings: Settings, tmp_path: Path) -> Path:
    settings.GATEWAY_DATA_DIR = tmp_path
    return tmp_path


def test_the_first_run_makes_what_a_newcomer_needs() -> None:
    seeded = seed_embedded({})
    admin = User.objects.get(username=seeded.admin_username)
    assert seeded.admin_password is not None
    assert admin.check_password(seeded.admin_password)
    assert admin.is_superuser
    assert seeded.demo_key is not None
    caller = keys.find(keys.digest_of(seeded.demo_key))
    assert caller is not None
    assert (caller.tenant_slug, caller.key_name) == ("default", "demo")
    target = Target.objects.get(route__name="mock")
    assert (target.provider.kind, target.model) == ("mock", "mock-small")
    assert Provider.objects.count() == 1
    assert seeded.admin_password not in repr(seeded)
    assert seeded.demo_key not in repr(seeded)


def test_nothing_stands_in_the_way_of_the_first_call() -> None:
    seed_embedded({})
    assert not Budget.objects.exists()
    assert not Limit.objects.exists()


def test_credentials_in_the_environment_are_offered_at_once() -> None:
    seed_embedded({"OPENAI_API_KEY": "sk-up"})
    assert Provider.objects.get(slug="openai").credential() == "sk-up"
    assert Target.objects.get(route__name="gpt-4o").provider.slug == "openai"


def test_the_second_run_changes_nothing() -> None:
    seed_embedded({"OPENAI_API_KEY": "sk-up"})
    version = ConfigurationVersion.current()
    seeded = seed_embedded({"OPENAI_API_KEY": "sk-up"})
    assert (seeded.created, seeded.admin_password, seeded.demo_key) == ((), None, None)
    assert ConfigurationVersion.current() == version
    assert Key.objects.count() == 1


def test_a_new_credential_brings_its_provider_and_no_more() -> None:
    seed_embedded({})
    Route.objects.filter(name="mock").delete()
    seeded = seed_embedded({"GROQ_API_KEY": "gsk"})
    assert "provider groq" in seeded.created
    assert all("groq" in label or label.startswith("route ") for label in seeded.created)
    assert not Route.objects.filter(name="mock").exists()


def test_what_a_person_deleted_stays_deleted() -> None:
    seed_embedded({"OPENAI_API_KEY": "sk-up"})
    Provider.objects.all().delete()
    Key.objects.all().delete()
    User.objects.all().delete()
    assert seed_embedded({"OPENAI_API_KEY": "sk-up"}).created == ()


def test_an_empty_database_is_seeded_whatever_the_data_directory_remembers(data_dir: Path) -> None:
    (data_dir / "seeded.json").write_text('["openai"]')
    seed_embedded({"OPENAI_API_KEY": "sk-up"})
    assert Provider.objects.filter(slug="openai").exists()


def test_an_admin_who_is_there_keeps_the_password() -> None:
    User.objects.create_user("admin", "root@acme.test", "the old password")
    assert seed_embedded({}).admin_password is None
    assert User.objects.get(username="admin").check_password("the old password")
    assert Tenant.objects.filter(slug="default").exists()
