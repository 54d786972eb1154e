package io.caraway;

import java.time.Duration;
import java.util.function.Supplier;

/** The gateway that tests run against: the one that CARAWAY_TARGET names. */
public final class Gateway {
  /** What anything may take. */
  public static final Duration PATIENCE = Duration.ofSeconds(30);

  private Gateway() {}

  /** Its address; fails where there is none. */
  public static String target() {
    String target = System.getenv("CARAWAY_TARGET");
    if (target == null || target.isEmpty()) {
      throw new AssertionError("these tests need a gateway: name its address in CARAWAY_TARGET");
    }
    return target;
  }

  /** Asks until the answer is true. */
  public static void eventually(String what, Supplier<Boolean> check) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!check.get()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("did not come true: " + what);
      }
      Thread.onSpinWait();
    }
  }
}
