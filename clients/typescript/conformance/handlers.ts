/** The handlers that every language has, for a worker's own loop and for its threads. */
import { setTimeout as sleep } from "node:timers/promises";
import { currentAttempt, Ignore, NonRetryable, Reject, Retry, SoftTimeLimitExceeded } from "@caraway/client";
import type { HandlerFunction, HandlerOptions } from "@caraway/client";
import { ms, say } from "./lines.js";

/** What a release of a task in a worker resolves. */
export class Holds {
  private readonly known = new Map<string, PromiseWithResolvers>();

  of(worker: string, task: string): PromiseWithResolvers {
    const key = `${worker} ${task}`;
    let hold = this.known.get(key);
    if (!hold) {
      let resolve!: () => void;
      const promise = new Promise<void>((done) => (resolve = done));
      hold = { promise, resolve };
      this.known.set(key, hold);
    }
    return hold;
  }
}

interface PromiseWithResolvers {
  promise: Promise<void>;
  resolve: () => void;
}

/** What a handler fails by. */
class PlayedError extends Error {}

function played(message: string): PlayedError {
  return new PlayedError(message);
}

/** The channel on which threads learn of releases, of a worker and a task that it holds. */
export const releases = "releases";
export type Release = [worker: string, task: string];

type Entry = [string, HandlerFunction, HandlerOptions];

/** Those of `chosen`, by default all; `worker` is the name by which notes are told. */
export function handlersOf(worker: string, holds: Holds, chosen?: readonly string[]): Entry[] {
  return Object.entries(all(worker, holds))
    .filter(([name]) => !chosen || chosen.includes(name))
    .map(([name, [run, options]]) => [name, run, options]);
}

function all(worker: string, holds: Holds): Record<string, [HandlerFunction, HandlerOptions]> {
  const note = (what: string) => say({ note: { worker, task_id: currentAttempt().id, what } });
  const released = () => holds.of(worker, currentAttempt().id).promise;

  /** Waits until it is released, or its signal is aborted. */
  async function hold(value: unknown): Promise<unknown> {
    const { signal } = currentAttempt();
    note("started");
    await Promise.race([released(), stopped(signal)]);
    if (signal.aborted) {
      note(signal.reason instanceof SoftTimeLimitExceeded ? "soft_limit" : "cancelled");
      throw signal.reason;
    }
    return value;
  }

  async function stubborn(value: unknown): Promise<unknown> {
    const { signal } = currentAttempt();
    note("started");
    await Promise.race([released(), stopped(signal)]);
    if (signal.aborted) {
      note("cancelled");
      await Promise.race([released(), sleep(60_000, undefined, { ref: false })]); // a case that is over releases it no more
    }
    return value;
  }

  return {
    ...plain,
    mark: [
      () => {
        note("called");
        return null;
      },
      {},
    ],
    hold: [hold, { params: ["value?"] }],
    once: [hold, { params: ["value?"], atMostOnce: true }],
    stubborn: [stubborn, { params: ["value?"] }],
    progress: [
      (detail, state) => {
        currentAttempt().progress(detail, state as string);
        return hold(null);
      },
      { params: ["detail", "custom_state?"] },
    ],
  };
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
    if (signal.aborted) {
      resolve();
    }
  });
}

type Integer = number | bigint;

const plain: Record<string, [HandlerFunction, HandlerOptions]> = {
  echo: [(value = null) => value as unknown, { params: ["value?"] }],
  arguments: [(args: unknown[], kwargs: object) => ({ args, kwargs }), { raw: true }],
  add: [(x: Integer, y: Integer) => BigInt(x) + BigInt(y), { params: ["x", "y"] }],
  total: [(numbers: Integer[]) => numbers.reduce((sum: bigint, number) => sum + BigInt(number), 0n), {}],
  describe: [describe, {}],
  text: [(size: number) => "x".repeat(size), {}],
  unwritable: [() => () => {}, {}],
  fail: [(message) => Promise.reject(played(message as string)), { params: ["message"] }],
  fail_for_good: [(message) => Promise.reject(new NonRetryable(played(message as string))), { params: ["message"] }],
  fail_until: [
    (attempt: number) => {
      const { number } = currentAttempt();
      if (number < attempt) {
        throw played(`attempt ${number}`);
      }
      return number;
    },
    {},
  ],
  retry_until: [
    (attempt: number, delay: number) => {
      const { number } = currentAttempt();
      if (number < attempt) {
        throw new Retry({ delay: ms(Number(delay)), cause: played(`attempt ${number}`) });
      }
      return number;
    },
    { params: ["attempt", "delay"] },
  ],
  crash: [
    (message) => {
      throw message;
    },
    { params: ["message"] },
  ],
  reject: [(reason) => Promise.reject(new Reject(reason as string)), {}],
  ignore: [() => Promise.reject(new Ignore()), {}],
};

function describe(): object {
  const { id, number, delivery, headers, fence } = currentAttempt();
  const own = Object.entries(headers).filter(([key]) => key.startsWith("x-"));
  return { task_id: id, attempt: number, delivery_count: delivery, headers: Object.fromEntries(own), fence };
}
