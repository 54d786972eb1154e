package io.caraway;

/** Who or what ended a task without success; stable, so that programs may decide by it. */
public enum ErrorKind {
  /** A kind that this version does not know. */
  UNSPECIFIED,
  /** The task's own code failed. */
  APPLICATION,
  /** The soft time limit struck and the task did not handle it. */
  SOFT_TIME_LIMIT,
  /** The hard time limit struck. */
  TIME_LIMIT,
  /** The process or the worker that ran it vanished. */
  WORKER_LOST,
  /** Quarantined: too many deliveries ended in a lost worker or process. */
  LOST_LIMIT,
  /** It was revoked. */
  REVOKED,
  /** It had not started when it expired. */
  EXPIRED,
  /** The worker rejected it. */
  REJECTED,
  /** Arguments or result could not be encoded, decoded or kept. */
  PAYLOAD,
  /** It never ran, because a node before it in its workflow failed. */
  DEPENDENCY,
  /** No task of this name is registered with the worker that took it. */
  UNKNOWN_TASK
}
