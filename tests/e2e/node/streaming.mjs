import assert from "node:assert/strict";
import { client, hello } from "./client.mjs";

for (const model of ["mock-small", "remote"]) {
  const plain = [];
  for await (const chunk of await client.chat.completions.create({ model, messages: hello, stream: true })) plain.push(chunk);
  assert.equal(plain.map((chunk) => chunk.choices[0].delta.content ?? "").join(""), "You said: Hello");
  assert.ok(plain.every((chunk) => chunk.choices.length === 1 && !chunk.usage));

  const stream_options = { include_usage: true };
  const counted = [];
  for await (const chunk of await client.chat.completions.create({ model, messages: hello, stream: true, stream_options })) {
    counted.push(chunk);
  }
  const last = counted.at(-1);
  assert.deepEqual(last.choices, []);
  assert.equal(last.usage.completion_tokens, 3);
  assert.ok(last.usage.cost > 0);
}

const tools = [
  { type: "function", function: { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } } } } },
];
const runner = client.chat.completions.stream({ model: "remote", messages: hello, tools, tool_choice: "required" });
const final = await runner.finalChatCompletion();
assert.equal(final.choices[0].message.tool_calls[0].function.name, "weather");
assert.deepEqual(JSON.parse(final.choices[0].message.tool_calls[0].function.arguments), { city: "mock" });

const legacy = [];
for await (const chunk of await client.completions.create({ model: "remote", prompt: "Hello", stream: true })) legacy.push(chunk);
assert.equal(legacy.map((chunk) => chunk.choices[0].text).join(""), "You said: Hello");
