package io.caraway.worker;

import com.google.protobuf.Duration;
import io.caraway.internal.Protos;
import io.caraway.v1.Payload;
import io.caraway.v1.TaskError;
import io.caraway.v1.TaskReport;

/** Reports of one delivery. */
final class Reports {
  private static final String LANGUAGE = "java";

  private Reports() {}

  static TaskReport.Builder of(Delivery delivery) {
    return TaskReport.newBuilder().setTaskId(delivery.taskId).setLeaseToken(delivery.token);
  }

  static TaskReport started(Delivery delivery) {
    return of(delivery).setStarted(TaskReport.Started.newBuilder().setAtMostOnce(delivery.atMostOnce)).build();
  }

  static TaskReport progress(Delivery delivery, Payload detail, String state) {
    return of(delivery)
        .setProgress(TaskReport.Progress.newBuilder().setDetail(detail).setCustomState(state))
        .build();
  }

  static TaskReport released(Delivery delivery, String reason) {
    return of(delivery).setReleased(TaskReport.Released.newBuilder().setReason(reason)).build();
  }

  static TaskReport cancelled(Delivery delivery) {
    return of(delivery).setCancelled(TaskReport.Cancelled.getDefaultInstance()).build();
  }

  /** It may have begun, and will not end. */
  static TaskReport lost(Delivery delivery, String how) {
    TaskError error = error(TaskError.Kind.KIND_WORKER_LOST, "WorkerLost", how).build();
    return of(delivery).setLost(TaskReport.Lost.newBuilder().setError(error)).build();
  }

  static TaskReport timeLimit(Delivery delivery) {
    double seconds = delivery.hard.toNanos() / 1e9;
    String message = "the hard time limit of " + seconds + " s struck and the thread was interrupted";
    Duration runTime = Protos.write(delivery.hard);
    return failed(delivery, error(TaskError.Kind.KIND_TIME_LIMIT, "TimeLimitExceeded", message)).setRunTime(runTime).build();
  }

  /** The gateway refused its report for good, so the task fails with what the gateway said. */
  static TaskReport refused(Delivery delivery, String message, boolean tooLarge) {
    TaskError.Kind kind = tooLarge ? TaskError.Kind.KIND_PAYLOAD : TaskError.Kind.KIND_APPLICATION;
    return forGood(delivery, kind, "the gateway refused the task's report: " + message);
  }

  /** The task fails, and no retry policy applies. */
  static TaskReport forGood(Delivery delivery, TaskError.Kind kind, String message) {
    String type = kind == TaskError.Kind.KIND_PAYLOAD ? "errors.PayloadException" : "errors.RequestException";
    return failed(delivery, error(kind, type, message).setNonRetryable(true)).build();
  }

  static TaskReport.Builder failed(Delivery delivery, TaskError.Builder error) {
    return of(delivery).setFailed(TaskReport.Failed.newBuilder().setError(error));
  }

  private static TaskError.Builder error(TaskError.Kind kind, String type, String message) {
    return TaskError.newBuilder()
        .setKind(kind)
        .setType("io.caraway." + type)
        .setMessage(message)
        .setLanguage(LANGUAGE);
  }
}
