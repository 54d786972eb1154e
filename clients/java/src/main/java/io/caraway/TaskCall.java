package io.caraway;

import io.caraway.canvas.Canvas;
import io.caraway.internal.Protos;
import io.caraway.internal.Stamps;
import io.caraway.v1.TaskSpec;
import io.caraway.v1.TimeLimits;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** What to run, and how: a task's name, arguments and options. Immutable; alone it is the smallest {@link Canvas}. */
public final class TaskCall implements Canvas {
  private final TaskSpec spec;
  private final List<Object> args;
  private final Map<String, Object> kwargs;

  private TaskCall(Builder builder) {
    this.spec = builder.spec.build();
    this.args = Collections.unmodifiableList(new ArrayList<>(builder.args));
    this.kwargs = Collections.unmodifiableMap(new LinkedHashMap<>(builder.kwargs));
  }

  /**
   * Makes a call without options.
   *
   * @param name under which workers know the task
   * @param args its positional arguments
   * @return the call
   */
  public static TaskCall of(String name, Object... args) {
    return builder(name).args(args).build();
  }

  /**
   * Begins a call with options.
   *
   * @param name under which workers know the task
   * @return its builder
   */
  public static Builder builder(String name) {
    return new Builder(TaskSpec.newBuilder().setName(Objects.requireNonNull(name, "name")));
  }

  /**
   * Begins a copy of this call.
   *
   * @return a builder that holds all that this call has
   */
  public Builder toBuilder() {
    Builder builder = new Builder(spec.toBuilder());
    builder.args.addAll(args);
    builder.kwargs.putAll(kwargs);
    return builder;
  }

  /**
   * Its identity, and idempotency key.
   *
   * @return the id; empty: it gets one when it is submitted
   */
  public String id() {
    return spec.getTaskId();
  }

  /**
   * Under what name workers know the task.
   *
   * @return its name
   */
  public String name() {
    return spec.getName();
  }

  /**
   * Its positional arguments.
   *
   * @return them
   */
  public List<Object> args() {
    return args;
  }

  /**
   * Its named arguments.
   *
   * @return them
   */
  public Map<String, Object> kwargs() {
    return kwargs;
  }

  /**
   * Its options as the contract writes them; without arguments.
   *
   * @return the contract's message
   */
  public TaskSpec spec() {
    return spec;
  }

  @Override
  public TaskCall stamp(String name, Object... values) {
    return toBuilder().stamp(name, values).build();
  }

  @Override
  public String toString() {
    // No arguments: some are not to be seen in logs.
    return "TaskCall[" + name() + (id().isEmpty() ? "" : " " + id()) + "]";
  }

  /** Builds a call. Not for use by several threads at once. */
  public static final class Builder {
    private final TaskSpec.Builder spec;
    private final List<Object> args = new ArrayList<>();
    private final Map<String, Object> kwargs = new LinkedHashMap<>();

    private Builder(TaskSpec.Builder spec) {
      this.spec = spec;
    }

    /**
     * Adds positional arguments.
     *
     * @param values any that docs/payload.md has a form for, records and beans
     * @return this
     */
    public Builder args(Object... values) {
      args.addAll(Arrays.asList(values));
      return this;
    }

    /**
     * Adds positional arguments.
     *
     * @param values any that docs/payload.md has a form for, records and beans
     * @return this
     */
    public Builder argList(List<?> values) {
      args.addAll(values);
      return this;
    }

    /**
     * Adds a named argument.
     *
     * @param name its name
     * @param value its value
     * @return this
     */
    public Builder kwarg(String name, Object value) {
      kwargs.put(name, value);
      return this;
    }

    /**
     * Adds named arguments.
     *
     * @param values by name
     * @return this
     */
    public Builder kwargs(Map<String, ?> values) {
      kwargs.putAll(values);
      return this;
    }

    /**
     * Sets its identity, and idempotency key: the same id with the same call is one task however often it is submitted.
     *
     * @param id at most 255 characters; without it each submit makes a UUIDv7
     * @return this
     */
    public Builder id(String id) {
      spec.setTaskId(id);
      return this;
    }

    /**
     * Sets where it waits.
     *
     * @param queue letters, digits and _ . @ / # -; "default" where none is set
     * @return this
     */
    public Builder queue(String queue) {
      spec.setQueue(queue);
      return this;
    }

    /**
     * Sets how early it is leased.
     *
     * @param priority 0 to 9, higher first; 4 where none is set
     * @return this
     */
    public Builder priority(int priority) {
      spec.setPriority(priority);
      return this;
    }

    /**
     * Starts it no earlier than so long after its acceptance, by the store's clock.
     *
     * @param delay 0 to 10 years
     * @return this
     */
    public Builder delay(Duration delay) {
      spec.setDelay(Protos.write(delay));
      return this;
    }

    /**
     * Starts it no earlier than this.
     *
     * @param time at most 10 years ahead
     * @return this
     */
    public Builder startAt(Instant time) {
      spec.setScheduleTime(Protos.write(time));
      return this;
    }

    /**
     * Ends it as EXPIRED where it has not started so long after its acceptance.
     *
     * @param ttl above 0
     * @return this
     */
    public Builder expireAfter(Duration ttl) {
      spec.setTtl(Protos.write(ttl));
      return this;
    }

    /**
     * Ends it as EXPIRED where it has not started by then.
     *
     * @param time the instant
     * @return this
     */
    public Builder expireAt(Instant time) {
      spec.setExpireTime(Protos.write(time));
      return this;
    }

    /**
     * Tries failed attempts again; without it there is one attempt.
     *
     * @param policy when
     * @return this
     */
    public Builder retry(RetryPolicy policy) {
      spec.setRetryPolicy(policy.toProto());
      return this;
    }

    /**
     * Tells the task to stop after so long, in each attempt.
     *
     * @param limit above 0
     * @return this
     */
    public Builder softTimeLimit(Duration limit) {
      spec.setTimeLimits(limits().setSoft(Protos.write(limit)));
      return this;
    }

    /**
     * Ends each attempt after so long, as failed.
     *
     * @param limit above 0
     * @return this
     */
    public Builder timeLimit(Duration limit) {
      spec.setTimeLimits(limits().setHard(Protos.write(limit)));
      return this;
    }

    private TimeLimits.Builder limits() {
      return spec.getTimeLimits().toBuilder();
    }

    /**
     * Keeps a second task of the same key away.
     *
     * @param uniqueness the rule
     * @return this
     */
    public Builder unique(Uniqueness uniqueness) {
      spec.setUniqueness(uniqueness.toProto());
      return this;
    }

    /**
     * Says when a delivery counts as done.
     *
     * @param mode at least once, or at most once
     * @return this
     */
    public Builder ackMode(AckMode mode) {
      spec.setAckModeValue(mode.ordinal());
      return this;
    }

    /**
     * Adds a header: a text that workers are handed beside the arguments; it is no part of the task's identity.
     *
     * @param name its name
     * @param value its value
     * @return this
     */
    public Builder header(String name, String value) {
      spec.putHeaders(name, value);
      return this;
    }

    /**
     * Stamps the task: a mark to list and to revoke it by ({@link TaskQuery#stamp}, {@link CarawayClient#revokeStamped}),
     * which its handler may read. It is no part of the task's identity.
     *
     * @param name the stamp's name
     * @param values text, numbers and booleans; they take the place of those that it has under this name
     * @return this
     * @throws io.caraway.errors.InvalidOptionException for any other value, and integers beyond 2^53-1
     */
    public Builder stamp(String name, Object... values) {
      spec.putStamps(name, Stamps.write(name, Arrays.asList(values)));
      return this;
    }

    /**
     * Keeps no result of a success, only its state.
     *
     * @param ignore whether
     * @return this
     */
    public Builder ignoreResult(boolean ignore) {
      spec.setIgnoreResult(ignore);
      return this;
    }

    /**
     * Sets how long the ended task can be read.
     *
     * @param ttl at most 10 years; a day where none is set
     * @return this
     */
    public Builder resultTtl(Duration ttl) {
      spec.setResultTtl(Protos.write(ttl));
      return this;
    }

    /**
     * Sets what lists and logs show instead of the arguments.
     *
     * @param args for the positional ones, at most 1,024 characters
     * @param kwargs for the named ones, at most 1,024 characters
     * @return this
     */
    public Builder shownAs(String args, String kwargs) {
      spec.setArgsRepr(args).setKwargsRepr(kwargs);
      return this;
    }

    /**
     * Makes the call.
     *
     * @return the call
     */
    public TaskCall build() {
      return new TaskCall(this);
    }
  }
}
