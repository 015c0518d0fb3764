// What the scripts share: where the gateway is, which kinds of upstream to ask, and a request id for each call.
export const origin = process.env.GATEWAY_URL;
export const key = process.env.GATEWAY_KEY;
export const kinds = process.env.GATEWAY_KINDS.split(",");
export const upstreams = kinds.filter((kind) => kind !== "mock");
// Routes whose streams are cut, and whose streams end in good order before they are complete.
export const broken = upstreams.flatMap((kind) => [`via-${kind}`, `short-${kind}`]);

// The ids are printed, so that the test can look each call up in the books: kind, id, number of calls.
export function named(kind, id, calls = 1) {
  console.log(JSON.stringify({ kind, id, calls }));
  return { "x-request-id": id };
}

export const cities = (kind) => (kind === "mock" ? ["mock"] : ["Paris", "Rome"]);
export const verdict = (kind, answer) => (kind === "mock" ? answer.includes("sunny") : answer === "Sunny in both.");
export const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };

export async function rejected(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("nothing was refused");
}
