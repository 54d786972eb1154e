/** Runs the handler of one delivery, on the loop of the thread that calls. */
import { running } from "./attempt.js";
import type { Delivery } from "./delivery.js";
import type { Propagation } from "./gateway.js";
import type { Payload } from "./gen/caraway/v1/task_pb.js";
import type { TaskReport } from "./gen/caraway/v1/worker_service_pb.js";
import type { Handler } from "./handler.js";
import { mergeInputs } from "./inputs.js";
import { failure, success } from "./outcome.js";
import { jsonPayload, readArguments } from "./payload.js";
import type { ReadOptions } from "./payload_read.js";

/** Takes what a handler tells of how far it is, and a state of the task's own making. */
export type Progress = (detail: Payload, state: string) => void;

/** What a handler runs with. */
export interface Surroundings {
  reading: ReadOptions;
  propagation: Propagation | undefined;
  /** Bytes that a result may have. */
  maxPayload: number;
  progress: Progress;
  /** Takes messages that wait until the handler lets the loop turn. */
  poll?: () => void;
}

/** Gives the report of what came of it; undefined if the delivery has ended without it. */
export async function execute(d: Delivery, handler: Handler, around: Surroundings): Promise<TaskReport | undefined> {
  try {
    const value = await call(d, handler, around);
    return d.hasEnded ? undefined : success(d, value, around.maxPayload);
  } catch (error) {
    return d.hasEnded ? undefined : failure(d, error, around.propagation);
  }
}

// Async, so that what arguments fail by is caught, too.
async function call(d: Delivery, handler: Handler, { reading, propagation, progress, poll }: Surroundings): Promise<unknown> {
  const own = readArguments(d.spec, reading);
  const args = handler.bind(d.lease.inputs.length > 0 ? mergeInputs(own, d.lease.inputs, reading) : own);
  const attempt = d.attempt((detail, state = "") => progress(jsonPayload(detail), state), poll);
  const run = () => running.run(attempt, () => handler.run(...args));
  return propagation ? propagation.run(d.spec.headers, run) : run();
}
