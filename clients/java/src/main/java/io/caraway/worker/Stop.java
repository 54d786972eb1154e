package io.caraway.worker;

import java.time.Duration;

/**
 * An order to end a delivery.
 *
 * @param ending what is reported if it does not end by itself first
 * @param kill whether its thread is interrupted, after the grace, and then given up
 * @param grace between being told and being interrupted
 * @param reason in words
 * @param pendingOnly what runs is left alone
 */
record Stop(Ending ending, boolean kill, Duration grace, String reason, boolean pendingOnly) {
  /** What is reported. */
  enum Ending {
    CANCELLED(Cancellation.REVOKED),
    TIME_LIMIT(Cancellation.TIME_LIMIT),
    HANDED_BACK(Cancellation.HANDED_BACK),
    /** Nothing: the lease is lost. */
    SILENT(Cancellation.LEASE_LOST);

    private final Cancellation told;

    Ending(Cancellation told) {
      this.told = told;
    }

    /** What the handler is told. */
    Cancellation told() {
      return told;
    }
  }

  static Stop now(Ending ending, String reason) {
    return new Stop(ending, true, Duration.ZERO, reason, false);
  }
}
