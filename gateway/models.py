"""What the front door itself keeps: responses that a later turn goes on from.

A row is written once and never changed. It outlives the key that made it and is gone after its time
(`gateway.responses.rows.expire_responses`).
"""

from typing import ClassVar

from django.db import models


class StoredResponse(models.Model):
    """One turn: the items that were given in it, and the response. `provider` is set where that keeps it as well."""

    id = models.CharField(max_length=128, primary_key=True)
    tenant_id = models.BigIntegerField()
    key_id = models.BigIntegerField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    previous_id = models.CharField(max_length=128, blank=True, help_text="The response that this one goes on from.")
    input = models.TextField(help_text="The items given in this turn, a JSON list.")
    response = models.TextField(help_text="The response, a JSON object.")
    provider = models.CharField(max_length=64, blank=True, help_text="The provider that keeps the response itself.")
    upstream_id = models.CharField(max_length=128, blank=True, help_text="The response's id there.")

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return self.id
