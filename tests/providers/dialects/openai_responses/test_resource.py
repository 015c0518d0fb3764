"""A resource that has begun has every key, with what was asked or the usual value."""

import json

import msgspec
import pytest

from providers.dialects.openai_responses.resource import resource_of, served_tier
from tests.providers.dialects.openai_responses.answers import ASKED
from tests.providers.dialects.openai_responses.official import REQUIRED, check_response


def test_a_resource_that_has_begun() -> None:
    fields = json.loads(msgspec.json.encode(resource_of(ASKED, model="")))
    assert check_response(fields).status == "in_progress"
    assert fields.keys() == REQUIRED
    assert (fields["model"], fields["tool_choice"], fields["truncation"]) == ("m", "auto", "disabled")


@pytest.mark.parametrize(("tier", "told"), [("flex", "flex"), ("standard", "default"), ("", "default")])
def test_tiers_of_other_vendors_are_the_usual_one(tier: str, told: str) -> None:
    assert served_tier(tier) == told
