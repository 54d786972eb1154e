package io.caraway;

import java.time.Duration;
import java.util.Objects;

/**
 * How tasks are revoked.
 *
 * @param mode what happens to those that run
 * @param reason why; at most 1 KiB
 * @param grace TERMINATE: time between being told and being ended; null: none
 * @param signal TERMINATE: the signal sent to a process first; empty: SIGTERM
 */
public record RevokeOptions(Mode mode, String reason, Duration grace, String signal) {
  /** Only tasks that have not started are revoked. */
  public static final RevokeOptions PENDING_ONLY = new RevokeOptions(Mode.PENDING_ONLY, "", null, "");

  /** What happens to a task that runs. */
  public enum Mode {
    /** As PENDING_ONLY. */
    UNSPECIFIED,
    /** It goes on; one that then retries, is handed back or loses its lease is revoked all the same. */
    PENDING_ONLY,
    /** It is told that it should stop, and may. */
    CANCEL,
    /** It is told, and ended after the grace. */
    TERMINATE
  }

  /**
   * Checks that there is a mode.
   *
   * @param mode what happens to those that run
   * @param reason why; null: nothing is given
   * @param grace TERMINATE: time between being told and being ended; null: none
   * @param signal TERMINATE: the signal sent to a process first; null: SIGTERM
   */
  public RevokeOptions {
    Objects.requireNonNull(mode, "mode");
    reason = reason == null ? "" : reason;
    signal = signal == null ? "" : signal;
  }

  /**
   * Tells tasks that run to stop.
   *
   * @param reason why
   * @return the options
   */
  public static RevokeOptions cancel(String reason) {
    return new RevokeOptions(Mode.CANCEL, reason, null, "");
  }

  /**
   * Tells tasks that run to stop, and ends them after a grace.
   *
   * @param reason why
   * @param grace the time that they have; null: none
   * @return the options
   */
  public static RevokeOptions terminate(String reason, Duration grace) {
    return new RevokeOptions(Mode.TERMINATE, reason, grace, "");
  }
}
