package io.caraway;

import io.caraway.internal.Protos;

/**
 * Why a task, or one attempt of it, did not succeed.
 *
 * @param kind who or what ended it
 * @param type the full name of the error's type in its language, for example {@code builtins.ValueError}
 * @param message what the error says
 * @param traceback where it happened, as the language prints it; empty in lists
 * @param language the language that raised it, for example {@code python}
 * @param failedTaskId DEPENDENCY: the task that failed by itself
 */
public record TaskError(
    ErrorKind kind, String type, String message, String traceback, String language, String failedTaskId) {
  /** No error. */
  public static final TaskError NONE = new TaskError(ErrorKind.UNSPECIFIED, "", "", "", "", "");

  /**
   * Reads the contract's message.
   *
   * @param error as a gateway sends it
   * @return the same
   */
  public static TaskError of(io.caraway.v1.TaskError error) {
    return new TaskError(
        Protos.read(ErrorKind.class, error.getKindValue()),
        error.getType(),
        error.getMessage(),
        error.getTraceback(),
        error.getLanguage(),
        error.getFailedTaskId());
  }
}
