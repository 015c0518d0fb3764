import assert from "node:assert/strict";
import OpenAI from "openai-newest";
import { broken, cities, key, kinds, named, origin, parameters, rejected, upstreams, verdict } from "./gateway.mjs";

const client = new OpenAI({ baseURL: `${origin}/v1`, apiKey: key, maxRetries: 0 });
const said = (content) => [{ role: "user", content }];
const tools = [{ type: "function", function: { name: "weather", parameters } }];

for (const kind of kinds) {
  const model = `via-${kind}`;
  const whole = await client.chat.completions.create(
    { model, messages: said("Hello") },
    { headers: named(kind, `node-openai-whole-${kind}`) },
  );
  assert.equal(whole.choices[0].message.content, "You said: Hello");

  const streamed = client.chat.completions.stream(
    { model, messages: said("Hello"), stream_options: { include_usage: true } },
    { headers: named(kind, `node-openai-stream-${kind}`) },
  );
  assert.equal(await streamed.finalContent(), "You said: Hello");
  assert.ok((await streamed.totalUsage()).completion_tokens > 0);

  const headers = named(kind, `node-openai-tools-${kind}`, 2);
  const messages = said("Compare Paris and Rome");
  const runner = client.chat.completions.stream({ model, messages, tools, tool_choice: "required" }, { headers });
  const called = (await runner.finalChatCompletion()).choices[0];
  assert.equal(called.finish_reason, "tool_calls");
  const calls = called.message.tool_calls;
  assert.deepEqual(calls.map((call) => JSON.parse(call.function.arguments).city), cities(kind));
  messages.push({ role: "assistant", tool_calls: calls.map(({ id, type, function: { name, arguments: a } }) => ({ id, type, function: { name, arguments: a } })) });
  for (const call of calls) messages.push({ role: "tool", tool_call_id: call.id, content: "sunny" });
  const answer = await client.chat.completions.create({ model, messages, tools }, { headers });
  assert.ok(verdict(kind, answer.choices[0].message.content), answer.choices[0].message.content);
}

const embedded = await client.embeddings.create({ model: "embed-openai", input: "one" });
assert.deepEqual(embedded.data[0].embedding, [0.5, -0.25, 0.125, 1]);

for (const kind of upstreams) {
  const ask = (text, extra) => client.chat.completions.create({ model: `via-${kind}`, messages: said(text), ...extra });
  const limited = await rejected(ask("Too fast"));
  assert.ok(limited instanceof OpenAI.RateLimitError, String(limited));
  assert.equal(limited.headers.get("retry-after"), "31");
  assert.ok((await rejected(ask("Too long"))) instanceof OpenAI.BadRequestError);
}
for (const model of broken) {
  const stream = await client.chat.completions.create({ model, messages: said("Cut short"), stream: true });
  const cut = await rejected((async () => { for await (const _ of stream); })());
  assert.ok(cut instanceof OpenAI.APIError, `${model}: ${cut}`);
}
const locked = await rejected(client.chat.completions.create({ model: "via-locked", messages: said("Hello") }));
assert.ok(locked instanceof OpenAI.InternalServerError, String(locked));
