package io.caraway.conformance;

import com.fasterxml.jackson.core.type.TypeReference;
import io.caraway.worker.Cancellation;
import io.caraway.worker.FailTaskException;
import io.caraway.worker.IgnoreTaskException;
import io.caraway.worker.RejectTaskException;
import io.caraway.worker.RetryTaskException;
import io.caraway.worker.TaskContext;
import io.caraway.worker.TaskHandler;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;

/** The handlers that every language registers. */
final class PlayedHandlers {
  /** What a handler fails by. */
  static final class PlayedException extends Exception {
    private static final long serialVersionUID = 1L;

    PlayedException(String message) {
      super(message);
    }
  }

  private static final Map<String, CountDownLatch> RELEASES = new ConcurrentHashMap<>();

  private PlayedHandlers() {}

  static void release(String worker, String taskId) {
    latch(worker, taskId).countDown();
  }

  private static CountDownLatch latch(String worker, String taskId) {
    return RELEASES.computeIfAbsent(worker + "." + taskId, key -> new CountDownLatch(1));
  }

  static Map<String, TaskHandler> all() {
    Map<String, TaskHandler> made = new LinkedHashMap<>();
    made.put("echo", PlayedHandlers::first);
    made.put("arguments", task -> Map.of("args", task.args(), "kwargs", task.kwargs()));
    made.put("add", PlayedHandlers::add);
    made.put("total", task ->
        task.arg(0, new TypeReference<List<Long>>() {}).stream().mapToLong(Long::longValue).sum());
    made.put("describe", PlayedHandlers::describe);
    made.put("fail", task -> {
      throw new PlayedException(task.arg(0, String.class));
    });
    made.put("fail_for_good", task -> {
      throw new FailTaskException(new PlayedException(task.arg(0, String.class)));
    });
    made.put("fail_until", task -> {
      if (task.attempt() < task.arg(0, int.class)) {
        throw new PlayedException("attempt " + task.attempt());
      }
      return task.attempt();
    });
    made.put("retry_until", task -> {
      if (task.attempt() < task.arg(0, int.class)) {
        throw new RetryTaskException(Duration.ofMillis((long) (task.arg(1, double.class) * 1000)), null);
      }
      return task.attempt();
    });
    made.put("crash", task -> {
      throw new IllegalStateException(task.arg(0, String.class));
    });
    made.put("reject", task -> {
      throw new RejectTaskException(task.arg(0, String.class));
    });
    made.put("ignore", task -> {
      throw new IgnoreTaskException("ignored");
    });
    made.put("text", task -> "x".repeat(task.arg(0, int.class)));
    made.put("unwritable", task -> new Object());
    made.put("hold", task -> hold(task, first(task), true));
    made.put("stubborn", task -> hold(task, first(task), false));
    made.put("once", task -> hold(task, first(task), true));
    made.put("mark", task -> {
      Lines.note(task.worker(), task.id(), "called");
      return null;
    });
    made.put("progress", task -> {
      task.progress(first(task), task.args().size() > 1 ? task.arg(1, String.class) : "");
      return hold(task, null, true);
    });
    return made;
  }

  private static Object first(TaskContext task) {
    return task.args().isEmpty() ? null : task.args().get(0);
  }

  private static Object add(TaskContext task) {
    if (task.args().stream().allMatch(Long.class::isInstance)) {
      return Math.addExact(task.arg(0, long.class), task.arg(1, long.class));
    }
    return task.arg(0, double.class) + task.arg(1, double.class);
  }

  private static Object describe(TaskContext task) {
    Map<String, String> headers = new LinkedHashMap<>(task.headers());
    headers.keySet().removeIf(key -> !key.startsWith("x-"));
    return Map.of("task_id", task.id(), "attempt", task.attempt(), "delivery_count", task.deliveryCount(),
        "headers", headers, "fence", task.fence());
  }

  private static Object hold(TaskContext task, Object value, boolean givesWay) throws InterruptedException {
    CountDownLatch released = latch(task.worker(), task.id());
    CountDownLatch goesOn = new CountDownLatch(1);
    Lines.note(task.worker(), task.id(), "started");
    task.onCancel(() -> {
      boolean soft = task.cancellation() == Cancellation.SOFT_TIME_LIMIT;
      Lines.note(task.worker(), task.id(), soft ? "soft_limit" : "cancelled");
      if (givesWay || soft) {
        goesOn.countDown();
      }
    });
    while (released.getCount() > 0 && goesOn.getCount() > 0) {
      await(goesOn, givesWay);
    }
    if (released.getCount() > 0) {
      task.throwIfCancelled();
    }
    return value;
  }

  private static void await(CountDownLatch goesOn, boolean givesWay)
      throws InterruptedException {
    try {
      goesOn.await(2, java.util.concurrent.TimeUnit.MILLISECONDS);
    } catch (InterruptedException interrupt) {
      if (givesWay) {
        throw interrupt;
      }
    }
  }
}
