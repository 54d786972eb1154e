package io.caraway.worker;

/** The task gives way to its soft time limit. {@link TaskContext#throwIfCancelled} throws it. */
public class SoftTimeLimitException extends TaskOutcomeException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes one.
   *
   * @param message what struck
   */
  public SoftTimeLimitException(String message) {
    super(message, null);
  }
}
