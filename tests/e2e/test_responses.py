"""The Responses API as OpenAI's own client uses it, over a model whose provider only speaks chat."""

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.types.responses import Response, ResponseItem
from pydantic import BaseModel
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.services.gateway import Gateway
from tests.services.upstreams import ScriptedUpstream
from tests.services.waiting import eventually

# The client opens its sockets as websockets 17.1 likes no more.
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.filterwarnings("ignore:connect.. must be used as a context:DeprecationWarning"),
]
MODEL = "mock-small"
ENDLESS = "[[mock tokens=2000 pace_ms=20]]"
WEATHER: Any = {
    "type": "function",
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}


@pytest.fixture
def client(gateway: Gateway) -> Iterator[openai.OpenAI]:
    """The client, as strict about answers as it can be."""
    with gateway.openai(_strict_response_validation=True) as made:
        yield made


def text_of(item: ResponseItem) -> str:
    """Return what a user's message says."""
    assert item.type == "message"
    part = item.content[0]
    assert part.type == "input_text"
    return part.text


def test_create_and_get_and_delete(client: openai.OpenAI) -> None:
    made = client.responses.create(model=MODEL, input="Hello")
    assert (made.status, made.output_text) == ("completed", "You said: Hello")
    assert client.responses.retrieve(made.id) == made
    [item] = client.responses.input_items.list(made.id).data
    assert text_of(item) == "Hello"
    client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)


def test_stream(client: openai.OpenAI) -> None:
    events = list(client.responses.create(model=MODEL, input="Hello", stream=True))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == "You said: Hello"
    last = events[-1]
    assert last.type == "response.completed"
    assert client.responses.retrieve(last.response.id).output_text == "You said: Hello"


def test_stream_helper(client: openai.OpenAI) -> None:
    with client.responses.stream(model=MODEL, input="Hello") as stream:
        assert [event.type for event in stream][-1] == "response.completed"
        final = stream.get_final_response()
    assert final.output_text == "You said: Hello"


def test_parse(client: openai.OpenAI, scripted: ScriptedUpstream) -> None:
    class Place(BaseModel):
        city: str

    message = {"role": "assistant", "content": '{"city":"Rome"}'}
    chat = {"choices": [{"index": 0, "finish_reason": "stop", "message": message}]}
    scripted.answering(lambda peer: peer.answer(json.dumps(chat).encode()))
    parsed = client.responses.parse(model="scripted", input="Where?", text_format=Place)
    assert parsed.output_parsed == Place(city="Rome")
    assert json.loads(scripted.peers[0].body)["response_format"]["type"] == "json_schema"


def test_tools_loop(client: openai.OpenAI) -> None:
    asked = client.responses.create(model=MODEL, input="Weather?", tools=[WEATHER], tool_choice="required")
    [call] = [item for item in asked.output if item.type == "function_call"]
    assert (call.name, json.loads(call.arguments)) == ("weather", {"city": "mock"})
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    answered = client.responses.create(model=MODEL, input=[result], previous_response_id=asked.id, tools=[WEATHER])
    assert answered.status == "completed"
    assert answered.previous_response_id == asked.id


def test_conversation_over_every_worker(cluster: Gateway) -> None:
    with cluster.openai() as client:
        last: Response | None = None
        for number in range(6):
            earlier = last.id if last is not None else None
            last = client.responses.create(model=MODEL, input=f"turn {number}", previous_response_id=earlier)
        assert last is not None
        counted = client.responses.input_tokens.count(model=MODEL, input="x", previous_response_id=last.id)
        assert counted.input_tokens > client.responses.input_tokens.count(model=MODEL, input="x").input_tokens + 20


def test_another_tenant_knows_nothing_of_it(gateway: Gateway, client: openai.OpenAI) -> None:
    made = client.responses.create(model=MODEL, input="Hello")
    with gateway.openai("foreign") as other:
        with pytest.raises(openai.NotFoundError):
            other.responses.retrieve(made.id)
        with pytest.raises(openai.BadRequestError) as refused:
            other.responses.create(model=MODEL, input="Hello", previous_response_id=made.id)
    assert refused.value.code == "previous_response_not_found"


def test_cancel_is_for_the_background(client: openai.OpenAI) -> None:
    made = client.responses.create(model=MODEL, input="Hello")
    with pytest.raises(openai.BadRequestError):
        client.responses.cancel(made.id)
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(model=MODEL, input="Hello", background=True)
    assert refused.value.param == "background"


def test_pages_of_input_items(client: openai.OpenAI) -> None:
    items: Any = [{"role": "user", "content": f"item {number}"} for number in range(5)]
    made = client.responses.create(model=MODEL, input=items)
    listed = list(client.responses.input_items.list(made.id, limit=2, order="asc"))
    assert [text_of(item) for item in listed] == [f"item {number}" for number in range(5)]


def test_compact_and_go_on(client: openai.OpenAI) -> None:
    made = client.responses.create(model=MODEL, input="Hello")
    compacted = client.responses.compact(model=MODEL, previous_response_id=made.id)
    assert compacted.object == "response.compaction"
    items: Any = [item.model_dump(exclude_none=True) for item in compacted.output]
    answered = client.responses.create(model=MODEL, input=[*items, {"role": "user", "content": "And?"}])
    assert answered.status == "completed"


# The socket


def ended(connection: Any) -> Any:
    """Return the event that ends a turn."""
    for event in connection:
        if event.type in ("response.completed", "response.incomplete", "response.failed", "error"):
            return event
    raise AssertionError("the socket ended first")


def close_code(connection: Any) -> int | None:
    """Return the code that a socket ends with."""
    while True:
        try:
            connection.recv()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd is not None else None


def test_turns_over_a_socket(client: openai.OpenAI) -> None:
    with client.responses.connect() as connection:
        connection.response.create(model=MODEL, input="Hello", store=False)
        first = ended(connection).response
        assert first.output_text == "You said: Hello"
        connection.response.create(model=MODEL, input="More", store=False, previous_response_id=first.id)
        second = ended(connection).response
        assert second.usage.input_tokens > first.usage.input_tokens
        connection.response.create(model=MODEL, input="More", previous_response_id=second.id)
        third = ended(connection).response
    assert client.responses.retrieve(third.id).output_text == third.output_text
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)


def test_errors_over_a_socket(client: openai.OpenAI) -> None:
    with client.responses.connect() as connection:
        connection.response.create(model=MODEL, input="Hello", previous_response_id="resp_none")
        failed = ended(connection)
        assert (failed.type, failed.status, failed.error.code) == ("error", 400, "previous_response_not_found")
        connection.response.create(model=MODEL, input="Hello", stream_id="lane")
        assert ended(connection).stream_id == "lane"


def test_a_socket_needs_a_key(gateway: Gateway) -> None:
    with (
        openai.OpenAI(base_url=f"{gateway.base_url}/v1", api_key="sk-nobody", max_retries=0) as nobody,
        pytest.raises(InvalidStatus) as refused,
        nobody.responses.connect(),
    ):
        pass
    assert refused.value.response.status_code == 401


def test_a_key_revoked_between_turns(gateway: Gateway) -> None:
    secret = "sk-gw-test-socket-0123456789abcdef"
    gateway.shell(
        "from tenants.models import Tenant; from tenants.keys import issue; "
        f"issue(tenant=Tenant.objects.get(slug='acme'), name='socket', secret='{secret}')"
    )
    url = f"{gateway.base_url}/v1"
    with openai.OpenAI(base_url=url, api_key=secret) as own, own.responses.connect() as connection:
        connection.response.create(model=MODEL, input="Hello")
        assert ended(connection).type == "response.completed"
        gateway.shell(
            "from tenants.models import Key; from tenants.keys import revoke; revoke(Key.objects.get(name='socket'))"
        )

        def refusal() -> Any:
            connection.response.create(model=MODEL, input="Hello")
            return event if (event := ended(connection)).type == "error" else None

        assert eventually(refusal).error.code == "revoked_api_key"
        assert close_code(connection) == 4401


def test_stopping_the_gateway_ends_sockets_and_settles(config: dict[str, Any], tmp_path: Any) -> None:
    with Gateway(tmp_path, config=config) as gateway, gateway.openai() as client:
        with client.responses.connect() as connection:
            connection.response.create(model=MODEL, input=ENDLESS)
            assert connection.recv().type == "response.created"
            gateway.stop()
            assert close_code(connection) == 1012
        (line,) = [line for line in gateway.lines if line.get("route") == MODEL]
        (row,) = gateway.records_now(line["request_id"])
        assert (row["ending"], row["operation"]) == ("cancelled", "chat")
