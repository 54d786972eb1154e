package io.caraway.worker;

import io.caraway.errors.InvalidOptionException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** Handlers by the names of their tasks. */
final class Handlers {
  /**
   * A handler and its options.
   *
   * @param handler runs the task
   * @param options what holds where a call sets nothing
   */
  record Entry(TaskHandler handler, HandlerOptions options) {}

  private final Map<String, Entry> byName = new LinkedHashMap<>();

  void add(String name, HandlerOptions options, TaskHandler handler) {
    if (name.isEmpty()) {
      throw new InvalidOptionException("handle: a task has a name");
    }
    if (byName.putIfAbsent(name, new Entry(handler, options)) != null) {
      throw new InvalidOptionException("handle: the task " + name + " has a handler already");
    }
  }

  Set<String> names() {
    return byName.keySet();
  }

  /** Null for a name that was never asked for. */
  Entry get(String name) {
    return byName.get(name);
  }
}
