package io.caraway.errors;

import io.caraway.TaskError;
import io.caraway.TaskState;

/** A worker refused a task. */
public class TaskRejectedException extends TaskException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes one.
   *
   * @param taskId which task
   * @param error why
   */
  public TaskRejectedException(String taskId, TaskError error) {
    super(taskId, TaskState.REJECTED, error);
  }
}
