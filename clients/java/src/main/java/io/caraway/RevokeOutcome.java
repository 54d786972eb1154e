package io.caraway;

/** What became of a task that was to be revoked. */
public enum RevokeOutcome {
  /** An outcome that this version does not know. */
  UNSPECIFIED,
  /** It is REVOKED now. */
  REVOKED,
  /** A worker holds it and is told; it ends as REVOKED when the worker gives way, or by itself. */
  CANCEL_REQUESTED,
  /** It had ended before; nothing changed. */
  ALREADY_TERMINAL,
  /** There is no such task. */
  NOT_FOUND
}
