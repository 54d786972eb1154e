/**
 * Submits tasks to a Caraway gateway, waits for them, watches and revokes them ({@link Client}), composes them
 * ({@link chain}, {@link group}, {@link chord}), and runs functions as tasks ({@link Worker}).
 *
 * @module
 */
export {
  currentAttempt,
  HardTimeLimitExceeded,
  Ignore,
  LeaseExpired,
  NonRetryable,
  Reject,
  Replace,
  Retry,
} from "./attempt.js";
export { SoftTimeLimitExceeded, TaskCancelled, TaskStopped, WorkerStopped, type Attempt } from "./attempt.js";
export type { CallOptions, Label, RetryPolicy, Unique } from "./call.js";
export { Client, type ClientOptions, type Filter, type RevokeSettings, type WaitSettings } from "./client.js";
export type { Compression } from "./compression.js";
export * from "./errors.js";
export type { CallSettings, GatewayOptions, Propagation } from "./gateway.js";
export { Handle } from "./handle.js";
export type { HandlerFunction, HandlerOptions } from "./handler.js";
export { Handlers } from "./handlers.js";
export type { Logger } from "./logger.js";
export { parse, type ReadOptions } from "./payload_read.js";
export { stringify } from "./payload_write.js";
export { BatchError } from "./submit_many.js";
export { Task, TaskFailed, type Cause, type Kind, type State } from "./task.js";
export { defaultTarget, type TlsFiles, type TransportOptions } from "./transport.js";
export { Decimal, Double, Duration, LocalDate, LocalDateTime, OffsetDate, TimeOfDay, Tuple, Uuid } from "./values.js";
export type { WatchEvent } from "./watch.js";
export { version, Worker, type WorkerOptions } from "./worker.js";
export { Call, call, chain, chord, group, Step, type Outcomes } from "./workflow.js";
