package io.caraway.canvas;

import io.caraway.TaskCall;
import java.util.List;

/**
 * What a client submits as a whole: a {@link TaskCall}, or a {@link Chain}, {@link Group} or {@link Chord} of others. They
 * nest. No other class is to implement this.
 */
public interface Canvas {
  /**
   * Tasks one after the other: each starts when the one before has succeeded, with its result as first argument.
   *
   * @param steps in their order; what follows a group gets the list of the group's results
   * @return the chain; its outcome is that of its last step
   */
  static Chain chain(Canvas... steps) {
    return new Chain(List.of(steps));
  }

  /**
   * Tasks side by side.
   *
   * @param members in any number
   * @return the group; its outcome is the list of theirs, in this order
   */
  static Group group(Canvas... members) {
    return new Group(List.of(members));
  }

  /**
   * As the other one, of a list.
   *
   * @param members in any number
   * @return the group; its outcome is the list of theirs, in this order
   */
  static Group group(List<? extends Canvas> members) {
    return new Group(List.copyOf(members));
  }

  /**
   * A group, and a body that runs once all of it has succeeded, with the list of its results as first argument.
   *
   * @param header the group
   * @param body what follows
   * @return the chord; its outcome is its body's
   */
  static Chord chord(Group header, Canvas body) {
    return new Chord(header, body);
  }

  /**
   * Adds what comes after this, with its outcome as first argument.
   *
   * @param next what follows
   * @return the chain of both
   */
  default Chain then(Canvas next) {
    return chain(this, next);
  }

  /**
   * Adds a task that runs when this has failed, whatever of it did, with the failure as first argument.
   *
   * @param errback the task
   * @return this canvas with it
   */
  default Guarded onError(TaskCall errback) {
    return new Guarded(this, errback);
  }

  /**
   * Stamps all tasks of this, and those of its error edges: marks to list and to revoke them by
   * ({@link io.caraway.CarawayClient#revokeStamped}), which their handlers may read.
   *
   * @param name the stamp's name
   * @param values text, numbers and booleans; they take the place of those that a task has under this name
   * @return a copy with the stamp
   * @throws io.caraway.errors.InvalidOptionException for any other value, and integers beyond 2^53-1
   */
  Canvas stamp(String name, Object... values);
}
