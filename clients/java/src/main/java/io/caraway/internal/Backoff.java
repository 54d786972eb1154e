package io.caraway.internal;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** Waits between tries: doubling, bounded, jittered. */
public final class Backoff {
  private static final int MOST_DOUBLINGS = 16;

  private final double first;
  private final double longest;
  private final double least;
  private int tries;

  /**
   * Makes one.
   *
   * @param first the first wait at most, in seconds
   * @param longest no wait is longer, in seconds
   * @param least the part of each wait that is not left to chance, 0 to 1
   */
  public Backoff(double first, double longest, double least) {
    this.first = first;
    this.longest = longest;
    this.least = least;
  }

  /** Gives how long to wait now. */
  public Duration next() {
    double most = Math.min(longest, first * (1L << Math.min(tries, MOST_DOUBLINGS)));
    tries++;
    double wait = most * (least + (1 - least) * ThreadLocalRandom.current().nextDouble());
    return Duration.ofNanos((long) (wait * 1e9));
  }

  /** Starts anew with the first wait. */
  public void reset() {
    tries = 0;
  }
}
