package io.caraway;

/** Where a task stands; drawn in docs/states.md. */
public enum TaskState {
  /** A state that this version does not know. */
  UNSPECIFIED,
  /** Waits for nodes before it in its workflow. */
  BLOCKED,
  /** Waits for its time. */
  SCHEDULED,
  /** Waits for a worker. */
  QUEUED,
  /** Delivered to a worker; its start is not (yet) reported. */
  LEASED,
  /** A worker reported its start. */
  RUNNING,
  /** Waits for the time of its next attempt. */
  RETRYING,
  /** Ended well. */
  SUCCEEDED,
  /** Ended with an error, its attempts used up, or quarantined. */
  FAILED,
  /** Revoked before it ended by itself. */
  REVOKED,
  /** Not started in time. */
  EXPIRED,
  /** Rejected by the worker. */
  REJECTED,
  /** Ended without an outcome, at its own wish. */
  IGNORED,
  /** Other nodes took its place: it ends as they do. Not terminal. */
  REPLACED,
  /** Not needed in its workflow. */
  SKIPPED;

  /**
   * Whether a task in this state has ended.
   *
   * @return true: nothing will change any more, unless it is sent back
   */
  public boolean isTerminal() {
    return ordinal() >= SUCCEEDED.ordinal() && this != REPLACED;
  }
}
