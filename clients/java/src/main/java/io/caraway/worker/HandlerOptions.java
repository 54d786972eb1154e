package io.caraway.worker;

import java.time.Duration;

/**
 * What holds for a task where its call sets nothing.
 *
 * @param softTimeLimit after this the handler is told to stop; null: never
 * @param timeLimit after this the attempt has failed, and its thread is interrupted; null: never
 * @param atMostOnce true: it starts only after its start is confirmed, and never again where its worker is lost then
 * @param ignoreResult true: results are not kept
 */
public record HandlerOptions(Duration softTimeLimit, Duration timeLimit, boolean atMostOnce, boolean ignoreResult) {
  /** No limits, at least once. */
  public static final HandlerOptions DEFAULT = new HandlerOptions(null, null, false, false);

  /**
   * Sets time limits.
   *
   * @param soft after this the handler is told to stop; null: never
   * @param hard after this the attempt has failed, and its thread is interrupted; null: never
   * @return options with these
   */
  public HandlerOptions limits(Duration soft, Duration hard) {
    return new HandlerOptions(soft, hard, atMostOnce, ignoreResult);
  }

  /**
   * Runs it at most once.
   *
   * @return options with this
   */
  public HandlerOptions once() {
    return new HandlerOptions(softTimeLimit, timeLimit, true, ignoreResult);
  }

  /**
   * Keeps no results.
   *
   * @return options with this
   */
  public HandlerOptions withoutResults() {
    return new HandlerOptions(softTimeLimit, timeLimit, atMostOnce, true);
  }
}
