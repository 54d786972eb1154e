/**
 * Errors of calls, values and options.
 *
 *     CarawayError
 *       GatewayError          a call, or an item of a batch, was refused or not answered; a class for each reason
 *         TaskNotFound, TaskIdConflict, ...
 *       BatchError            some calls of submitMany were not accepted
 *       TaskFailed            a task ended without success (task.ts)
 *       PayloadError          a value can't be written or read
 *       InvalidOption         an option makes no sense
 *       TimeoutError          the time that a wait was given is over
 */
import { status as Code } from "@grpc/grpc-js";

/** The base of all errors of this library. */
export class CarawayError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** An option, or a use of the library, makes no sense; nothing was sent. */
export class InvalidOption extends CarawayError {}

/** A value can't be written or read. Its text never shows the value. */
export class PayloadError extends CarawayError {}

/** The time that a wait was given is over; the task goes on. */
export class TimeoutError extends CarawayError {}

/** How a call, or an item of a batch, failed. Where the contract has a reason, it is of that reason's class. */
export class GatewayError extends CarawayError {
  constructor(
    message: string,
    /** The gRPC status code. */
    readonly code: Code,
    /** The reason's name in the contract, for example `TASK_NOT_FOUND`; empty where it was not the gateway that refused. */
    readonly reason: string = "",
    /** As the reason says, for example `task_id`. */
    readonly metadata: Readonly<Record<string, string>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** The name of the status code, for example `NOT_FOUND`. */
  get codeName(): string {
    return Code[this.code];
  }

  /** Whether a later try may succeed: the gateway, or its store, could not be reached. */
  get isTransient(): boolean {
    switch (this.code) {
      case Code.UNAVAILABLE:
      case Code.DEADLINE_EXCEEDED:
        return true;
      case Code.CANCELLED: // a connection that was closed under the call
        return this.reason === "";
      case Code.INTERNAL:
        return this.reason === "" && this.message.includes("RST_STREAM");
      default:
        return false;
    }
  }
}

export class TaskNotFound extends GatewayError {}
export class TaskIdConflict extends GatewayError {}
export class InvalidField extends GatewayError {}
export class NumberNotExact extends GatewayError {}
export class MalformedMessage extends GatewayError {}
export class PayloadTooLarge extends GatewayError {}
export class BatchTooLarge extends GatewayError {}
export class QueueFull extends GatewayError {}
export class LeaseLost extends GatewayError {}
export class BatchRejected extends GatewayError {}
export class StoreUnavailable extends GatewayError {}
export class StoreReadOnly extends GatewayError {}
export class StoreFull extends GatewayError {}
export class StoreNotConfirmed extends GatewayError {}
export class StreamProtocol extends GatewayError {}
export class ShuttingDown extends GatewayError {}
export class Internal extends GatewayError {}
export class UniqueConflict extends GatewayError {}
export class QueueNotFound extends GatewayError {}
export class WorkerNotFound extends GatewayError {}
export class Unauthenticated extends GatewayError {}
export class WorkflowNotFound extends GatewayError {}
export class WorkflowIdConflict extends GatewayError {}
export class InvalidWorkflow extends GatewayError {}
export class WorkflowNotOpen extends GatewayError {}
export class WorkflowPartMissing extends GatewayError {}
export class WorkflowNotRetryable extends GatewayError {}
export class WorkflowFull extends GatewayError {}

/** The class of each reason of the contract (`ErrorReason` in proto/caraway/v1/errors.proto says what each means). */
export const reasons: Readonly<Record<string, typeof GatewayError>> = {
  TASK_NOT_FOUND: TaskNotFound,
  TASK_ID_CONFLICT: TaskIdConflict,
  INVALID_FIELD: InvalidField,
  NUMBER_NOT_EXACT: NumberNotExact,
  MALFORMED_MESSAGE: MalformedMessage,
  PAYLOAD_TOO_LARGE: PayloadTooLarge,
  BATCH_TOO_LARGE: BatchTooLarge,
  QUEUE_FULL: QueueFull,
  LEASE_LOST: LeaseLost,
  BATCH_REJECTED: BatchRejected,
  STORE_UNAVAILABLE: StoreUnavailable,
  STORE_READ_ONLY: StoreReadOnly,
  STORE_FULL: StoreFull,
  STORE_NOT_CONFIRMED: StoreNotConfirmed,
  STREAM_PROTOCOL: StreamProtocol,
  SHUTTING_DOWN: ShuttingDown,
  INTERNAL: Internal,
  UNIQUE_CONFLICT: UniqueConflict,
  QUEUE_NOT_FOUND: QueueNotFound,
  WORKER_NOT_FOUND: WorkerNotFound,
  UNAUTHENTICATED: Unauthenticated,
  WORKFLOW_NOT_FOUND: WorkflowNotFound,
  WORKFLOW_ID_CONFLICT: WorkflowIdConflict,
  INVALID_WORKFLOW: InvalidWorkflow,
  WORKFLOW_NOT_OPEN: WorkflowNotOpen,
  WORKFLOW_PART_MISSING: WorkflowPartMissing,
  WORKFLOW_NOT_RETRYABLE: WorkflowNotRetryable,
  WORKFLOW_FULL: WorkflowFull,
};
