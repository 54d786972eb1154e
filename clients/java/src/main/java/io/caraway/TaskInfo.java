package io.caraway;

import com.fasterxml.jackson.core.type.TypeReference;
import io.caraway.errors.TaskException;
import io.caraway.internal.Protos;
import io.caraway.payload.Arguments;
import io.caraway.payload.Payloads;
import io.caraway.v1.Task;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;

/** A task as it stood when the gateway told of it. Lists and watches leave out arguments, headers, progress and result. */
public final class TaskInfo {
  private final Task task;

  /**
   * Reads the contract's message.
   *
   * @param task as a gateway sends it
   */
  public TaskInfo(Task task) {
    this.task = Objects.requireNonNull(task);
  }

  /**
   * Its identity.
   *
   * @return its id
   */
  public String id() {
    return task.getTaskId();
  }

  /**
   * Where it stands.
   *
   * @return its state
   */
  public TaskState state() {
    return Protos.read(TaskState.class, task.getStateValue());
  }

  /**
   * A state of the task's own making, reported with its progress.
   *
   * @return the state; empty outside RUNNING
   */
  public String customState() {
    return task.getCustomState();
  }

  /**
   * Under what name workers know it.
   *
   * @return its name
   */
  public String name() {
    return task.getSpec().getName();
  }

  /**
   * Where it waits, or waited.
   *
   * @return its queue
   */
  public String queue() {
    return task.getSpec().getQueue();
  }

  /**
   * How early it is leased.
   *
   * @return 0 to 9, higher first
   */
  public int priority() {
    return task.getSpec().getPriority();
  }

  /**
   * What it was submitted with beside its arguments.
   *
   * @return its headers
   */
  public Map<String, String> headers() {
    return task.getSpec().getHeadersMap();
  }

  /**
   * What it was submitted with.
   *
   * @return its arguments
   */
  public Arguments arguments() {
    return Payloads.readArguments(task.getSpec());
  }

  /**
   * Attempts begun, the running one included.
   *
   * @return how many
   */
  public int attempt() {
    return task.getAttempt();
  }

  /**
   * How often it was handed to a worker.
   *
   * @return how often
   */
  public int deliveryCount() {
    return task.getDeliveryCount();
  }

  /**
   * Deliveries that ended in a lost lease or a dead process.
   *
   * @return how many
   */
  public int lostCount() {
    return task.getLostCount();
  }

  /**
   * Grows with every change.
   *
   * @return its revision
   */
  public long revision() {
    return task.getRevision();
  }

  /**
   * Whether it has reported progress that this view has.
   *
   * @return true: {@link #progress} gives it
   */
  public boolean hasProgress() {
    return task.hasProgress();
  }

  /**
   * The last progress reported.
   *
   * @return its plain value; null: none
   */
  public Object progress() {
    return Payloads.read(task.getProgress());
  }

  /**
   * Whether it has a result that this view has.
   *
   * @return true: it succeeded and its result is kept
   */
  public boolean hasResult() {
    return task.hasResult();
  }

  /**
   * What it returned.
   *
   * @return the plain value; null where there is none
   * @throws TaskException where it ended without success
   */
  public Object result() {
    if (state().isTerminal() && !isWell()) {
      throw TaskException.of(id(), state(), error());
    }
    return Payloads.read(task.getResult());
  }

  /**
   * What it returned, as a type of the program's own.
   *
   * @param type the type
   * @param <T> the type
   * @return the value; null where there is none
   * @throws TaskException where it ended without success
   */
  public <T> T result(Class<T> type) {
    return Payloads.convert(result(), type);
  }

  /**
   * What it returned, as a generic type of the program's own.
   *
   * @param type the type
   * @param <T> the type
   * @return the value; null where there is none
   * @throws TaskException where it ended without success
   */
  public <T> T result(TypeReference<T> type) {
    return Payloads.convert(result(), type);
  }

  private boolean isWell() {
    return switch (state()) {
      case SUCCEEDED, IGNORED, SKIPPED -> true;
      default -> false;
    };
  }

  /**
   * Why it ended without success, or why the last attempt failed while it is retried.
   *
   * @return the error; {@link TaskError#NONE} where there is none
   */
  public TaskError error() {
    return task.hasError() ? TaskError.of(task.getError()) : TaskError.NONE;
  }

  /**
   * What the caller gave as reason when cancellation was asked for.
   *
   * @return the reason; empty: it was not
   */
  public String cancelReason() {
    return task.getCancelReason();
  }

  /**
   * The worker that holds it, or held it last.
   *
   * @return the worker's id; empty: none
   */
  public String workerId() {
    return task.getWorkerId();
  }

  /**
   * The workflow that it is a node of.
   *
   * @return the workflow's id; empty: none
   */
  public String workflowId() {
    return task.getWorkflowId();
  }

  /**
   * When it was accepted, by the store's clock as all times here.
   *
   * @return the instant
   */
  public Instant createTime() {
    return Protos.read(task.hasCreateTime(), task.getCreateTime());
  }

  /**
   * When the last attempt started.
   *
   * @return the instant; null: it has not
   */
  public Instant startTime() {
    return Protos.read(task.hasStartTime(), task.getStartTime());
  }

  /**
   * When it ended.
   *
   * @return the instant; null: it has not
   */
  public Instant endTime() {
    return Protos.read(task.hasEndTime(), task.getEndTime());
  }

  /**
   * When it becomes due.
   *
   * @return the instant; null outside SCHEDULED and RETRYING
   */
  public Instant nextAttemptTime() {
    return Protos.read(task.hasNextAttemptTime(), task.getNextAttemptTime());
  }

  /**
   * All that the gateway told.
   *
   * @return the contract's message
   */
  public Task toProto() {
    return task;
  }

  @Override
  public String toString() {
    return "TaskInfo[" + id() + " " + name() + " " + state() + "]";
  }
}
