package io.caraway.worker;

import com.fasterxml.jackson.core.type.TypeReference;
import io.caraway.errors.PayloadException;
import io.caraway.internal.Stamps;
import io.caraway.payload.Arguments;
import io.caraway.payload.Payloads;
import io.caraway.v1.Payload;
import io.caraway.v1.TaskLease;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;

/** One attempt at a task, as its handler sees it: arguments, facts, progress, cancellation. For any thread. */
public final class TaskContext {
  private final TaskLease lease;
  private final String worker;
  private final BiConsumer<Payload, String> report;
  private final Executor notifier;
  private final List<Runnable> listeners = new ArrayList<>();
  private volatile Arguments arguments = new Arguments(List.of(), Map.of());
  private volatile Cancellation cancellation;
  private volatile String reason = "";

  /** {@code notifier} runs listeners: not the supervisor's thread, which runs no code of users. */
  TaskContext(TaskLease lease, String worker, Executor notifier, BiConsumer<Payload, String> report) {
    this.lease = lease;
    this.worker = worker;
    this.notifier = notifier;
    this.report = report;
  }

  void setArguments(Arguments arguments) {
    this.arguments = arguments;
  }

  /**
   * The task's identity.
   *
   * @return its id
   */
  public String id() {
    return lease.getTask().getTaskId();
  }

  /**
   * Under what name it was submitted.
   *
   * @return its name
   */
  public String name() {
    return lease.getTask().getName();
  }

  /**
   * Where it came from.
   *
   * @return its queue
   */
  public String queue() {
    return lease.getTask().getQueue();
  }

  /**
   * Which attempt this is.
   *
   * @return 1 on the first one
   */
  public int attempt() {
    return lease.getAttempt();
  }

  /**
   * How often the task has been handed out, this time included.
   *
   * @return above {@link #attempt}: it was delivered before and may have run
   */
  public int deliveryCount() {
    return lease.getDeliveryCount();
  }

  /**
   * Grows with every delivery of the task: store it with what the task writes, to refuse a stale worker's write.
   *
   * @return the fence
   */
  public long fence() {
    return lease.getFence();
  }

  /**
   * The worker that runs it.
   *
   * @return the worker's name
   */
  public String worker() {
    return worker;
  }

  /**
   * What it was submitted with beside its arguments.
   *
   * @return its headers
   */
  public Map<String, String> headers() {
    return lease.getTask().getHeadersMap();
  }

  /**
   * What it was stamped with.
   *
   * @return the values of each stamp by its name: String, Boolean, Long (for whole numbers) or Double
   */
  public Map<String, List<Object>> stamps() {
    return Stamps.read(lease.getTask().getStampsMap());
  }

  /**
   * Positional arguments, with what nodes before it in its workflow handed on.
   *
   * @return plain values
   */
  public List<Object> args() {
    return arguments.args();
  }

  /**
   * Named arguments.
   *
   * @return plain values
   */
  public Map<String, Object> kwargs() {
    return arguments.kwargs();
  }

  /**
   * A positional argument.
   *
   * @param place 0 is the first
   * @param type the type that is wanted
   * @param <T> the type that is wanted
   * @return its value
   * @throws PayloadException where it is missing or of another type: the task fails for good
   */
  public <T> T arg(int place, Class<T> type) {
    return Payloads.convert(arg(place), type);
  }

  /**
   * A positional argument of a generic type.
   *
   * @param place 0 is the first
   * @param type the type that is wanted
   * @param <T> the type that is wanted
   * @return its value
   * @throws PayloadException where it is missing or of another type: the task fails for good
   */
  public <T> T arg(int place, TypeReference<T> type) {
    return Payloads.convert(arg(place), type);
  }

  private Object arg(int place) {
    List<Object> args = args();
    if (place >= args.size()) {
      throw new PayloadException("the task " + name() + " wants an argument at place " + place + ", and was called with "
          + args.size());
    }
    return args.get(place);
  }

  /**
   * A named argument.
   *
   * @param key its name
   * @param type the type that is wanted
   * @param <T> the type that is wanted
   * @return its value; null where it is missing
   * @throws PayloadException where it is of another type: the task fails for good
   */
  public <T> T kwarg(String key, Class<T> type) {
    Object plain = kwargs().get(key);
    return plain == null ? null : Payloads.convert(plain, type);
  }

  /**
   * All named arguments as one record or bean.
   *
   * @param type the type that is wanted
   * @param <T> the type that is wanted
   * @return its value
   * @throws PayloadException where they make none: the task fails for good
   */
  public <T> T kwargsAs(Class<T> type) {
    return Payloads.convert(kwargs(), type);
  }

  /**
   * Tells how far the task is; callers see it at once.
   *
   * @param detail anything; replaces the last
   * @throws PayloadException where it has no form
   */
  public void progress(Object detail) {
    progress(detail, "");
  }

  /**
   * As the other one, with a state of the task's own making.
   *
   * @param detail anything; replaces the last
   * @param customState shown beside RUNNING
   * @throws PayloadException where it has no form
   */
  public void progress(Object detail, String customState) {
    report.accept(Payloads.write(detail), customState == null ? "" : customState);
  }

  /**
   * Why the handler is told to stop.
   *
   * @return null: it is not
   */
  public Cancellation cancellation() {
    return cancellation;
  }

  /**
   * Whether the handler is told to stop.
   *
   * @return true: end soon; {@link #throwIfCancelled} is one way
   */
  public boolean isCancelled() {
    return cancellation != null;
  }

  /**
   * Ends the attempt where the handler is told to stop.
   *
   * @throws SoftTimeLimitException where the soft time limit struck
   * @throws TaskCancelledException for any other reason
   */
  public void throwIfCancelled() {
    Cancellation why = cancellation;
    if (why == Cancellation.SOFT_TIME_LIMIT) {
      throw new SoftTimeLimitException(reason);
    }
    if (why != null) {
      throw new TaskCancelledException(reason);
    }
  }

  /**
   * Has something called when the handler is told to stop; at once where it is already. It is called again where a
   * cancellation follows a soft time limit. It runs in a thread of the worker's.
   *
   * @param listener what is called
   */
  public void onCancel(Runnable listener) {
    synchronized (listeners) {
      listeners.add(listener);
      if (cancellation == null) {
        return;
      }
    }
    listener.run();
  }

  /** Tells the handler to stop. */
  void cancel(Cancellation why, String text) {
    List<Runnable> told;
    synchronized (listeners) {
      reason = text;
      cancellation = why;
      told = List.copyOf(listeners);
    }
    told.forEach(notifier::execute);
  }
}
