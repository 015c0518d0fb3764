"""From a request's bytes to a call: what it asks for, of which route, and what its provider may hear of it."""

from collections.abc import Callable

import pytest

from gateway.hearing import hear
from gateway.plane import DataPlane
from kernel.errors import InvalidRequest, PermissionRefused, RouteUnknown
from providers.dialects import doors
from tests.builders import CHAT, caller, incoming

MakePlane = Callable[..., DataPlane]


def test_a_call_has_its_route_and_its_head(make_plane: MakePlane) -> None:
    call = hear(make_plane(), caller(), doors.CHAT, incoming(CHAT), "req_1", started_ns=5)
    assert (call.route.name, call.head.model, call.operation.value, call.started_ns) == ("m", "m", "chat", 5)
    assert call.body == incoming(CHAT).body


def test_a_vendors_own_headers_travel_and_the_key_does_not(make_plane: MakePlane) -> None:
    asked = incoming(CHAT | {"max_tokens": 9}, anthropic_beta="x", x_api_key="k")
    call = hear(make_plane(), caller(), doors.MESSAGES, asked, "req_1")
    assert call.said.headers == ((b"anthropic-beta", b"x"),)


def test_counting_tokens_reserves_none(make_plane: MakePlane) -> None:
    call = hear(make_plane(), caller(), doors.COUNT_MESSAGES, incoming(CHAT), "req_1")
    assert (call.head.input_tokens_most, call.head.max_output_tokens) == (0, 0)


def test_what_can_not_be_asked_for(make_plane: MakePlane) -> None:
    plane = make_plane()
    with pytest.raises(InvalidRequest):
        hear(plane, caller(), doors.CHAT, incoming({"model": "m"}), "req_1")
    with pytest.raises(RouteUnknown):
        hear(plane, caller(), doors.CHAT, incoming(CHAT | {"model": "no"}), "req_1")
    with pytest.raises(PermissionRefused):
        hear(plane, caller(allowed_routes=("other",)), doors.CHAT, incoming(CHAT), "req_1")
