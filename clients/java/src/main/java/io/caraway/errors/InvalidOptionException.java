package io.caraway.errors;

/** This library refuses an option, a target or a file. */
public class InvalidOptionException extends CarawayException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes one.
   *
   * @param message what went wrong
   */
  public InvalidOptionException(String message) {
    this(message, null);
  }

  /**
   * Makes one.
   *
   * @param message what went wrong
   * @param cause why, or null
   */
  public InvalidOptionException(String message, Throwable cause) {
    super(message, cause);
  }
}
