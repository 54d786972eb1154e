package io.caraway.worker;

/** The worker refuses the task: it ends as REJECTED. */
public class RejectTaskException extends TaskOutcomeException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes one.
   *
   * @param message why
   */
  public RejectTaskException(String message) {
    super(message, null);
  }
}
