package io.caraway.errors;

import io.caraway.TaskError;
import io.caraway.TaskState;

/** A task was revoked before it ended by itself. */
public class TaskRevokedException extends TaskException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes one.
   *
   * @param taskId which task
   * @param error why
   */
  public TaskRevokedException(String taskId, TaskError error) {
    super(taskId, TaskState.REVOKED, error);
  }
}
