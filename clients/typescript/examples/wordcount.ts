/**
 * Counts the words of files: one task for each file, and one that adds their counts up.
 *
 *     npm ci && npm run build && node dist/examples/wordcount.js FILE...
 *
 * It is caller and worker in one program; in earnest they are two. The gateway is CARAWAY_TARGET's, or localhost:50051.
 */
import { readFile } from "node:fs/promises";
import { call, chord, Client, NonRetryable, TaskFailed, Worker } from "@caraway/client";

const queue = "wordcount-typescript";

async function count(path: string): Promise<number> {
  try {
    const text = await readFile(path, "utf8");
    return text.split(/\s+/).filter((word) => word).length;
  } catch (error) {
    throw new NonRetryable(error); // a further attempt would not find it either
  }
}

const quiet = { debug: () => {}, info: () => {}, warn: console.error, error: console.error };
const client = new Client({ logger: quiet });
const worker = new Worker(client, { queues: [queue] });
worker.register("wordcount.count", count, { softTimeLimit: 10_000, hardTimeLimit: 60_000 });
worker.register("wordcount.add", (counts: number[]) => counts.reduce((sum, each) => sum + each, 0));
const ended = worker.run();

const options = { queue, retry: { maxAttempts: 3 } };
const counts = process.argv.slice(2).map((path) => call<number>("wordcount.count", [path], options));
try {
  const total = await client.run(chord(counts, call<number>("wordcount.add", [], { queue })), { timeout: 60_000 });
  console.log(`${total} words`);
} catch (error) {
  if (!(error instanceof TaskFailed)) {
    throw error;
  }
  console.log(`a task failed: ${error.reason}`);
}
worker.drain();
await ended;
client.close();
