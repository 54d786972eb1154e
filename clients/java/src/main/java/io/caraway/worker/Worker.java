package io.caraway.worker;

import io.caraway.Connection;
import io.caraway.Tracing;
import io.caraway.errors.CarawayException;
import io.caraway.errors.InvalidOptionException;
import io.caraway.internal.Caller;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs tasks: leases those that it has handlers for from its queues, runs each in a thread of its own pool, and reports.
 *
 * <p>Handlers run in {@code concurrency} threads; a thread that runs none of their code renews leases and sends reports, so a
 * busy task never loses its lease. A soft time limit and a cancellation tell the handler ({@link TaskContext#isCancelled},
 * {@link TaskContext#onCancel}); a hard limit and the end of a cancellation's grace interrupt its thread. A thread that
 * ignores its interrupt can't be killed in Java: the task's end is reported all the same, another thread takes its place
 * after a second, and the one that was given up goes on until it ends by itself, or the process does.
 */
public final class Worker implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger("io.caraway.worker");
  private static final Duration LAST_REPORTS = Duration.ofSeconds(10);
  private static final Duration KILL = Duration.ofSeconds(5);

  private final Builder settings;
  private final Supervisor supervisor;
  private final CompletableFuture<Void> left = new CompletableFuture<>();
  private final AtomicReference<CompletableFuture<Void>> leaving = new AtomicReference<>();
  private final CompletableFuture<Void> frozen = new CompletableFuture<>();
  private CompletableFuture<Void> welcomed;

  private Worker(Builder settings) {
    this.settings = settings;
    this.supervisor = new Supervisor(settings, this::drain);
  }

  /**
   * Begins a worker.
   *
   * @param target HOST:PORT; grpcs://HOST:PORT by TLS
   * @return its builder
   */
  public static Builder builder(String target) {
    return builder(Connection.to(target));
  }

  /**
   * Begins a worker.
   *
   * @param connection how the gateway is reached
   * @return its builder
   */
  public static Builder builder(Connection connection) {
    return new Builder(connection);
  }

  /**
   * Begins to work. Returns at once; the stream is opened again whenever it breaks.
   *
   * @return this
   */
  public synchronized Worker start() {
    if (welcomed == null) {
      welcomed = supervisor.start();
    }
    return this;
  }

  /**
   * Waits until the worker takes tasks.
   *
   * @param timeout how long to wait
   * @return this
   * @throws CarawayException where the gateway did not welcome it in time; it goes on trying
   */
  public Worker awaitReady(Duration timeout) {
    start();
    CompletableFuture<Void> late = new CompletableFuture<Void>().completeOnTimeout(null, timeout.toNanos(), TimeUnit.NANOSECONDS);
    Caller.join(CompletableFuture.anyOf(welcomed, late));
    if (!welcomed.isDone()) {
      throw new CarawayException("the gateway at " + settings.connection.target() + " did not welcome the worker within "
          + timeout.toMillis() / 1000.0 + " s; is it running (caraway server)?", null);
    }
    return this;
  }

  /**
   * Works until the process is told to end: SIGTERM and SIGINT drain, for as long as what runs takes, or the drain timeout
   * says. A second one stops: what runs is told, interrupted and handed back. Returns when the worker has left.
   */
  public void run() {
    // Before the first task: a signal that comes while one runs is heard.
    Thread hook = new Thread(() -> Caller.join(drain()), settings.name + "-drain");
    Runtime.getRuntime().addShutdownHook(hook);
    Runnable told = this::onSignal;
    EndSignals.listen(told);
    try {
      start();
      Caller.join(left);
    } finally {
      EndSignals.forget(told);
    }
  }

  private void onSignal() {
    if (leaving.get() == null) {
      drain();
    } else if (frozen.complete(null)) {
      LOG.warn("{} is told again to end: what runs is stopped and handed back", settings.name);
    }
  }

  /**
   * Takes no more tasks, hands back what has not started, lets the rest end (at most the drain timeout), and leaves.
   *
   * @return completes when it has left
   */
  public CompletableFuture<Void> drain() {
    if (leaving.compareAndSet(null, left)) {
      Thread thread = new Thread(this::leave, settings.name + "-leave");
      thread.start();
    }
    return left;
  }

  /**
   * Leaves at once: what runs is told and interrupted, and handed back.
   *
   * @return completes when it has left
   */
  public CompletableFuture<Void> stop() {
    frozen.complete(null);
    return drain();
  }

  private void leave() {
    try {
      start();
      LOG.info("{} drains: no more tasks are taken", settings.name);
      CompletableFuture<Void> quiet = supervisor.drain();
      CompletableFuture<Void> patience = settings.drainTimeout == null ? new CompletableFuture<>()
          : new CompletableFuture<Void>().completeOnTimeout(null, settings.drainTimeout.toNanos(), TimeUnit.NANOSECONDS);
      CompletableFuture.anyOf(quiet, patience, frozen).join();
      if (!quiet.isDone()) {
        supervisor.freeze("the worker stops before the task ended");
        quiet.copy().completeOnTimeout(null, KILL.toMillis(), TimeUnit.MILLISECONDS).join();
      }
      if (!supervisor.flush(LAST_REPORTS).join()) {
        LOG.error("some tasks could not be reported; their leases lapse and they run again");
      }
    } finally {
      supervisor.close();
      left.complete(null);
    }
  }

  /** Drains, and waits until the worker has left. */
  @Override
  public void close() {
    Caller.join(drain());
  }

  /** Builds a worker. */
  public static final class Builder {
    final Connection connection;
    final Handlers handlers = new Handlers();
    final Set<String> queues = new LinkedHashSet<>();
    int concurrency = Runtime.getRuntime().availableProcessors();
    String name = "java-" + ProcessHandle.current().pid() + "@" + Facts.host();
    Duration drainTimeout;
    Tracing tracing = Tracing.NONE;
    private HandlerOptions defaults = HandlerOptions.DEFAULT;

    private Builder(Connection connection) {
      this.connection = Objects.requireNonNull(connection, "connection");
    }

    /** What holds for a task: its handler's options, then the worker's. */
    HandlerOptions defaultsFor(HandlerOptions options) {
      return options.limits(
          options.softTimeLimit() == null ? defaults.softTimeLimit() : options.softTimeLimit(),
          options.timeLimit() == null ? defaults.timeLimit() : options.timeLimit());
    }

    /**
     * Leases from these queues; from "default" where none is named.
     *
     * @param names of the queues
     * @return this
     */
    public Builder queues(String... names) {
      return queues(List.of(names));
    }

    /**
     * Leases from these queues; from "default" where none is named.
     *
     * @param names of the queues
     * @return this
     */
    public Builder queues(Collection<String> names) {
      queues.addAll(names);
      return this;
    }

    /**
     * Sets how many tasks run at once.
     *
     * @param threads at least 1; as many as there are processors where none is set
     * @return this
     */
    public Builder concurrency(int threads) {
      if (threads < 1) {
        throw new InvalidOptionException("concurrency: write 1 or more, not " + threads);
      }
      this.concurrency = threads;
      return this;
    }

    /**
     * Sets the name that lists of workers show.
     *
     * @param name by default java-PID@HOST
     * @return this
     */
    public Builder name(String name) {
      this.name = name;
      return this;
    }

    /**
     * Runs tasks of a name.
     *
     * @param task the task's name
     * @param handler runs it
     * @return this
     */
    public Builder handle(String task, TaskHandler handler) {
      return handle(task, HandlerOptions.DEFAULT, handler);
    }

    /**
     * Runs tasks of a name, with options.
     *
     * @param task the task's name
     * @param options what holds where a call sets nothing
     * @param handler runs it
     * @return this
     */
    public Builder handle(String task, HandlerOptions options, TaskHandler handler) {
      handlers.add(task, options, handler);
      return this;
    }

    /**
     * Runs tasks of one argument.
     *
     * @param task the task's name
     * @param first the argument's type
     * @param handler runs it
     * @param <A> the argument's type
     * @return this
     */
    public <A> Builder handle(String task, Class<A> first, TaskHandler.One<A> handler) {
      return handle(task, context -> handler.run(context.arg(0, first)));
    }

    /**
     * Runs tasks of two arguments.
     *
     * @param task the task's name
     * @param first the first argument's type
     * @param second the second argument's type
     * @param handler runs it
     * @param <A> the first argument's type
     * @param <B> the second argument's type
     * @return this
     */
    public <A, B> Builder handle(String task, Class<A> first, Class<B> second, TaskHandler.Two<A, B> handler) {
      return handle(task, context -> handler.run(context.arg(0, first), context.arg(1, second)));
    }

    /**
     * Sets time limits for tasks that have none by their call or their handler.
     *
     * @param soft after this the handler is told to stop; null: never
     * @param hard after this the attempt has failed, and its thread is interrupted; null: never
     * @return this
     */
    public Builder timeLimits(Duration soft, Duration hard) {
      this.defaults = HandlerOptions.DEFAULT.limits(soft, hard);
      return this;
    }

    /**
     * Sets for how long a drain waits for what runs, before that is interrupted and handed back.
     *
     * @param timeout null: for as long as it takes
     * @return this
     */
    public Builder drainTimeout(Duration timeout) {
      this.drainTimeout = timeout;
      return this;
    }

    /**
     * Makes a span of each attempt, in the trace of whoever submitted the task.
     *
     * @param tracing for example an {@link io.caraway.OpenTelemetryTracing}
     * @return this
     */
    public Builder tracing(Tracing tracing) {
      this.tracing = Objects.requireNonNull(tracing);
      return this;
    }

    /**
     * Makes the worker; {@link Worker#run} or {@link Worker#start} begins its work.
     *
     * @return the worker
     * @throws InvalidOptionException where it has no handler, or a file of TLS or of the token can't be read
     */
    public Worker build() {
      if (handlers.names().isEmpty()) {
        throw new InvalidOptionException("handle: a worker runs at least one task");
      }
      if (queues.isEmpty()) {
        queues.add("default");
      }
      return new Worker(this);
    }
  }
}
