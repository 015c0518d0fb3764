"""The table of responses is looked at by id and by its time."""

import pytest
from django.db import connection

from gateway.models import StoredResponse


@pytest.mark.django_db
def test_what_is_over_is_found_by_an_index() -> None:
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, StoredResponse._meta.db_table)
    indexed = [found["columns"] for found in constraints.values() if found["index"] or found["primary_key"]]
    assert ["expires_at"] in indexed
    assert ["id"] in indexed
