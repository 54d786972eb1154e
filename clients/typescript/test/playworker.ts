/** The worker of tests/clients/test_typescript.py: playworker QUEUE. The gateway is CARAWAY_TARGET's. */
import { existsSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, currentAttempt, Worker } from "@caraway/client";

/** Says by a file that it has started, and waits for another one. */
async function hold(started: string, release: string): Promise<number> {
  writeFileSync(started, "");
  const { signal, delivery } = currentAttempt();
  while (!existsSync(release)) {
    await sleep(5, undefined, { signal });
  }
  return delivery;
}

type Integer = number | bigint;

const worker = new Worker(new Client(), { queues: [process.argv[2]], concurrency: 2 });
worker.register("ts.add", (x: Integer, y: Integer) => BigInt(x) + BigInt(y), { params: ["x", "y"] });
worker.register("ts.echo", (value: unknown) => value);
worker.register("ts.hold", hold);
await worker.runUntilSignal();
process.exit(0);
