package io.caraway;

/** When a delivery counts as done. */
public enum AckMode {
  /** As the worker's definition of the task says. */
  BY_WORKER,
  /** When its outcome is reported: at least once. A lost delivery runs again. */
  ON_FINISH,
  /** When its start is confirmed: at most once. One that is lost once it has started never runs again. */
  ON_START
}
