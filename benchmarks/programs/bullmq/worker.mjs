// BullMQ's task: does nothing but tell when it ran. The one argument is the worker's concurrency.

import { Worker } from "bullmq";
import { connection, name, now } from "./queue.mjs";

const worker = new Worker(name, async () => now(), { connection, concurrency: Number(process.argv[2]) });
await worker.waitUntilReady();
console.log("the worker is ready.");
process.on("SIGTERM", async () => {
  await worker.close();
  process.exit(0);
});
