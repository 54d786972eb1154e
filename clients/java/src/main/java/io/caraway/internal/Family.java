package io.caraway.internal;

import java.util.Map;

/** Of which task a thread runs the handler: what that submits is of its family. */
public final class Family {
  /** Header with the id of the first task of a family. */
  public static final String ROOT = "caraway-root-id";

  /** Header with the id of the task that submitted this one, or that comes before it. */
  public static final String PARENT = "caraway-parent-id";

  /** Header with the id of the collect that a task is a member of. */
  public static final String GROUP = "caraway-group-id";

  private record Member(String root, String id) {}

  private static final ThreadLocal<Member> CURRENT = new ThreadLocal<>();

  private Family() {}

  /** From now on this thread runs the handler of a task. */
  public static void enter(String taskId, Map<String, String> headers) {
    CURRENT.set(new Member(headers.getOrDefault(ROOT, taskId), taskId));
  }

  /** No longer. */
  public static void leave() {
    CURRENT.remove();
  }

  /** The root of what this thread submits; {@code otherwise} where it runs no handler. */
  public static String root(String otherwise) {
    Member member = CURRENT.get();
    return member == null ? otherwise : member.root;
  }

  /** The task that this thread runs; empty: none. */
  public static String parent() {
    Member member = CURRENT.get();
    return member == null ? "" : member.id;
  }

  /** Adds the family of the task that this thread runs to the headers of one that it submits. */
  public static void inherit(Map<String, String> headers) {
    Member member = CURRENT.get();
    if (member != null) {
      headers.putIfAbsent(ROOT, member.root);
      headers.putIfAbsent(PARENT, member.id);
    }
  }
}
