import assert from "node:assert/strict";
import { client } from "./client.mjs";

const asked = { model: "mock-embedding", input: ["one", "two"], dimensions: 8 };
const plain = await client.embeddings.create({ ...asked, encoding_format: "float" });
const usual = await client.embeddings.create(asked); // the client asks for base64 and decodes it, blindly
assert.deepEqual(usual.data.map((item) => item.embedding), plain.data.map((item) => item.embedding));
assert.deepEqual(usual.data.map((item) => item.embedding.length), [8, 8]);

const names = [];
for await (const model of client.models.list()) names.push(model.id);
assert.ok(names.includes("mock-embedding") && names.includes("usual"));
assert.equal((await client.models.retrieve("remote")).id, "remote");
