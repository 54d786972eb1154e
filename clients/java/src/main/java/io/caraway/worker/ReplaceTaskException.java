package io.caraway.worker;

import io.caraway.canvas.Canvas;
import java.util.Objects;

/**
 * The task gives its place to a canvas: it is REPLACED until that has ended, and then ends as that did, under its own id.
 * What waits for it, or follows it, gets the canvas's outcome. The canvas is stamped as the task is.
 */
public class ReplaceTaskException extends TaskOutcomeException {
  private static final long serialVersionUID = 1L;

  /** Never sent as Java's own form. */
  private final transient Canvas canvas;

  /**
   * Gives the task's place away.
   *
   * @param canvas a task, a chain or a chord; no group, for the contract wants a task whose outcome counts: close one with a
   *     task of your own that takes its list
   */
  public ReplaceTaskException(Canvas canvas) {
    super("the task gives its place to a canvas", null);
    this.canvas = Objects.requireNonNull(canvas, "canvas");
  }

  /**
   * What runs instead.
   *
   * @return the canvas
   */
  public Canvas canvas() {
    return canvas;
  }
}
