import assert from "node:assert/strict";
import { client, hello } from "./client.mjs";

for (const model of ["mock-small", "remote"]) {
  const { data, response } = await client.chat.completions.create({ model, messages: hello }).withResponse();
  assert.equal(data.choices[0].message.content, "You said: Hello");
  assert.equal(data.choices[0].finish_reason, "stop");
  assert.equal(data.usage.total_tokens, data.usage.prompt_tokens + data.usage.completion_tokens);
  assert.equal(response.headers.get("x-gateway-attempts"), "1");
  assert.ok(Number(response.headers.get("x-gateway-cost-usd")) > 0);
  assert.equal(data._request_id, response.headers.get("x-request-id"));
}

const tools = [
  { type: "function", function: { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } } } } },
];
const called = await client.chat.completions.create({ model: "remote", messages: hello, tools, tool_choice: "required" });
assert.deepEqual(JSON.parse(called.choices[0].message.tool_calls[0].function.arguments), { city: "mock" });

const legacy = await client.completions.create({ model: "mock-small", prompt: "Hello" });
assert.equal(legacy.choices[0].text, "You said: Hello");
