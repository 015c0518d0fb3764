import assert from "node:assert/strict";
import OpenAI from "openai";
import { client, hello, rejected } from "./client.mjs";

const ask = (body, options) => client.chat.completions.create({ model: "mock-small", messages: hello, ...body }, options);

const stranger = client.withOptions({ apiKey: "sk-gw-of-nobody" });
const unknown = await rejected(stranger.chat.completions.create({ model: "mock-small", messages: hello }));
assert.ok(unknown instanceof OpenAI.AuthenticationError);
assert.equal(unknown.code, "invalid_api_key");
assert.ok(unknown.requestID);

const missing = await rejected(ask({ model: "gpt-nothing" }));
assert.ok(missing instanceof OpenAI.NotFoundError);
assert.match(missing.message, /gpt-nothing/);

const bad = await rejected(ask({ temperature: "hot" }));
assert.ok(bad instanceof OpenAI.BadRequestError);
assert.equal(bad.param, "temperature");

const limited = await rejected(ask({ messages: [{ role: "user", content: "[[mock status=429 retry_after=31]]" }] }));
assert.ok(limited instanceof OpenAI.RateLimitError);
assert.equal(limited.headers.get("retry-after"), "31");

for (const fault of ["error_event", "cut", "no_done"]) {
  const content = `[[mock fault=${fault} cut_after=3 tokens=9]]`;
  const broken = await ask({ model: "remote", messages: [{ role: "user", content }], stream: true });
  let text = "";
  const error = await rejected(
    (async () => {
      for await (const chunk of broken) text += chunk.choices[0].delta.content ?? "";
    })(),
  );
  assert.ok(error instanceof OpenAI.APIError, String(error));
  assert.equal(text, "the quick");
}

const { response } = await ask({}, { headers: { "x-request-id": "from-node.1" } }).withResponse();
assert.equal(response.headers.get("x-request-id"), "from-node.1");
