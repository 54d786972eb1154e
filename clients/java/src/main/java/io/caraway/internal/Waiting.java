package io.caraway.internal;

import io.caraway.errors.CarawayException;
import io.caraway.errors.OperationalException;
import io.caraway.errors.WaitTimeoutException;
import io.caraway.v1.RunTaskRequest;
import io.caraway.v1.Task;
import io.caraway.v1.TaskServiceGrpc;
import io.caraway.v1.TaskSpec;
import io.caraway.v1.TaskView;
import io.caraway.v1.WaitTaskRequest;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** One wait for a task: cut into calls that the gateway takes, and carried over its outages. */
public final class Waiting {
  private static final Duration MOST = Duration.ofSeconds(60);
  private static final Duration GRACE = Duration.ofSeconds(1);

  /** What one call told. */
  private record Answer(Task task, boolean done) {}

  private final Caller caller;
  private final String taskId;
  private final Duration timeout;
  private final long begin = System.nanoTime();
  private final CompletableFuture<Task> result = new CompletableFuture<>();
  private final Backoff backoff = Caller.backoff();

  private Waiting(Caller caller, String taskId, Duration timeout) {
    this.caller = caller;
    this.taskId = taskId;
    this.timeout = timeout;
  }

  /**
   * Waits for a task's end.
   *
   * @param timeout null: for ever
   */
  public static CompletableFuture<Task> until(Caller caller, String taskId, Duration timeout) {
    Waiting waiting = new Waiting(caller, taskId, timeout);
    waiting.next(waiting::askAgain);
    return waiting.result;
  }

  /**
   * Submits a task and waits for its end, at best in one call.
   *
   * @param timeout null: for ever
   */
  public static CompletableFuture<Task> run(Caller caller, TaskSpec spec, Duration timeout) {
    Waiting waiting = new Waiting(caller, spec.getTaskId(), timeout);
    waiting.next(wait -> waiting.submit(spec, wait));
    return waiting.result;
  }

  private CompletableFuture<Answer> askAgain(Duration wait) {
    WaitTaskRequest request =
        WaitTaskRequest.newBuilder()
            .setTaskId(taskId)
            .setMaxWait(Protos.write(wait))
            .setView(TaskView.TASK_VIEW_FULL)
            .build();
    return caller.once(TaskServiceGrpc.getWaitTaskMethod(), request, wait.plus(GRACE))
        .thenApply(response -> new Answer(response.getTask(), response.getDone()));
  }

  private CompletableFuture<Answer> submit(TaskSpec spec, Duration wait) {
    RunTaskRequest request = RunTaskRequest.newBuilder().setTask(spec).setMaxWait(Protos.write(wait)).build();
    return caller.once(TaskServiceGrpc.getRunTaskMethod(), request, wait.plus(GRACE))
        .thenApply(response -> new Answer(response.getTask(), response.getDone()));
  }

  private Duration left() {
    if (timeout == null) {
      return MOST;
    }
    Duration left = timeout.minusNanos(System.nanoTime() - begin);
    return left.isNegative() ? Duration.ZERO : left.compareTo(MOST) < 0 ? left : MOST;
  }

  private void next(Function<Duration, CompletableFuture<Answer>> ask) {
    if (result.isDone()) {
      return;
    }
    CompletableFuture<Answer> call = ask.apply(left());
    Caller.cancelWith(result, call);
    call.whenComplete((answer, failure) -> {
      if (failure != null) {
        onFailure(ask, Refusals.of(cause(failure)));
      } else if (answer.done) {
        result.complete(answer.task);
      } else if (left().isZero()) {
        result.completeExceptionally(timedOut("", null));
      } else {
        backoff.reset();
        next(this::askAgain);
      }
    });
  }

  private void onFailure(Function<Duration, CompletableFuture<Answer>> ask, CarawayException error) {
    Duration delay = backoff.next();
    if (!(error instanceof OperationalException) || caller.channel().isShutdown()) {
      result.completeExceptionally(error);
    } else if (timeout != null && left().compareTo(delay) <= 0) {
      result.completeExceptionally(timedOut("; the gateway could not be reached: " + error.getMessage(), error));
    } else {
      caller.reconnect();
      Caller.after(delay).thenRun(() -> next(ask));
    }
  }

  private WaitTimeoutException timedOut(String why, Throwable cause) {
    String seconds = Double.toString(timeout.toMillis() / 1000.0);
    return new WaitTimeoutException("the task " + taskId + " did not end within " + seconds + " s" + why, cause);
  }

  private static Throwable cause(Throwable failure) {
    return failure.getCause() != null && failure instanceof java.util.concurrent.CompletionException
        ? failure.getCause() : failure;
  }
}
