package io.caraway.worker;

/** The task fails for good: no retry policy applies. */
public class FailTaskException extends TaskOutcomeException {
  private static final long serialVersionUID = 1L;

  /**
   * Fails by an error of its own.
   *
   * @param message why
   */
  public FailTaskException(String message) {
    super(message, null);
  }

  /**
   * Fails by an error that was caught, whose type and message are reported.
   *
   * @param cause why
   */
  public FailTaskException(Throwable cause) {
    super(String.valueOf(cause.getMessage()), cause);
  }
}
