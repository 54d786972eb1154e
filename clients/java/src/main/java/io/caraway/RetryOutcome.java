package io.caraway;

/** What became of a task that was to be sent back. */
public enum RetryOutcome {
  /** An outcome that this version does not know. */
  UNSPECIFIED,
  /** It is QUEUED again. */
  QUEUED,
  /** It has not ended, has succeeded, or is a node of a workflow; nothing changed. */
  NOT_RETRYABLE,
  /** There is no such task. */
  NOT_FOUND
}
