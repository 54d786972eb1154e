package io.caraway.worker;

/** The task wishes to leave no outcome: it ends as IGNORED. */
public class IgnoreTaskException extends TaskOutcomeException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes one.
   *
   * @param message why, for logs
   */
  public IgnoreTaskException(String message) {
    super(message, null);
  }
}
