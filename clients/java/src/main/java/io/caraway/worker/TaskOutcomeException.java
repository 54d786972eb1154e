package io.caraway.worker;

import io.caraway.errors.CarawayException;

/**
 * A handler throws one of these to say how its attempt ends.
 *
 * <pre>
 * TaskOutcomeException
 * ├── RetryTaskException        try again, after a delay of its own choice
 * ├── RejectTaskException       REJECTED
 * ├── IgnoreTaskException       IGNORED: no outcome
 * ├── FailTaskException         FAILED, and no retry policy applies
 * ├── ReplaceTaskException      REPLACED: it ends as the canvas that takes its place
 * ├── TaskCancelledException    it gives way to a cancellation: REVOKED
 * └── SoftTimeLimitException    it gives way to its soft time limit
 * </pre>
 */
public abstract class TaskOutcomeException extends CarawayException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes one.
   *
   * @param message what to tell
   * @param cause why, or null
   */
  protected TaskOutcomeException(String message, Throwable cause) {
    super(message, cause);
  }
}
