import assert from "node:assert/strict";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import { broken, cities, key, kinds, named, origin, rejected, upstreams, verdict } from "./gateway.mjs";

const providers = {
  openai: createOpenAI({ baseURL: `${origin}/v1`, apiKey: key }).chat,
  compatible: createOpenAICompatible({ name: "gateway", baseURL: `${origin}/v1`, apiKey: key, includeUsage: true }),
  anthropic: createAnthropic({ baseURL: `${origin}/v1`, apiKey: key }),
  google: createGoogleGenerativeAI({ baseURL: `${origin}/v1beta`, apiKey: key }),
};
const usual = { maxRetries: 0, onError() {} };

for (const [name, provider] of Object.entries(providers)) {
  for (const kind of kinds) {
    const model = provider(`via-${kind}`);
    const id = (what, calls) => named(kind, `node-ai-${name}-${what}-${kind}`, calls);
    const whole = await generateText({ ...usual, model, prompt: "Hello", headers: id("whole") });
    assert.equal(whole.text, "You said: Hello");
    assert.equal(whole.finishReason, "stop");
    assert.ok(whole.usage.outputTokens > 0);

    const streamed = streamText({ ...usual, model, prompt: "Hello", headers: id("stream") });
    assert.equal(await streamed.text, "You said: Hello");
    assert.ok((await streamed.usage).outputTokens > 0);

    const asked = [];
    const weather = tool({
      description: "The weather in a city",
      inputSchema: z.object({ city: z.string() }),
      execute: async ({ city }) => { asked.push(city); return "sunny"; },
    });
    const looped = streamText({
      ...usual,
      model,
      prompt: "Compare Paris and Rome",
      tools: { weather },
      prepareStep: ({ stepNumber }) => ({ toolChoice: stepNumber === 0 ? "required" : "auto" }),
      stopWhen: stepCountIs(3),
      headers: id("tools", 2),
    });
    const answer = await looped.text;
    assert.deepEqual(asked, cities(kind), `${name} ${kind}`);
    assert.ok(verdict(kind, answer), answer);
  }

  for (const kind of upstreams) {
    const model = provider(`via-${kind}`);
    const limited = await rejected(generateText({ ...usual, model, prompt: "Too fast" }));
    assert.ok(APICallError.isInstance(limited), String(limited));
    assert.equal(limited.statusCode, 429);
    assert.equal(limited.responseHeaders["retry-after"], "31");
    assert.equal((await rejected(generateText({ ...usual, model, prompt: "Too long" }))).statusCode, 400);
  }
  for (const route of broken) {
    const types = [];
    for await (const { type } of streamText({ ...usual, model: provider(route), prompt: "Cut short" }).fullStream) types.push(type);
    assert.ok(types.includes("error"), `${name} ${route}: ${types}`);
  }
  const locked = await rejected(generateText({ ...usual, model: provider("via-locked"), prompt: "Hello" }));
  assert.equal(locked.statusCode, 502);
}
