package io.caraway.errors;

/** A wait took longer than its caller allowed. The task goes on. */
public class WaitTimeoutException extends CarawayException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes one.
   *
   * @param message what went wrong
   */
  public WaitTimeoutException(String message) {
    this(message, null);
  }

  /**
   * Makes one.
   *
   * @param message what went wrong
   * @param cause why, or null
   */
  public WaitTimeoutException(String message, Throwable cause) {
    super(message, cause);
  }
}
