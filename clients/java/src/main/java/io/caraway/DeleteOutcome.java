package io.caraway;

/** What became of a task that was to be forgotten. */
public enum DeleteOutcome {
  /** An outcome that this version does not know. */
  UNSPECIFIED,
  /** It is gone. */
  DELETED,
  /** It has not ended; revoke it first. Nothing changed. */
  NOT_TERMINAL,
  /** There is no such task. */
  NOT_FOUND,
  /** Its workflow still runs and may need its result. Nothing changed. */
  NEEDED
}
