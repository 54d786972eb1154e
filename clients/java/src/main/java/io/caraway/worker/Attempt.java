package io.caraway.worker;

import io.caraway.Tracing;
import io.caraway.errors.InvalidOptionException;
import io.caraway.errors.PayloadException;
import io.caraway.internal.Family;
import io.caraway.internal.Protos;
import io.caraway.internal.Specs;
import io.caraway.payload.Payloads;
import io.caraway.v1.Payload;
import io.caraway.v1.TaskError;
import io.caraway.v1.TaskReport;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;

/** Runs one delivery and writes what became of it. Whatever the handler throws ends up in the report. */
final class Attempt {
  /**
   * What became of it.
   *
   * @param report to be sent, unless an order ended the delivery
   * @param gaveWay the handler ended because it was told to
   * @param runNanos how long it ran
   */
  record Ended(TaskReport report, boolean gaveWay, long runNanos) {}

  private final Handlers.Entry handler;
  private final Tracing tracing;
  private final Limits limits;
  private final Delivery delivery;
  private boolean gaveWay;
  private Throwable error;

  Attempt(Handlers.Entry handler, Tracing tracing, Limits limits, Delivery delivery) {
    this.handler = handler;
    this.tracing = tracing;
    this.limits = limits;
    this.delivery = delivery;
  }

  Ended run() {
    TaskContext context = delivery.context;
    long began = System.nanoTime();
    Map<String, String> headers = context.headers();
    Tracing.Attempt span = tracing.begin(headers, delivery.name, attributes());
    Family.enter(delivery.taskId, headers);
    TaskReport.Builder report;
    try {
      report = succeeded(call(context));
    } catch (Throwable thrown) {
      error = thrown;
      report = failed(thrown);
    } finally {
      Family.leave();
    }
    long runNanos = System.nanoTime() - began;
    report.setRunTime(Protos.write(Duration.ofNanos(runNanos)));
    boolean expected = report.hasSucceeded() || report.hasIgnored() || report.hasReplaced();
    span.end(gaveWay ? "cancelled" : report.getReportCase().name().toLowerCase(java.util.Locale.ROOT), expected ? null : error);
    return new Ended(report.build(), gaveWay, runNanos);
  }

  private Map<String, String> attributes() {
    return Map.of(
        "messaging.system", "caraway",
        "messaging.operation.type", "process",
        "messaging.operation.name", "run",
        "messaging.destination.name", delivery.context.queue(),
        "messaging.message.id", delivery.taskId,
        "caraway.task.name", delivery.name,
        "caraway.worker.name", delivery.context.worker());
  }

  private Object call(TaskContext context) throws Exception {
    context.setArguments(
        Inputs.merge(Payloads.readArguments(delivery.lease.getTask()), delivery.lease.getInputsList()));
    Object value = handler.handler().run(context);
    if (value instanceof CompletionStage<?> stage) {
      try {
        return stage.toCompletableFuture().get();
      } catch (ExecutionException failure) {
        throw failure.getCause() instanceof Exception cause ? cause : failure;
      }
    }
    return value;
  }

  private TaskReport.Builder succeeded(Object value) {
    TaskReport.Succeeded.Builder succeeded = TaskReport.Succeeded.newBuilder();
    if (!delivery.lease.getTask().getIgnoreResult() && !handler.options().ignoreResult()) {
      Payload result = Payloads.write(value);
      if (result.getSerializedSize() > limits.payloadBytes()) {
        throw new PayloadException("the result is larger than the gateway takes: " + result.getSerializedSize()
            + " bytes, at most " + limits.payloadBytes());
      }
      succeeded.setResult(result);
    }
    return Reports.of(delivery).setSucceeded(succeeded);
  }

  private TaskReport.Builder failed(Throwable thrown) {
    TaskReport.Builder report = Reports.of(delivery);
    if (thrown instanceof RetryTaskException retry) {
      Throwable why = retry.getCause() == null ? retry : retry.getCause();
      return report.setRetry(
          TaskReport.Retry.newBuilder()
              .setError(WireErrors.of(why, TaskError.Kind.KIND_APPLICATION))
              .setDelay(Protos.write(retry.delay())));
    }
    if (thrown instanceof RejectTaskException) {
      return report.setRejected(TaskReport.Rejected.newBuilder().setReason(String.valueOf(thrown.getMessage())));
    }
    if (thrown instanceof IgnoreTaskException) {
      return report.setIgnored(TaskReport.Ignored.getDefaultInstance());
    }
    if (thrown instanceof ReplaceTaskException instead) {
      return replaced(report, instead);
    }
    gaveWay = thrown instanceof TaskCancelledException
        || thrown instanceof InterruptedException
        || thrown instanceof CancellationException;
    return Reports.failed(delivery, error(thrown));
  }

  private TaskReport.Builder replaced(TaskReport.Builder report, ReplaceTaskException instead) {
    try {
      return report.setReplaced(
          Replacement.of(instead.canvas(), new Specs(tracing, ""), delivery.lease.getTask().getStampsMap()));
    } catch (PayloadException | InvalidOptionException fault) {
      error = fault;
      return Reports.failed(delivery, error(fault).setNonRetryable(true));
    }
  }

  private static TaskError.Builder error(Throwable thrown) {
    if (thrown instanceof SoftTimeLimitException) {
      return WireErrors.of(thrown, TaskError.Kind.KIND_SOFT_TIME_LIMIT);
    }
    if (thrown instanceof PayloadException) {
      return WireErrors.of(thrown, TaskError.Kind.KIND_PAYLOAD).setNonRetryable(true);
    }
    if (thrown instanceof FailTaskException) {
      Throwable why = thrown.getCause() == null ? thrown : thrown.getCause();
      return WireErrors.of(why, TaskError.Kind.KIND_APPLICATION).setNonRetryable(true);
    }
    return WireErrors.of(thrown, TaskError.Kind.KIND_APPLICATION);
  }
}
