package io.caraway.errors;

import io.caraway.TaskError;
import io.caraway.TaskState;

/** A task was not started in time. */
public class TaskExpiredException extends TaskException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes one.
   *
   * @param taskId which task
   * @param error why
   */
  public TaskExpiredException(String taskId, TaskError error) {
    super(taskId, TaskState.EXPIRED, error);
  }
}
