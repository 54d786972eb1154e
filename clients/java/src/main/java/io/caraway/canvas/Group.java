package io.caraway.canvas;

import java.util.List;

/**
 * Tasks side by side. See {@link Canvas#group(Canvas...)}.
 *
 * @param members in the order of their results
 */
public record Group(List<Canvas> members) implements Canvas {
  @Override
  public Group stamp(String name, Object... values) {
    return new Group(members.stream().map(member -> member.stamp(name, values)).toList());
  }
}
