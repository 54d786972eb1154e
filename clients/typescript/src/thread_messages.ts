/** What a worker and its threads tell each other. */
import {
  HardTimeLimitExceeded,
  LeaseExpired,
  SoftTimeLimitExceeded,
  TaskCancelled,
  TaskStopped,
  WorkerStopped,
} from "./attempt.js";
import type { HandlerOptions } from "./handler.js";
import type { ReadOptions } from "./payload_read.js";

/** What a thread begins with. */
export interface ThreadData {
  /** The URL of its handlers' module. */
  module: string;
  reading: ReadOptions;
}

/** To a thread: to run a lease's task, or that the one that runs is to stop. Messages of the contract cross as their bytes. */
export type Order = { kind: "run"; lease: Uint8Array; maxPayload: number } | { kind: "stop"; cause: string; message: string };

/** From a thread: that it has loaded its handlers, how far its task is (as JSON), or how that ended. */
export type Notice =
  | { kind: "ready"; handlers: [string, HandlerOptions][] }
  | { kind: "progress"; detail: string; state: string }
  | { kind: "ended"; report: Uint8Array };

const causes = { HardTimeLimitExceeded, LeaseExpired, SoftTimeLimitExceeded, TaskCancelled, WorkerStopped };

/** Why a handler is stopped, as a message. */
export function stopOrder(reason: TaskStopped): Order {
  return { kind: "stop", cause: reason.name, message: reason.message };
}

/** The error of its own class again. */
export function causeOf(name: string, message: string): TaskStopped {
  const kind = causes[name as keyof typeof causes] ?? TaskStopped;
  return new kind(message);
}
