/** One delivery of a task, from its receipt until its report is confirmed. */
import { durationMs, timestampDate } from "@bufbuild/protobuf/wkt";
import type { Attempt } from "./attempt.js";
import { rootHeader, type Label } from "./call.js";
import { TaskSpec_AckMode, type TaskSpec } from "./gen/caraway/v1/task_pb.js";
import type { TaskLease } from "./gen/caraway/v1/worker_service_pb.js";
import type { HandlerOptions } from "./handler.js";

/** `waiting` for a slot; `reading` its inputs; `running`; `ended`: only the gateway's confirmation of its outcome is awaited. */
export type DeliveryState = "waiting" | "reading" | "running" | "ended";

/**
 * What is to be reported for a delivery that is told to stop, if it does not end by itself first: `cancels`: REVOKED;
 * `hand-back`: it runs again; `silent`: its lease is lost, nothing is.
 */
export type Stopping = "goes-on" | "cancels" | "hand-back" | "silent";

/** Bounds of an attempt, in milliseconds; 0: none. */
export interface Limits {
  soft: number;
  hard: number;
}

export class Delivery {
  received = performance.now();
  readonly token: string;
  readonly spec: TaskSpec;
  readonly limits: Limits;
  readonly atMostOnce: boolean;
  readonly abort = new AbortController();
  /** When it may start at the latest. */
  readonly notAfter: number;
  state: DeliveryState = "waiting";
  stopping: Stopping = "goes-on";
  stopReason = "";
  startReported = false;
  isSlow = false;
  /** Called once its start is stored; set while that is awaited. */
  startConfirmed: (() => void) | undefined;
  timers: NodeJS.Timeout[] = [];
  /** Batches of the reporter that are under way with reports of it. */
  inFlight = 0;
  batch = 0;

  constructor(
    readonly lease: TaskLease,
    options: HandlerOptions,
    readonly size: number,
    defaults: Limits,
  ) {
    this.token = lease.leaseToken;
    this.spec = lease.task!;
    const { timeLimits, ackMode } = this.spec;
    const { softTimeLimit, hardTimeLimit, atMostOnce = false } = options;
    this.limits = {
      soft: timeLimits?.soft ? durationMs(timeLimits.soft) : softTimeLimit || defaults.soft,
      hard: timeLimits?.hard ? durationMs(timeLimits.hard) : hardTimeLimit || defaults.hard,
    };
    this.atMostOnce = ackMode === TaskSpec_AckMode.ON_START || (ackMode === TaskSpec_AckMode.UNSPECIFIED && atMostOnce);
    this.notAfter = lease.expiresIn ? this.received + Math.max(0, durationMs(lease.expiresIn)) : Infinity;
  }

  get hasEnded(): boolean {
    return this.state === "ended";
  }

  get isExpired(): boolean {
    return performance.now() > this.notAfter;
  }

  after(milliseconds: number, action: () => void): void {
    // Timers count in 32 bits; a longer limit than 24 days is none.
    if (milliseconds < 2 ** 31) {
      this.timers.push(setTimeout(action, milliseconds));
    }
  }

  clearTimers(): void {
    this.timers.forEach(clearTimeout);
    this.timers = [];
  }

  /** `poll` takes in what waits until the handler lets the loop turn. */
  attempt(progress: Attempt["progress"], poll: () => void = () => {}): Attempt {
    const { spec, lease } = this;
    const { signal } = this.abort;
    return {
      id: spec.taskId,
      name: spec.name,
      queue: spec.queue,
      number: lease.attempt,
      delivery: lease.deliveryCount,
      headers: spec.headers,
      stamps: labelsOf(spec.stamps),
      createTime: lease.createTime ? timestampDate(lease.createTime) : new Date(Number.NaN),
      rootId: spec.headers[rootHeader] ?? spec.taskId,
      fence: lease.fence,
      signal,
      progress,
      throwIfStopped: () => {
        poll();
        signal.throwIfAborted();
      },
    };
  }
}

function labelsOf(stamps: TaskSpec["stamps"]): Record<string, Label[]> {
  const labels = Object.entries(stamps).map(([name, { values }]) => [name, values.map(({ kind }) => kind.value as Label)]);
  return Object.fromEntries(labels) as Record<string, Label[]>;
}
