package io.caraway.worker;

import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The supervisor's one thread: it runs the stream, heartbeats and reports, and no code of users. */
final class Loop implements Executor {
  private static final Logger LOG = LoggerFactory.getLogger("io.caraway.worker");

  /** After so many, timers that are due have their turn. */
  private static final int MOST_IN_A_ROUND = 256;

  private final ScheduledThreadPoolExecutor thread;
  private final Queue<Runnable> ready = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean awake = new AtomicBoolean();

  Loop(String name) {
    thread = new ScheduledThreadPoolExecutor(1, task -> {
      Thread made = new Thread(task, name + "-supervisor");
      made.setDaemon(true);
      return made;
    });
    thread.setRemoveOnCancelPolicy(true);
    thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  /**
   * Runs something in this thread, soon, in the order of the calls. Once closed, never. What comes while the thread is at work
   * goes by a plain queue: the pool's own one is a heap for timers, and wakes the thread for each.
   */
  @Override
  public void execute(Runnable task) {
    ready.add(task);
    wake();
  }

  private void wake() {
    if (awake.compareAndSet(false, true)) {
      try {
        thread.execute(this::round);
      } catch (RejectedExecutionException closed) {
        LOG.debug("the worker has ended, and something came after it");
      }
    }
  }

  private void round() {
    for (int left = MOST_IN_A_ROUND; left > 0; left--) {
      Runnable task = ready.poll();
      if (task == null) {
        break;
      }
      run(task);
    }
    awake.set(false);
    if (!ready.isEmpty()) {
      wake();
    }
  }

  /** Runs something in this thread after a wait. */
  void schedule(Duration delay, Runnable task) {
    try {
      thread.schedule(() -> run(task), Math.max(0, delay.toNanos()), TimeUnit.NANOSECONDS);
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

  private static void run(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException | Error fault) {
      // A fault of our own in one place must not silence the heartbeats.
      LOG.error("a fault in the worker's supervisor", fault);
    }
  }

  void close() {
    thread.shutdownNow();
  }
}
