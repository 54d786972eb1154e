/** A task as it stood when it was read. */
import { timestampDate, type Timestamp } from "@bufbuild/protobuf/wkt";
import { CarawayError } from "./errors.js";
import { Task_State, TaskError_Kind, type Task as TaskMessage, type TaskError } from "./gen/caraway/v1/task_pb.js";
import { readPayload } from "./payload.js";
import type { ReadOptions } from "./payload_read.js";

/** Where a task stands; docs/states.md draws it. */
export type State = Exclude<keyof typeof Task_State, "UNSPECIFIED">;
/** Who or what ended a task. */
export type Kind = Exclude<keyof typeof TaskError_Kind, "UNSPECIFIED">;

/** One error behind another. */
export interface Cause {
  readonly type: string;
  readonly message: string;
  readonly traceback: string;
}

/** Why a task did not succeed. It is never the error of a call that went wrong: that is a GatewayError. */
export class TaskFailed extends CarawayError {
  readonly kind: Kind;
  /** The error's type, as its language names it. */
  readonly type: string;
  /** What the error says; `message` has the task's id and state beside it. */
  readonly reason: string;
  readonly traceback: string;
  readonly language: string;
  readonly causes: readonly Cause[];
  readonly nonRetryable: boolean;
  /** `kind` is DEPENDENCY: the task that failed by itself. */
  readonly failedTaskId: string;
  /** `kind` is DEPENDENCY: why that did. */
  readonly failedKind: Kind | undefined;

  /** @internal */
  constructor(
    readonly taskId: string,
    readonly state: State,
    error: TaskError | undefined,
  ) {
    const type = error?.type ?? "";
    super(`task ${taskId} is ${state}: ${type ? `${type}: ` : ""}${error?.message ?? ""}`);
    this.kind = TaskError_Kind[error?.kind ?? TaskError_Kind.APPLICATION] as Kind;
    this.type = type;
    this.reason = error?.message ?? "";
    this.traceback = error?.traceback ?? "";
    this.language = error?.language ?? "";
    this.causes = error?.causes ?? [];
    this.nonRetryable = error?.nonRetryable ?? false;
    this.failedTaskId = error?.failedTaskId ?? "";
    this.failedKind = error?.kind === TaskError_Kind.DEPENDENCY ? (TaskError_Kind[error.failedKind] as Kind) : undefined;
  }
}

const ended = new Set<State>(["SUCCEEDED", "FAILED", "REVOKED", "EXPIRED", "REJECTED", "IGNORED", "SKIPPED"]);

/** A task as it stood when it was read. Times are the store's. `R` is what it returns. */
export class Task<R = unknown> {
  /** @internal */
  constructor(
    /** The contract's message, with all that has no property here. */
    readonly message: TaskMessage,
    private readonly reading: ReadOptions,
  ) {}

  get id(): string {
    return this.message.taskId;
  }
  get state(): State {
    return Task_State[this.message.state] as State;
  }
  /** Whether it has ended. */
  get isDone(): boolean {
    return ended.has(this.state);
  }
  /** A state of the task's own making, while it runs. */
  get customState(): string {
    return this.message.customState;
  }
  get name(): string {
    return this.message.spec?.name ?? "";
  }
  get queue(): string {
    return this.message.spec?.queue ?? "";
  }
  get priority(): number {
    return this.message.spec?.priority ?? 0;
  }
  /** Attempts begun. */
  get attempt(): number {
    return this.message.attempt;
  }
  /** How often it was handed to a worker. */
  get deliveryCount(): number {
    return this.message.deliveryCount;
  }
  /** Deliveries that ended in a lost worker. */
  get lostCount(): number {
    return this.message.lostCount;
  }
  get revision(): bigint {
    return this.message.revision;
  }
  get workerId(): string {
    return this.message.workerId;
  }
  /** Set once cancellation was asked for. */
  get cancelReason(): string {
    return this.message.cancelReason;
  }
  get createTime(): Date | undefined {
    return instant(this.message.createTime);
  }
  /** Of the last attempt. */
  get startTime(): Date | undefined {
    return instant(this.message.startTime);
  }
  get endTime(): Date | undefined {
    return instant(this.message.endTime);
  }
  get nextAttemptTime(): Date | undefined {
    return instant(this.message.nextAttemptTime);
  }
  get workflowId(): string {
    return this.message.workflowId;
  }
  /** Why it ended, or why the last attempt failed while it is retried. */
  get error(): TaskFailed | undefined {
    return this.message.error && new TaskFailed(this.id, this.state, this.message.error);
  }
  /** What it reported last; undefined where there is nothing, or it was not read (lists, watches). */
  get progress(): unknown {
    return this.message.progress && readPayload(this.message.progress, this.reading);
  }
  /** Whether a result was kept, and read. */
  get hasResult(): boolean {
    return this.message.result !== undefined;
  }
  /**
   * What it returned; null where it was ignored, skipped, or its result not kept.
   *
   * @throws TaskFailed when it ended without success.
   * @throws CarawayError when it has not ended.
   */
  get result(): R {
    if (!this.isDone) {
      throw new CarawayError(`task ${this.id} has not ended: it is ${this.state}`);
    }
    if (this.state !== "SUCCEEDED" && this.state !== "IGNORED" && this.state !== "SKIPPED") {
      throw new TaskFailed(this.id, this.state, this.message.error);
    }
    return readPayload(this.message.result, this.reading) as R;
  }
}

function instant(timestamp: Timestamp | undefined): Date | undefined {
  return timestamp && timestampDate(timestamp);
}
