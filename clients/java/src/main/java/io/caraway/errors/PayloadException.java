package io.caraway.errors;

/** A value can't be written, or a payload can't be read: docs/payload.md has the forms. */
public class PayloadException extends CarawayException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes one.
   *
   * @param message what went wrong
   */
  public PayloadException(String message) {
    this(message, null);
  }

  /**
   * Makes one.
   *
   * @param message what went wrong
   * @param cause why, or null
   */
  public PayloadException(String message, Throwable cause) {
    super(message, cause);
  }
}
