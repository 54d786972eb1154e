package io.caraway.canvas;

import io.caraway.TaskCall;

/**
 * A canvas and a task that runs when it has failed. See {@link Canvas#onError}.
 *
 * @param canvas what may fail
 * @param errback what runs then, with the failure as first argument
 */
public record Guarded(Canvas canvas, TaskCall errback) implements Canvas {
  @Override
  public Guarded stamp(String name, Object... values) {
    return new Guarded(canvas.stamp(name, values), errback.stamp(name, values));
  }
}
