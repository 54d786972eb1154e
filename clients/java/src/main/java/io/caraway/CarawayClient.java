package io.caraway;

import io.caraway.canvas.Canvas;
import io.caraway.canvas.Compiler;
import io.caraway.errors.CarawayException;
import io.caraway.errors.InvalidOptionException;
import io.caraway.errors.PayloadException;
import io.caraway.errors.TaskException;
import io.caraway.errors.WaitTimeoutException;
import io.caraway.internal.Caller;
import io.caraway.internal.Specs;
import io.caraway.internal.Waiting;
import io.caraway.internal.Workflows;
import io.caraway.v1.TaskSpec;
import java.time.Duration;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * Submits tasks to one gateway, waits for them, watches and revokes them. One for a whole program, from any thread; close it
 * at the end. Connects at the first call.
 *
 * <p>Calls block; those that submit, wait, read and revoke have a form that ends in Async and gives a CompletableFuture, which
 * fails by the same exceptions. Calls that the gateway does not answer are tried again for 20 s: every task has an id before it is sent, so
 * a repeated submit is the same task. An interrupt ends a blocking call with a CarawayException.
 */
public final class CarawayClient implements AutoCloseable {
  private final Caller caller;
  private final Duration retryFor;
  private final Specs specs;
  private final TaskCalls calls;
  private final Workflows workflows;

  private CarawayClient(Builder builder) {
    this.retryFor = builder.retryFor;
    this.caller = new Caller(builder.connection, builder.retryFor);
    this.specs = new Specs(builder.tracing, builder.compression);
    this.calls = new TaskCalls(this, caller);
    this.workflows = new Workflows(caller);
  }

  /**
   * Makes a client.
   *
   * @param target HOST:PORT; grpcs://HOST:PORT by TLS
   * @return the client
   */
  public static CarawayClient connect(String target) {
    return builder(Connection.to(target)).build();
  }

  /**
   * Makes a client by CARAWAY_TARGET and its like; see {@link Connection#fromEnvironment}.
   *
   * @return the client
   */
  public static CarawayClient connect() {
    return builder(Connection.fromEnvironment()).build();
  }

  /**
   * Begins a client with options.
   *
   * @param connection how the gateway is reached
   * @return its builder
   */
  public static Builder builder(Connection connection) {
    return new Builder(connection);
  }

  /**
   * Submits a task without options.
   *
   * @param name under which workers know the task
   * @param args its positional arguments
   * @return the accepted task
   * @throws PayloadException where an argument has no form
   * @throws CarawayException where the gateway refuses, or stays away
   */
  public SubmittedTask submit(String name, Object... args) {
    return submit(TaskCall.of(name, args));
  }

  /**
   * Submits a task.
   *
   * @param call what to run, and how
   * @return the accepted task; where its uniqueness says so, the one that is there already
   * @throws PayloadException where an argument has no form
   * @throws CarawayException where the gateway refuses, or stays away
   */
  public SubmittedTask submit(TaskCall call) {
    return Caller.join(submitAsync(call));
  }

  /**
   * As {@link #submit(TaskCall)}.
   *
   * @param call what to run, and how
   * @return the accepted task to come
   */
  public CompletableFuture<SubmittedTask> submitAsync(TaskCall call) {
    return calls.submit(specs.alone(call));
  }

  /**
   * Submits many tasks, in as few calls as their count and size allow; each is accepted or refused for itself.
   *
   * @param all what to run
   * @return for each, in order, what became of it
   * @throws PayloadException where an argument has no form; nothing is sent then
   */
  public List<SubmitOutcome> submitAll(Collection<TaskCall> all) {
    return Caller.join(submitAllAsync(all));
  }

  /**
   * As {@link #submitAll}.
   *
   * @param all what to run
   * @return for each, in order, what became of it
   */
  public CompletableFuture<List<SubmitOutcome>> submitAllAsync(Collection<TaskCall> all) {
    List<TaskSpec> written = all.stream().map(specs::alone).toList();
    return calls.submitAll(written);
  }

  /**
   * Submits a chain, group or chord.
   *
   * @param canvas what to run
   * @return the task whose outcome is the whole's; of a group its collect, whose outcome is a list
   * @throws InvalidOptionException where it is empty
   * @throws CarawayException where the gateway refuses, or stays away
   */
  public SubmittedTask submit(Canvas canvas) {
    return Caller.join(submitAsync(canvas));
  }

  /**
   * As {@link #submit(Canvas)}.
   *
   * @param canvas what to run
   * @return the task to come
   */
  public CompletableFuture<SubmittedTask> submitAsync(Canvas canvas) {
    if (canvas instanceof TaskCall call) {
      return submitAsync(call);
    }
    Compiler.Compiled compiled = Compiler.compile(canvas, specs);
    return workflows.submit(compiled.nodes()).thenApply(nothing -> new SubmittedTask(this, compiled.outputId()));
  }

  /**
   * Submits a task and waits for its end, in one call where that is soon.
   *
   * @param call what to run, and how
   * @param timeout how long to wait; null: for ever
   * @return how it ended
   * @throws WaitTimeoutException where the time is over; the task goes on
   */
  public TaskInfo run(TaskCall call, Duration timeout) {
    return Caller.join(runAsync(call, timeout));
  }

  /**
   * As {@link #run}.
   *
   * @param call what to run, and how
   * @param timeout how long to wait; null: for ever
   * @return how it ended
   */
  public CompletableFuture<TaskInfo> runAsync(TaskCall call, Duration timeout) {
    return Waiting.run(caller, specs.alone(call), timeout).thenApply(TaskInfo::new);
  }

  /**
   * Gives the handle of a task that was submitted before, here or elsewhere. Calls nothing.
   *
   * @param id the task's id
   * @return its handle
   */
  public SubmittedTask task(String id) {
    return new SubmittedTask(this, Objects.requireNonNull(id, "id"));
  }

  /**
   * Reads a task as it stands.
   *
   * @param id the task's id
   * @return the task, with progress and result
   * @throws io.caraway.errors.NotFoundException where there is none of this id
   */
  public TaskInfo get(String id) {
    return Caller.join(getAsync(id));
  }

  /**
   * As {@link #get}.
   *
   * @param id the task's id
   * @return the task to come
   */
  public CompletableFuture<TaskInfo> getAsync(String id) {
    return calls.get(id);
  }

  /**
   * Waits for a task's end, however that is, through outages of the gateway.
   *
   * @param id the task's id
   * @param timeout how long to wait; null: for ever
   * @return how it ended
   * @throws WaitTimeoutException where the time is over; the task goes on
   */
  public TaskInfo await(String id, Duration timeout) {
    return Caller.join(awaitAsync(id, timeout));
  }

  /**
   * As {@link #await}.
   *
   * @param id the task's id
   * @param timeout how long to wait; null: for ever
   * @return how it ended
   */
  public CompletableFuture<TaskInfo> awaitAsync(String id, Duration timeout) {
    return Waiting.until(caller, id, timeout).thenApply(TaskInfo::new);
  }

  /** Waits for the plain value of a task's outcome; a collect's is a list. */
  CompletableFuture<Object> outcome(String id, Duration timeout) {
    return Waiting.until(caller, id, timeout).thenCompose(workflows::outcome);
  }

  /**
   * Follows tasks until all have ended; a stream that breaks is taken up again where it broke.
   *
   * @param ids of the tasks, at most the gateway's largest batch
   * @return the watch, to be closed
   */
  public TaskWatch watch(Collection<String> ids) {
    return new TaskWatch(caller, retryFor, List.copyOf(ids));
  }

  /**
   * Lists tasks, page after page as the stream is read.
   *
   * @param query which
   * @return the tasks, without arguments and results
   */
  public Stream<TaskInfo> list(TaskQuery query) {
    Iterator<TaskInfo> pages = calls.pages(query);
    return StreamSupport.stream(Spliterators.spliteratorUnknownSize(pages, Spliterator.ORDERED), false);
  }

  /**
   * Lists one page of tasks.
   *
   * @param query which; the same for all pages
   * @param token the last page's token; empty: begin
   * @return the page to come
   */
  public CompletableFuture<TaskPage> pageAsync(TaskQuery query, String token) {
    return calls.page(query, token);
  }

  /**
   * Revokes tasks. Works with no worker up; a revoked task that has not started never starts.
   *
   * @param ids of the tasks
   * @param options how
   * @return for each, in order, what became of it
   */
  public List<RevokeOutcome> revoke(Collection<String> ids, RevokeOptions options) {
    return Caller.join(revokeAsync(ids, options));
  }

  /**
   * As {@link #revoke}.
   *
   * @param ids of the tasks
   * @param options how
   * @return for each, in order, what became of it
   */
  public CompletableFuture<List<RevokeOutcome>> revokeAsync(Collection<String> ids, RevokeOptions options) {
    return calls.revoke(ids, options);
  }

  /**
   * Revokes all tasks that have at least one of the stamps: what waits, what runs, and what waits for others in a workflow.
   * Each task that has not ended is looked at, page by page; what is submitted meanwhile may be missed.
   *
   * @param stamps at least one: its name, and a value or a collection of values of which any counts
   * @param options how
   * @return the ids of those that are revoked, or asked to end
   * @throws InvalidOptionException where no stamp is named, or for what can't be one
   */
  public List<String> revokeStamped(Map<String, ?> stamps, RevokeOptions options) {
    return new StampedRevocation(calls, caller, stamps, options).run();
  }

  /**
   * Sends tasks that ended without success back to their queues.
   *
   * @param ids of the tasks
   * @return for each, in order, what became of it
   */
  public List<RetryOutcome> retry(Collection<String> ids) {
    return Caller.join(calls.retry(ids));
  }

  /**
   * Forgets ended tasks with their results.
   *
   * @param ids of the tasks
   * @return for each, in order, what became of it
   */
  public List<DeleteOutcome> delete(Collection<String> ids) {
    return Caller.join(calls.delete(ids));
  }

  /** Closes the connection. Calls under way fail. */
  @Override
  public void close() {
    caller.close();
  }

  /** Builds a client. */
  public static final class Builder {
    private final Connection connection;
    private Duration retryFor = Caller.RETRY_FOR;
    private Tracing tracing = Tracing.NONE;
    private String compression = "";

    private Builder(Connection connection) {
      this.connection = connection;
    }

    /**
     * Sets for how long a call is tried again while the gateway, or its store, is away.
     *
     * @param time below 9 min, so that a repeated submit is never a second task; 20 s where none is set
     * @return this
     */
    public Builder retryFor(Duration time) {
      if (time.isNegative() || time.compareTo(Duration.ofMinutes(9)) > 0) {
        throw new InvalidOptionException("retryFor: write 0 to 9 minutes, not " + time);
      }
      this.retryFor = time;
      return this;
    }

    /**
     * Sends the context of traces along with tasks.
     *
     * @param tracing for example an {@link OpenTelemetryTracing}
     * @return this
     */
    public Builder tracing(Tracing tracing) {
      this.tracing = Objects.requireNonNull(tracing);
      return this;
    }

    /**
     * Compresses arguments where that makes them smaller.
     *
     * @param encoding gzip, zlib, or zstd (needs com.github.luben:zstd-jni)
     * @return this
     */
    public Builder compression(String encoding) {
      this.compression = encoding;
      return this;
    }

    /**
     * Makes the client; it connects at its first call.
     *
     * @return the client
     * @throws InvalidOptionException where a file of TLS or of the token can't be read
     */
    public CarawayClient build() {
      return new CarawayClient(this);
    }
  }
}
