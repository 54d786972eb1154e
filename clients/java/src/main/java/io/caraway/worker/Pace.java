package io.caraway.worker;

/**
 * How many tasks a slot may hold: enough to keep it busy for 50 ms, by the run times that were measured. It starts as if
 * tasks were long, and learns within some tens of tasks that they are short.
 */
final class Pace {
  private static final double TARGET_NANOS = 50e6;
  private static final int MOST = 128;
  private static final double WEIGHT = 1.0 / 8;

  private double mean = TARGET_NANOS;

  /** Takes in the run time of a task; one sample counts at most 50 ms, so that a single long task is soon forgotten. */
  void add(long nanos) {
    mean += (Math.min(nanos, TARGET_NANOS) - mean) * WEIGHT;
  }

  int perSlot() {
    return (int) Math.max(1, Math.min(MOST, TARGET_NANOS / Math.max(mean, 1e3) + 1e-9));
  }
}
