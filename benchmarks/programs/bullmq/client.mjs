// BullMQ's producer: runs the operation that the command line names, and prints one JSON object.

import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Queue, QueueEvents } from "bullmq";
import { connection, name } from "./queue.mjs";

const WARM_UP = 50;
const CHUNK = 500;
const queue = new Queue(name, { connection });

async function send(values) {
  const sent = [];
  for (let start = 0; start < values.length; start += CHUNK) {
    const jobs = values.slice(start, start + CHUNK).map((value) => ({ name: "noop", data: { value } }));
    sent.push(...(await queue.addBulk(jobs)).map((job) => job.id));
  }
  return sent;
}

const numbers = (count) => Array.from({ length: count }, (_, n) => n);

async function rate(count, submit) {
  await submit(WARM_UP);
  const start = performance.now();
  await submit(count);
  return { per_second: (count / (performance.now() - start)) * 1000 };
}

const operations = {
  // Submit tasks and keep their ids.
  async submit(count, path, value) {
    writeFileSync(path, (await send(numbers(Number(count)).map((n) => value ?? n))).join("\n"));
    return {};
  },

  // Time addBulk().
  submit_many: (count) => rate(Number(count), (number) => send(numbers(number))),

  // Time a loop of add(), each confirmed before the next.
  delay: (count) =>
    rate(Number(count), async (number) => {
      for (let n = 0; n < number; n += 1) await queue.add("noop", { value: n });
    }),

  // Time add() and the wait for its result.
  async delay_get(count) {
    const events = new QueueEvents(name, { connection });
    await events.waitUntilReady();
    const seconds = [];
    for (let n = 0; n < WARM_UP + Number(count); n += 1) {
      const start = performance.now();
      const job = await queue.add("noop", { value: n });
      await job.waitUntilFinished(events, 30_000);
      if (n >= WARM_UP) seconds.push((performance.now() - start) / 1000);
    }
    await events.close();
    return { seconds };
  },

  // Wait for all, read every result; gives the first start and the last end.
  async collect(path) {
    const ids = new Set(readFileSync(path, "utf8").split("\n"));
    const total = ids.size;
    for (const deadline = Date.now() + 300_000; (await queue.getCompletedCount()) < total; await sleep(100)) {
      if (Date.now() > deadline) throw new Error("not all tasks ended");
    }
    let [count, first_start, last_end] = [0, Infinity, 0];
    for (let start = 0; start < total; start += CHUNK) {
      for (const job of await queue.getCompleted(start, start + CHUNK - 1)) {
        if (!ids.delete(job.id)) continue;
        count += 1;
        first_start = Math.min(first_start, job.returnvalue);
        last_end = Math.max(last_end, job.finishedOn / 1000);
      }
    }
    return { count, first_start, last_end };
  },
};

const [operation, ...words] = process.argv.slice(2);
console.log(JSON.stringify(await operations[operation](...words)));
await queue.close();
