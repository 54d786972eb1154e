/** Reports: what became of a delivery. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Ignore, NonRetryable, Reject, Replace, Retry, SoftTimeLimitExceeded } from "./attempt.js";
import type { Delivery } from "./delivery.js";
import { CarawayError, InvalidOption, PayloadError } from "./errors.js";
import type { Propagation } from "./gateway.js";
import { TaskError_Kind as Kind, type TaskErrorSchema } from "./gen/caraway/v1/task_pb.js";
import { TaskReportSchema, type TaskReport } from "./gen/caraway/v1/worker_service_pb.js";
import { jsonPayload } from "./payload.js";
import { Builder } from "./workflow.js";

const language = "typescript";
const maxText = 32 << 10; // bytes of an error's message
const maxTraceback = 64 << 10;
const maxCauses = 16;

type ErrorInit = Exclude<MessageInitShape<typeof TaskErrorSchema>, { $typeName: string }>;
type ReportInit = Exclude<MessageInitShape<typeof TaskReportSchema>, { $typeName: string }>["report"];

export function report(d: Delivery, what: ReportInit, runTime?: number): TaskReport {
  const ran = runTime === undefined ? {} : { runTime: durationFromMs(Math.round(runTime)) };
  return create(TaskReportSchema, { taskId: d.spec.taskId, leaseToken: d.token, report: what, ...ran });
}

export const started = (d: Delivery) => report(d, { case: "started", value: { atMostOnce: d.atMostOnce } });
export const released = (d: Delivery, reason: string) => report(d, { case: "released", value: { reason } });
const failed = (d: Delivery, error: ErrorInit) => report(d, { case: "failed", value: { error } });

/** Releases it; one that runs at most once, and may have begun, is lost. */
export function handedBack(d: Delivery, reason: string): TaskReport {
  return d.atMostOnce && d.startReported ? lost(d, reason) : released(d, reason);
}

/** What ran it has died: it counts as lost. */
export function lost(d: Delivery, reason: string): TaskReport {
  const error = { kind: Kind.WORKER_LOST, type: "caraway.WorkerLost", message: reason, language };
  return report(d, { case: "lost", value: { error } });
}

export function hardLimit(d: Delivery): TaskReport {
  const message = `the hard time limit of ${d.limits.hard / 1000} s struck`;
  const error = { kind: Kind.TIME_LIMIT, type: "caraway.TimeLimit", message, language };
  return report(d, { case: "failed", value: { error } }, d.limits.hard);
}

/** What a task fails by when its arguments can't be read, or its result can't be written or kept. */
export function payloadFailure(d: Delivery, message: string): TaskReport {
  return failed(d, { kind: Kind.PAYLOAD, type: "caraway.PayloadError", message, language, nonRetryable: true });
}

/** What a task fails by whose report the gateway never takes. */
export function refusedFailure(d: Delivery, message: string): TaskReport {
  return failed(d, { kind: Kind.APPLICATION, type: "caraway.ReportRefused", message, language, nonRetryable: true });
}

/** What a delivery reports that was told to stop and has given way, or was given up; undefined: nothing. */
export function stopReport(d: Delivery, otherwise?: TaskReport): TaskReport | undefined {
  switch (d.stopping) {
    case "cancels":
      return report(d, { case: "cancelled", value: {} });
    case "hand-back":
      return handedBack(d, d.stopReason);
    case "silent":
      return undefined;
    default:
      return otherwise;
  }
}

/** The report of an attempt that returned. */
export function success(d: Delivery, value: unknown, maxBytes: number): TaskReport {
  try {
    const result = jsonPayload(value);
    const size = Buffer.byteLength(result.body.value as string);
    if (size > maxBytes) {
      return payloadFailure(d, `the result has ${size} bytes, and the gateway takes ${maxBytes}`);
    }
    return report(d, { case: "succeeded", value: { result } });
  } catch (error) {
    return payloadFailure(d, `the result can't be written: ${textOf(error)}`);
  }
}

/** The report of an attempt that threw. */
export function failure(d: Delivery, error: unknown, propagation: Propagation | undefined): TaskReport {
  if (error instanceof Retry) {
    const why = errorMessage(error.cause ?? error, Kind.APPLICATION);
    return report(d, { case: "retry", value: { error: why, delay: durationFromMs(Math.round(error.delay)) } });
  }
  if (error instanceof Reject) {
    return report(d, { case: "rejected", value: { reason: cutText(error.message, 1024) } });
  }
  if (error instanceof Ignore) {
    return report(d, { case: "ignored", value: {} });
  }
  if (error instanceof Replace) {
    return replaced(d, error, propagation);
  }
  if (d.abort.signal.reason instanceof SoftTimeLimitExceeded) {
    return failed(d, { ...errorMessage(error, Kind.SOFT_TIME_LIMIT), type: "caraway.SoftTimeLimit" });
  }
  if (error instanceof PayloadError) {
    return failed(d, { ...errorMessage(error, Kind.PAYLOAD), nonRetryable: true });
  }
  return failed(d, errorMessage(error, Kind.APPLICATION));
}

function replaced(d: Delivery, { step }: Replace, propagation: Propagation | undefined): TaskReport {
  try {
    const { nodes, output } = Builder.build(step, propagation);
    if (nodes.some((node) => node.nodeId === output && node.kind.case === "collect")) {
      throw new InvalidOption("what a task is replaced with ends with a call, not with a group");
    }
    return report(d, { case: "replaced", value: { nodes, outputNodeId: output } });
  } catch (error) {
    return failed(d, { ...errorMessage(error, Kind.APPLICATION), nonRetryable: true });
  }
}

/** Writes whatever was thrown, with its causes. */
export function errorMessage(thrown: unknown, kind: Kind): ErrorInit {
  const nonRetryable = thrown instanceof NonRetryable;
  const error = nonRetryable && thrown.cause ? thrown.cause : thrown;
  const causes: { type: string; message: string; traceback: string }[] = [];
  for (let cause = causeOf(error); cause !== undefined && causes.length < maxCauses; cause = causeOf(cause)) {
    causes.push({ type: typeOf(cause), message: textOf(cause), traceback: tracebackOf(cause) });
  }
  return {
    kind,
    type: typeOf(error),
    message: textOf(error),
    traceback: tracebackOf(error),
    language,
    nonRetryable,
    causes,
  };
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

/** The name of an error's class, or that which the error gave itself: what retry policies list. */
export function typeOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return typeof error;
  }
  const own = error.name && error.name !== "Error" ? error.name : error.constructor.name || "Error";
  return error instanceof CarawayError ? `caraway.${own}` : own;
}

function textOf(error: unknown): string {
  return cutText(error instanceof Error ? error.message : String(error), maxText);
}

function tracebackOf(error: unknown): string {
  return error instanceof Error ? cutMiddle(error.stack ?? "", maxTraceback) : "";
}

function cutText(text: string, size: number): string {
  return wellFormed(Buffer.from(text).subarray(0, size));
}

/** Keeps the start, which says what happened, and the end, which says where the task was called. */
function cutMiddle(text: string, size: number): string {
  const bytes = Buffer.from(text);
  const gap = "\n... cut ...\n";
  if (bytes.length <= size) {
    return wellFormed(bytes);
  }
  const half = Math.floor((size - gap.length) / 2) - 3;
  return wellFormed(bytes.subarray(0, half)) + gap + wellFormed(bytes.subarray(-half));
}

function wellFormed(bytes: Buffer): string {
  return bytes.toString("utf8").replace(/^\uFFFD+|\uFFFD+$/g, "");
}
