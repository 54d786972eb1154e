package io.caraway.worker;

/** Why a handler is told to stop. */
public enum Cancellation {
  /** Somebody revoked the task. */
  REVOKED,
  /** Its soft time limit struck. */
  SOFT_TIME_LIMIT,
  /** Its hard time limit struck: the attempt has failed already. */
  TIME_LIMIT,
  /** Its lease was lost: another worker may run it, and nothing of this attempt counts. */
  LEASE_LOST,
  /** The worker stops, or hears nothing of its gateway: the task is handed back. */
  HANDED_BACK
}
