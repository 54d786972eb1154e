package io.caraway.worker;

import java.time.Duration;

/** The task asks to be tried again; counts an attempt, and no policy is asked. */
public class RetryTaskException extends TaskOutcomeException {
  private static final long serialVersionUID = 1L;

  /** From now. */
  private final Duration delay;

  /**
   * Asks for another attempt.
   *
   * @param delay from now; zero: at once
   * @param cause why, or null
   */
  public RetryTaskException(Duration delay, Throwable cause) {
    super(cause == null ? "the task asked to be tried again" : String.valueOf(cause.getMessage()), cause);
    this.delay = delay.isNegative() ? Duration.ZERO : delay;
  }

  /**
   * When it is tried again.
   *
   * @return the time from now
   */
  public Duration delay() {
    return delay;
  }
}
