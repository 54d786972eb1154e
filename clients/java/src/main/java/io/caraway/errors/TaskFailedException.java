package io.caraway.errors;

import io.caraway.TaskError;
import io.caraway.TaskState;

/** A task failed: its code did, a limit struck, its worker was lost too often, or a node before it failed. */
public class TaskFailedException extends TaskException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes one.
   *
   * @param taskId which task
   * @param state the state that it ended in
   * @param error why
   */
  public TaskFailedException(String taskId, TaskState state, TaskError error) {
    super(taskId, state, error);
  }
}
