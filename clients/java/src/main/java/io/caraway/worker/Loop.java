package io.caraway.worker;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The supervisor's one thread: it runs the stream, heartbeats and reports, and no code of users. */
final class Loop implements Executor {
  private static final Logger LOG = LoggerFactory.getLogger("io.caraway.worker");

  private final ScheduledThreadPoolExecutor thread;

  Loop(String name) {
    thread = new ScheduledThreadPoolExecutor(1, task -> {
      Thread made = new Thread(task, name + "-supervisor");
      made.setDaemon(true);
      return made;
    });
    thread.setRemoveOnCancelPolicy(true);
    thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  /** Runs something in this thread, soon. Once closed, never. */
  @Override
  public void execute(Runnable task) {
    try {
      thread.execute(guarded(task));
    } catch (RejectedExecutionException closed) {
      LOG.debug("the worker has ended, and something came after it");
    }
  }

  /** Runs something in this thread after a wait. */
  void schedule(Duration delay, Runnable task) {
    try {
      thread.schedule(guarded(task), Math.max(0, delay.toNanos()), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException closed) {
      LOG.debug("the worker has ended, and something was to come after it");
    }
  }

  /** Completes in this thread after a wait. */
  CompletableFuture<Void> after(Duration delay) {
    CompletableFuture<Void> over = new CompletableFuture<>();
    schedule(delay, () -> over.complete(null));
    return over;
  }

  private static Runnable guarded(Runnable task) {
    return () -> {
      try {
        task.run();
      } catch (RuntimeException fault) {
        // A fault of our own in one place must not silence the heartbeats.
        LOG.error("a fault in the worker's supervisor", fault);
      }
    };
  }

  void close() {
    thread.shutdownNow();
  }
}
