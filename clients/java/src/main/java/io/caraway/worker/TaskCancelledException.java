package io.caraway.worker;

/** The task gives way to a cancellation. {@link TaskContext#throwIfCancelled} throws it. */
public class TaskCancelledException extends TaskOutcomeException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes one.
   *
   * @param message what was given as reason
   */
  public TaskCancelledException(String message) {
    super(message, null);
  }
}
