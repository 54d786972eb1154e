/**
 * What `make bench` reports of this client: client.js unary|batch|drain COUNT. Prints one line of JSON. The gateway is
 * CARAWAY_TARGET's.
 */
import { call, Client, Worker } from "@caraway/client";

const queue = "bench-typescript";
const inFlight = 64;
const producers = 4; // each sends one message after the other
const noop = call("bench.noop", [], { queue });
const client = new Client({ logger: { debug: () => {}, info: () => {}, warn: console.error, error: console.error } });

/** Runs callers side by side. */
async function side(callers: number, call: (caller: number) => Promise<unknown>): Promise<void> {
  await Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)));
}

async function unary(count: number): Promise<void> {
  let left = count;
  await side(inFlight, async () => {
    while (left-- > 0) {
      await client.submit(noop);
    }
  });
}

function* many(count: number) {
  for (let n = 0; n < count; n++) {
    yield noop;
  }
}

async function batch(count: number): Promise<void> {
  await side(producers, (producer) => client.submitMany(many(Math.floor((count + producer) / producers))));
}

async function drain(count: number): Promise<void> {
  const worker = new Worker(client, { queues: [queue], concurrency: 64 });
  let left = count;
  const done = new Promise<void>((resolve) => {
    worker.register("bench.noop", () => --left === 0 && resolve());
  });
  const ended = worker.run();
  await done;
  worker.drain();
  await ended;
}

const operations: Record<string, (count: number) => Promise<void>> = { unary, batch, drain };
const [name, text] = process.argv.slice(2);
const count = Number(text);
if (!(name in operations) || !(count > 0)) {
  console.error("usage: client.js unary|batch|drain COUNT");
  process.exit(2);
}
if (name === "drain") {
  await batch(count);
}
const began = performance.now();
await operations[name](count);
const seconds = (performance.now() - began) / 1000;
console.log(JSON.stringify({ count, seconds, per_second: count / seconds }));
client.close();
