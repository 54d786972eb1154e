package io.caraway;

import io.caraway.internal.Protos;
import io.caraway.internal.Stamps;
import io.caraway.v1.TaskFilter;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collection;

/** Which tasks to list: what is set must all hold. Immutable. Naming states makes it cheap. */
public final class TaskQuery {
  private final TaskFilter filter;
  private final int pageSize;

  private TaskQuery(TaskFilter filter, int pageSize) {
    this.filter = filter;
    this.pageSize = pageSize;
  }

  /**
   * Chooses all tasks.
   *
   * @return the query
   */
  public static TaskQuery all() {
    return new TaskQuery(TaskFilter.getDefaultInstance(), 0);
  }

  /**
   * Chooses tasks in some states.
   *
   * @param states one of these; BLOCKED and REPLACED ones can't be listed
   * @return the query
   */
  public TaskQuery states(TaskState... states) {
    TaskFilter.Builder made = filter.toBuilder().clearStates();
    for (TaskState state : states) {
      made.addStatesValue(state.ordinal());
    }
    return new TaskQuery(made.build(), pageSize);
  }

  /**
   * Chooses tasks of some names.
   *
   * @param names one of these
   * @return the query
   */
  public TaskQuery names(Collection<String> names) {
    return new TaskQuery(filter.toBuilder().clearNames().addAllNames(names).build(), pageSize);
  }

  /**
   * Chooses tasks of some queues.
   *
   * @param queues in, or from, one of these
   * @return the query
   */
  public TaskQuery queues(Collection<String> queues) {
    return new TaskQuery(filter.toBuilder().clearQueues().addAllQueues(queues).build(), pageSize);
  }

  /**
   * Chooses tasks that ended with errors of some kinds.
   *
   * @param kinds one of these
   * @return the query
   */
  public TaskQuery errorKinds(ErrorKind... kinds) {
    TaskFilter.Builder made = filter.toBuilder().clearErrorKinds();
    for (ErrorKind kind : kinds) {
      made.addErrorKindsValue(kind.ordinal());
    }
    return new TaskQuery(made.build(), pageSize);
  }

  /**
   * Chooses tasks that have at least one of the stamps that were named here. Stamps have no index: name states, too.
   *
   * @param name a stamp's name
   * @param values one of these, under this name
   * @return the query
   * @throws io.caraway.errors.InvalidOptionException for a value that is no text, number or boolean
   */
  public TaskQuery stamp(String name, Object... values) {
    TaskFilter.Builder made = filter.toBuilder().putStamps(name, Stamps.write(name, Arrays.asList(values)));
    return new TaskQuery(made.build(), pageSize);
  }

  /**
   * Chooses tasks by when they were accepted.
   *
   * @param from at this time or later
   * @param until before this time
   * @return the query
   */
  public TaskQuery created(Instant from, Instant until) {
    TaskFilter.Builder made =
        filter.toBuilder().setCreatedAfter(Protos.write(from)).setCreatedBefore(Protos.write(until));
    return new TaskQuery(made.build(), pageSize);
  }

  /**
   * Sets how many tasks are read in one call.
   *
   * @param size 1 to the gateway's largest batch; 50 where none is set
   * @return the query
   */
  public TaskQuery pageSize(int size) {
    return new TaskQuery(filter, size);
  }

  TaskFilter filter() {
    return filter;
  }

  int size() {
    return pageSize;
  }
}
