/** A task to be run: its name, its arguments, its options. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromDate, type Duration } from "@bufbuild/protobuf/wkt";
import { v7 } from "uuid";
import { currentAttempt } from "./attempt.js";
import type { Compression } from "./compression.js";
import { InvalidOption } from "./errors.js";
import { TaskSpec_AckMode, type TaskSpecSchema, Uniqueness_OnConflict } from "./gen/caraway/v1/task_pb.js";
import type { Propagation } from "./gateway.js";
import { argumentsPayload } from "./payload.js";

/** When a failed attempt is tried again. What is left out is the gateway's default. Times are in milliseconds. */
export interface RetryPolicy {
  /** Attempts in all; -1 is for ever; 1 by default. */
  maxAttempts?: number;
  /** Before the second attempt; 1,000 by default. */
  initialBackoff?: number;
  /** 600,000 by default. */
  maxBackoff?: number;
  /** From one wait to the next; 2 by default. */
  backoffMultiplier?: number;
  /** Part of each wait that is drawn by chance, 0 to 1. */
  jitterRatio?: number;
  /** When not empty, only errors of these types. */
  retryOn?: string[];
  /** Never errors of these types. */
  neverRetryOn?: string[];
}

/** At most one task of a key. */
export interface Unique {
  /** One space for all tasks. */
  key: string;
  /** How long the key is held from acceptance, in milliseconds; by default until the task has ended. */
  window?: number;
  /** `reject` (the default) fails by UniqueConflict; `return-existing` gives the other task; `replace` revokes it. */
  onConflict?: "reject" | "return-existing" | "replace";
}

/** A stamp's value. */
export type Label = string | number | boolean;

/** How a task is to be run. Times are in milliseconds. */
export interface CallOptions {
  /** Its id, which is its idempotency key: the same id with the same call is one task. A new UUIDv7 by default. */
  id?: string;
  /** Arguments by name. */
  kwargs?: Record<string, unknown>;
  /** Where it waits: "default" by default. */
  queue?: string;
  /** 0 to 9, higher first; 4 by default. */
  priority?: number;
  /** Starts it that much later, by the gateway's clock. Excludes `startAt`. */
  delay?: number;
  /** Starts it not before this instant. */
  startAt?: Date;
  /** Ends it as EXPIRED when it has not started within this time. Excludes `expireAt`. */
  ttl?: number;
  /** Ends it as EXPIRED when it has not started by this instant. */
  expireAt?: Date;
  /** When failed attempts are tried again. By default there is one attempt. */
  retry?: RetryPolicy;
  /** After this an attempt is told (its signal). */
  softTimeLimit?: number;
  /** After this an attempt has failed. */
  hardTimeLimit?: number;
  /** Keeps a second task of the same key away. */
  unique?: Unique;
  /** Handed to the worker unread. */
  headers?: Record<string, string>;
  /** Labels, to find it by. */
  stamps?: Record<string, Label[]>;
  /** Keeps of a success the state only. */
  ignoreResult?: boolean;
  /** How long the ended task can be read: a day by default. */
  resultTtl?: number;
  /** Never runs again once it has started (true), or whenever its worker is lost (false); by default as its worker says. */
  atMostOnce?: boolean;
  /** Compresses the arguments, where that makes them smaller. */
  compression?: Compression;
  /** What lists and logs show instead of the arguments by position. */
  argsRepr?: string;
  /** What lists and logs show instead of the arguments by name. */
  kwargsRepr?: string;
}

/** Headers that tie tasks together. */
export const rootHeader = "caraway-root-id";
export const parentHeader = "caraway-parent-id";
export const groupHeader = "caraway-group-id";

export function newId(): string {
  return v7();
}

export type SpecInit = MessageInitShape<typeof TaskSpecSchema> & { taskId: string; headers: Record<string, string> };

const conflicts = {
  reject: Uniqueness_OnConflict.REJECT,
  "return-existing": Uniqueness_OnConflict.RETURN_EXISTING,
  replace: Uniqueness_OnConflict.REPLACE,
};

/** Compiles a call to the contract's TaskSpec. */
export function specOf(
  name: string,
  args: readonly unknown[],
  options: CallOptions,
  propagation: Propagation | undefined,
): SpecInit {
  check(name, options);
  const running = currentAttempt(false);
  const headers = { ...options.headers };
  if (running) {
    headers[rootHeader] = running.rootId;
    headers[parentHeader] = running.id;
  }
  propagation?.inject(headers);
  const { softTimeLimit, hardTimeLimit, unique, retry } = options;
  return {
    taskId: options.id || newId(),
    name,
    payload: argumentsPayload(args, options.kwargs ?? {}, options.compression),
    queue: options.queue ?? "",
    priority: options.priority,
    start: startOf(options),
    expiration: expirationOf(options),
    headers,
    stamps: stampsOf(options.stamps ?? {}),
    ignoreResult: options.ignoreResult ?? false,
    resultTtl: duration(options.resultTtl),
    ackMode: ackModeOf(options.atMostOnce),
    argsRepr: options.argsRepr ?? "",
    kwargsRepr: options.kwargsRepr ?? "",
    parentTaskId: running?.id ?? "",
    ...((softTimeLimit || hardTimeLimit) && {
      timeLimits: { soft: duration(softTimeLimit || undefined), hard: duration(hardTimeLimit || undefined) },
    }),
    ...(retry && { retryPolicy: policyOf(retry) }),
    ...(unique && {
      uniqueness: { key: unique.key, window: duration(unique.window), onConflict: conflicts[unique.onConflict ?? "reject"] },
    }),
  };
}

function duration(milliseconds: number | undefined): Duration | undefined {
  return milliseconds === undefined ? undefined : durationFromMs(Math.round(milliseconds));
}

function startOf({ delay, startAt }: CallOptions): SpecInit["start"] {
  if (delay !== undefined) {
    return { case: "delay", value: durationFromMs(Math.round(delay)) };
  }
  return startAt && { case: "scheduleTime", value: timestampFromDate(startAt) };
}

function expirationOf({ ttl, expireAt }: CallOptions): SpecInit["expiration"] {
  if (ttl !== undefined) {
    return { case: "ttl", value: durationFromMs(Math.max(1, Math.round(ttl))) };
  }
  return expireAt && { case: "expireTime", value: timestampFromDate(expireAt) };
}

function policyOf(retry: RetryPolicy): SpecInit["retryPolicy"] {
  return {
    maxAttempts: retry.maxAttempts ?? 0,
    initialBackoff: duration(retry.initialBackoff),
    maxBackoff: duration(retry.maxBackoff),
    backoffMultiplier: retry.backoffMultiplier ?? 0,
    jitterRatio: retry.jitterRatio ?? 0,
    retryableErrorTypes: retry.retryOn ?? [],
    nonRetryableErrorTypes: retry.neverRetryOn ?? [],
  };
}

function ackModeOf(atMostOnce: boolean | undefined): TaskSpec_AckMode {
  if (atMostOnce === undefined) {
    return TaskSpec_AckMode.UNSPECIFIED;
  }
  return atMostOnce ? TaskSpec_AckMode.ON_START : TaskSpec_AckMode.ON_FINISH;
}

/** A stamp's values, as protobuf's ListValue. */
export function stampsOf(stamps: Record<string, Label[]>): SpecInit["stamps"] {
  const kind = (value: Label) => {
    switch (typeof value) {
      case "string":
        return { case: "stringValue" as const, value };
      case "number":
        return { case: "numberValue" as const, value };
      default:
        return { case: "boolValue" as const, value };
    }
  };
  return Object.fromEntries(
    Object.entries(stamps).map(([name, values]) => [name, { values: values.map((value) => ({ kind: kind(value) })) }]),
  ) as unknown as SpecInit["stamps"];
}

function check(name: string, options: CallOptions): void {
  if (!name) {
    throw new InvalidOption("a call names its task");
  }
  const { priority } = options;
  if (priority !== undefined && !(Number.isInteger(priority) && priority >= 0 && priority <= 9)) {
    throw new InvalidOption(`a priority is 0 to 9, not ${priority}`);
  }
  const times = ["delay", "softTimeLimit", "hardTimeLimit"] as const;
  const positive = ["ttl", "resultTtl"] as const;
  for (const field of [...times, ...positive]) {
    const value = options[field];
    const least = (positive as readonly string[]).includes(field) ? Number.MIN_VALUE : 0;
    if (value !== undefined && !(value >= least && Number.isFinite(value))) {
      throw new InvalidOption(
        `${field} is a number of milliseconds, ${least === 0 ? "not negative" : "above 0"}, not ${value}`,
      );
    }
  }
  if (options.delay !== undefined && options.startAt !== undefined) {
    throw new InvalidOption("delay and startAt exclude each other");
  }
  if (options.ttl !== undefined && options.expireAt !== undefined) {
    throw new InvalidOption("ttl and expireAt exclude each other");
  }
  if (options.unique && !options.unique.key) {
    throw new InvalidOption("a unique task has a key");
  }
  checkPolicy(options.retry ?? {});
}

function checkPolicy({ maxAttempts, initialBackoff = 0, maxBackoff = 0, jitterRatio = 0 }: RetryPolicy): void {
  if (!(initialBackoff >= 0) || !(maxBackoff >= 0) || !(jitterRatio >= 0 && jitterRatio <= 1)) {
    throw new InvalidOption("a retry policy has waits that are not negative, and a jitterRatio of 0 to 1");
  }
  if (maxAttempts !== undefined && !Number.isInteger(maxAttempts)) {
    throw new InvalidOption(`maxAttempts is a whole number, not ${maxAttempts}`);
  }
}
