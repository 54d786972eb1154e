/** What a handler knows of its own run, and what it may throw or be stopped by. */
import { AsyncLocalStorage } from "node:async_hooks";
import { CarawayError } from "./errors.js";
import type { Label } from "./call.js";
import type { Step } from "./workflow.js";

/** The run of a task that a handler belongs to. */
export interface Attempt {
  /** The task's id. */
  readonly id: string;
  readonly name: string;
  readonly queue: string;
  /** Of the attempt, from 1. */
  readonly number: number;
  /** How often the task has been handed out; above `number`, it may have run before. */
  readonly delivery: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Labels that the caller put on the task. */
  readonly stamps: Readonly<Record<string, Label[]>>;
  /** When it was accepted, by the store's clock. */
  readonly createTime: Date;
  /** The first task of those that led to this one; its own id where there is none. */
  readonly rootId: string;
  /**
   * Grows with every delivery of the task, for ever: store it with what the task writes, and refuse a write with a smaller one,
   * which comes from a stale worker.
   */
  readonly fence: bigint;
  /**
   * Aborted when the task's cancellation is asked for ({@link TaskCancelled}), a time limit strikes
   * ({@link SoftTimeLimitExceeded}, {@link HardTimeLimitExceeded}), its lease is lost ({@link LeaseExpired}), or the worker is
   * stopped ({@link WorkerStopped}). The signal's reason tells which.
   */
  readonly signal: AbortSignal;
  /** Tells whoever watches the task how far it is; it replaces the last. `state` is one of the task's own making. */
  progress(detail: unknown, state?: string): void;
  /**
   * Throws the signal's reason if it is aborted. A handler that computes in a thread ({@link WorkerOptions.handlersModule}) calls it
   * from time to time: its signal is not aborted before it awaits something or calls this.
   */
  throwIfStopped(): void;
}

export const running = new AsyncLocalStorage<Attempt>();

/**
 * The attempt whose handler this code belongs to.
 *
 * @throws CarawayError outside of a handler.
 */
export function currentAttempt(): Attempt;
export function currentAttempt(required: false): Attempt | undefined;
export function currentAttempt(required = true): Attempt | undefined {
  const attempt = running.getStore();
  if (!attempt && required) {
    throw new CarawayError("currentAttempt is called outside of a handler");
  }
  return attempt;
}

/** Why a handler's signal was aborted. A handler that gives way rejects with it: `signal.throwIfAborted()`. */
export class TaskStopped extends CarawayError {}

/** The task's cancellation was asked for; `message` has the caller's reason. */
export class TaskCancelled extends TaskStopped {}

/** The soft time limit struck. */
export class SoftTimeLimitExceeded extends TaskStopped {}

/** The hard time limit struck: the task has failed, whatever its handler does. */
export class HardTimeLimitExceeded extends TaskStopped {}

/** The task's lease was lost: it runs elsewhere, or will. */
export class LeaseExpired extends TaskStopped {}

/** The worker stops before the task ended. */
export class WorkerStopped extends TaskStopped {}

/** Thrown by a handler to have the task tried again after a delay, in milliseconds, whatever its retry policy says. */
export class Retry extends CarawayError {
  readonly delay: number;

  constructor({ delay = 0, cause }: { delay?: number; cause?: unknown } = {}) {
    super(cause instanceof Error ? cause.message : "the task asks for its retry", { cause });
    this.delay = Math.max(0, delay);
  }
}

/** Thrown by a handler to have the task fail for good, whatever its retry policy says. */
export class NonRetryable extends CarawayError {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause: cause instanceof Error ? cause : undefined });
  }
}

/** Thrown by a handler to refuse the task, which ends as REJECTED. */
export class Reject extends CarawayError {}

/** Thrown by a handler to leave no outcome; the task ends as IGNORED. */
export class Ignore extends CarawayError {
  constructor() {
    super("the task leaves no outcome");
  }
}

/**
 * Thrown by a handler to give its place to a workflow: the task ends as that does, under its own id. The workflow's last step is
 * a call, not a group.
 */
export class Replace extends CarawayError {
  constructor(readonly step: Step) {
    super("the task gives its place to a workflow");
  }
}
