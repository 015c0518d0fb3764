import assert from "node:assert/strict";
import { ApiError, FunctionCallingConfigMode, GoogleGenAI } from "@google/genai";
import { broken, cities, key, kinds, named, origin, parameters, rejected, upstreams, verdict } from "./gateway.mjs";

const said = (text) => [{ role: "user", parts: [{ text }] }];
const tools = [{ functionDeclarations: [{ name: "weather", parametersJsonSchema: parameters }] }];
const toolConfig = { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } };

for (const apiVersion of ["v1", "v1beta"]) {
  const client = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: origin, apiVersion } });
  for (const kind of kinds) {
    const model = `via-${kind}`;
    const id = (what, calls) => ({ headers: named(kind, `node-google-${apiVersion}-${what}-${kind}`, calls) });
    const whole = await client.models.generateContent({ model, contents: "Hello", config: { httpOptions: id("whole") } });
    assert.equal(whole.text, "You said: Hello");
    assert.equal(whole.candidates[0].finishReason, "STOP");

    let text = "";
    const config = { httpOptions: id("stream") };
    for await (const chunk of await client.models.generateContentStream({ model, contents: "Hello", config })) text += chunk.text ?? "";
    assert.equal(text, "You said: Hello");

    const httpOptions = id("tools", 2);
    const contents = said("Compare Paris and Rome");
    const called = await client.models.generateContent({ model, contents, config: { httpOptions, tools, toolConfig } });
    assert.deepEqual(called.functionCalls.map((call) => call.args.city), cities(kind));
    contents.push(called.candidates[0].content);
    const results = called.functionCalls.map(({ id: callId, name }) => ({ functionResponse: { id: callId, name, response: { result: "sunny" } } }));
    contents.push({ role: "user", parts: results });
    const answer = await client.models.generateContent({ model, contents, config: { httpOptions, tools } });
    assert.ok(verdict(kind, answer.text), answer.text);
  }

  const counted = await client.models.countTokens({ model: "via-openai", contents: "Hello" });
  assert.ok(counted.totalTokens > 0);
  const embedded = await client.models.embedContent({ model: "embed-openai", contents: ["one"] });
  assert.deepEqual(embedded.embeddings[0].values, [0.5, -0.25, 0.125, 1]);

  for (const kind of upstreams) {
    const ask = (contents) => client.models.generateContent({ model: `via-${kind}`, contents });
    const limited = await rejected(ask("Too fast"));
    assert.ok(limited instanceof ApiError, String(limited));
    assert.equal(limited.status, 429);
    assert.match(limited.message, /RESOURCE_EXHAUSTED/);
    assert.equal((await rejected(ask("Too long"))).status, 400);
  }
  for (const model of broken) {
    const read = async () => {
      for await (const _ of await client.models.generateContentStream({ model, contents: "Cut short" }));
    };
    const cut = await rejected(read());
    assert.ok(cut instanceof ApiError || /error/i.test(cut.message), `${model}: ${cut}`);
  }
  assert.equal((await rejected(client.models.generateContent({ model: "via-locked", contents: "Hello" }))).status, 502);
}
