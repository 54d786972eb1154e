package io.caraway.worker;

import java.time.Duration;

/**
 * Until when the leases are certainly held: a lease counts from its receipt, or from the sending of the last heartbeat
 * that was answered. So a worker that hears nothing stops when another one may start. Times are System.nanoTime's.
 */
final class Renewal {
  private Duration leaseDuration = Duration.ofSeconds(15);
  private long confirmed;
  private boolean heard;

  Duration leaseDuration() {
    return leaseDuration;
  }

  void setLeaseDuration(Duration duration) {
    leaseDuration = duration;
  }

  /** A heartbeat or Hello sent at this time was answered. */
  void confirm(long sent) {
    if (!heard || sent - confirmed > 0) {
      confirmed = sent;
      heard = true;
    }
  }

  long holdsUntil(Delivery delivery) {
    long from = heard && confirmed - delivery.received > 0 ? confirmed : delivery.received;
    return from + leaseDuration.toNanos();
  }
}
