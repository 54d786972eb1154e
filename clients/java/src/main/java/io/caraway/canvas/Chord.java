package io.caraway.canvas;

/**
 * A group and what takes the list of its results. See {@link Canvas#chord}.
 *
 * @param header the group
 * @param body what follows
 */
public record Chord(Group header, Canvas body) implements Canvas {
  @Override
  public Chord stamp(String name, Object... values) {
    return new Chord(header.stamp(name, values), body.stamp(name, values));
  }
}
