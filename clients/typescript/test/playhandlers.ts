/** Handlers that the tests run in threads; some of them compute without letting their loop turn. */
import { existsSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { context, trace } from "@opentelemetry/api";
import { call, chain, Client, currentAttempt, Handlers, Replace, Retry, TaskStopped } from "@caraway/client";
import { add, hold, spin } from "./hold.js";
import { propagation } from "./tracing.js";

/** While this file is there, the module can't be loaded. */
const broken = new URL(import.meta.url).searchParams.get("broken");
if (broken && existsSync(broken)) {
  throw new Error("it is broken");
}

const client = new Client({ propagation });

/** Computes for ever, at its first delivery. */
function stuck(path: string): number {
  return currentAttempt().delivery > 1 ? currentAttempt().delivery : spin(Infinity, path);
}

/** Takes more and more memory, at its first delivery. */
function hoard(): number {
  const { delivery } = currentAttempt();
  for (const held: number[][] = []; delivery === 1;) {
    held.push(Array.from({ length: 10_000 }, (_, n) => n + 0.5));
  }
  return delivery;
}

/** Computes until it is stopped. Tells by its progress that it has begun. */
function obey(): never {
  const attempt = currentAttempt();
  attempt.progress("begun", "OBEYING");
  for (;;) {
    attempt.throwIfStopped();
  }
}

/** Waits until it is stopped. */
async function wait(): Promise<void> {
  const attempt = currentAttempt();
  attempt.progress("begun", "WAITING");
  await sleep(600_000, undefined, { signal: attempt.signal }).catch((error: Error) => {
    throw error.cause instanceof TaskStopped ? error.cause : error;
  });
}

/** Ends its thread, at its first delivery; first it breaks the module, if it can be. */
function exit(): number {
  const { delivery } = currentAttempt();
  if (delivery === 1) {
    if (broken) {
      writeFileSync(broken, "");
    }
    process.exit(3);
  }
  return delivery;
}

export default new Handlers({ propagation })
  .register("threads.add", add, { params: ["x", "y"] })
  .register("threads.hold", hold)
  .register("threads.sum", (numbers: number[]) => numbers.reduce((sum, each) => sum + each, 0))
  .register("threads.echo", (value: unknown) => value)
  .register("threads.spin", spin)
  .register("threads.stuck", stuck)
  .register("threads.bounded", () => spin(600_000), { hardTimeLimit: 300 })
  .register("threads.obey", obey)
  .register("threads.wait", wait)
  .register("threads.exit", exit)
  .register("threads.hoard", hoard)
  .register("threads.leave", () => void setImmediate(() => process.exit(4)))
  .register("threads.fail", (message: string) => Promise.reject(new RangeError(message, { cause: new Error("below") })))
  .register("threads.retry", () => {
    const { number } = currentAttempt();
    if (number < 3) {
      throw new Retry({ delay: 1 });
    }
    return number;
  })
  .register("threads.replaced", (queue: string) => {
    throw new Replace(chain(call("threads.add", [1, 2], { queue }), call("threads.add", [4], { queue })));
  })
  .register("threads.parent", async (queue: string) => (await client.submit(call("threads.add", [1, 1], { queue }))).id)
  .register("threads.trace", () => trace.getSpanContext(context.active())?.traceId ?? null)
  .register("threads.stamps", () => currentAttempt().stamps);
