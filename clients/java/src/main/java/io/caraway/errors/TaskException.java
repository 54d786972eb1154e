package io.caraway.errors;

import io.caraway.TaskError;
import io.caraway.TaskState;
import java.util.Map;

/** A task ended without success. */
public class TaskException extends CarawayException {
  private static final long serialVersionUID = 1L;

  /** Which task. */
  private final String taskId;
  /** How it ended. */
  private final TaskState state;
  private final transient TaskError error;

  /**
   * Makes one.
   *
   * @param taskId which task
   * @param state the state that it ended in
   * @param error why
   */
  protected TaskException(String taskId, TaskState state, TaskError error) {
    super(text(taskId, state, error), null, "", "", Map.of("task_id", taskId));
    this.taskId = taskId;
    this.state = state;
    this.error = error;
  }

  /**
   * Makes the exception for a task's end.
   *
   * @param taskId which task
   * @param state the state that it ended in, not SUCCEEDED
   * @param error why
   * @return the exception to throw
   */
  public static TaskException of(String taskId, TaskState state, TaskError error) {
    return switch (state) {
      case REVOKED -> new TaskRevokedException(taskId, error);
      case EXPIRED -> new TaskExpiredException(taskId, error);
      case REJECTED -> new TaskRejectedException(taskId, error);
      default -> new TaskFailedException(taskId, state, error);
    };
  }

  private static String text(String taskId, TaskState state, TaskError error) {
    String why = error.type().isEmpty() ? error.message() : error.type() + ": " + error.message();
    return "the task " + taskId + " ended as " + state + (why.isEmpty() ? "" : " (" + why + ")");
  }

  /**
   * Which task.
   *
   * @return its id
   */
  public String taskId() {
    return taskId;
  }

  /**
   * How it ended.
   *
   * @return its state
   */
  public TaskState state() {
    return state;
  }

  /**
   * Why it ended so, as its worker or the gateway tells it, with the remote traceback.
   *
   * @return the error
   */
  public TaskError error() {
    return error == null ? TaskError.NONE : error;
  }
}
