package io.caraway.canvas;

import java.util.List;

/**
 * Tasks one after the other. See {@link Canvas#chain}.
 *
 * @param steps in their order
 */
public record Chain(List<Canvas> steps) implements Canvas {
  @Override
  public Chain stamp(String name, Object... values) {
    return new Chain(steps.stream().map(step -> step.stamp(name, values)).toList());
  }
}
