// The client every script uses: address and key come from the environment, and nothing is retried.
import OpenAI from "openai";

export const client = new OpenAI({
  baseURL: process.env.GATEWAY_URL,
  apiKey: process.env.GATEWAY_KEY,
  maxRetries: 0,
});
export const hello = [{ role: "user", content: "Hello" }];

export async function rejected(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("nothing was refused");
}
