import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import { broken, cities, key, kinds, named, origin, parameters, rejected, upstreams, verdict } from "./gateway.mjs";

const client = new Anthropic({ baseURL: origin, apiKey: key, maxRetries: 0 });
const said = (content) => [{ role: "user", content }];
const textOf = (message) => message.content.map((block) => block.text ?? "").join("");
const tools = [{ name: "weather", input_schema: parameters }];

for (const kind of kinds) {
  const usual = { model: `via-${kind}`, max_tokens: 100 };
  const whole = await client.messages.create(
    { ...usual, messages: said("Hello") },
    { headers: named(kind, `node-anthropic-whole-${kind}`) },
  );
  assert.equal(textOf(whole), "You said: Hello");
  assert.equal(whole.stop_reason, "end_turn");

  const streamed = client.messages.stream(
    { ...usual, messages: said("Hello") },
    { headers: named(kind, `node-anthropic-stream-${kind}`) },
  );
  const final = await streamed.finalMessage();
  assert.equal(textOf(final), "You said: Hello");
  assert.ok(final.usage.output_tokens > 0);

  const headers = named(kind, `node-anthropic-tools-${kind}`, 2);
  const messages = said("Compare Paris and Rome");
  const called = await client.messages
    .stream({ ...usual, messages, tools, tool_choice: { type: "any" } }, { headers })
    .finalMessage();
  assert.equal(called.stop_reason, "tool_use");
  const uses = called.content.filter((block) => block.type === "tool_use");
  assert.deepEqual(uses.map((use) => use.input.city), cities(kind));
  messages.push({ role: "assistant", content: called.content });
  messages.push({ role: "user", content: uses.map((use) => ({ type: "tool_result", tool_use_id: use.id, content: "sunny" })) });
  const answer = textOf(await client.messages.create({ ...usual, messages, tools }, { headers }));
  assert.ok(verdict(kind, answer), answer);
}

const counted = await client.messages.countTokens({ model: "via-openai", messages: said("Hello") });
assert.ok(counted.input_tokens > 0);
const listed = [];
for await (const model of client.models.list()) listed.push(model.id);
assert.ok(listed.includes("via-anthropic"));

for (const kind of upstreams) {
  const ask = (text) => client.messages.create({ model: `via-${kind}`, max_tokens: 9, messages: said(text) });
  const limited = await rejected(ask("Too fast"));
  assert.ok(limited instanceof Anthropic.RateLimitError, String(limited));
  assert.equal(limited.headers.get("retry-after"), "31");
  assert.ok((await rejected(ask("Too long"))) instanceof Anthropic.BadRequestError);
}
for (const model of broken) {
  const cut = await rejected(client.messages.stream({ model, max_tokens: 9, messages: said("Cut short") }).finalMessage());
  assert.ok(cut instanceof Anthropic.AnthropicError, `${model}: ${cut}`);
}
const locked = await rejected(client.messages.create({ model: "via-locked", max_tokens: 9, messages: said("Hello") }));
assert.ok(locked instanceof Anthropic.InternalServerError, String(locked));
