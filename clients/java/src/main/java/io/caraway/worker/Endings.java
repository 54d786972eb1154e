package io.caraway.worker;

import io.caraway.v1.TaskReport;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How deliveries end: by themselves, or by an order. In the supervisor's thread only. */
final class Endings {
  static final String EXPIRED = "it expired before it started";
  static final String STALE = "no slot was free in time";

  private static final Logger LOG = LoggerFactory.getLogger("io.caraway.worker");
  /** A thread that has not ended so long after its interrupt is given up. */
  private static final Duration STUCK = Duration.ofSeconds(1);

  private final Supervisor supervisor;
  private final Crew crew;
  private final Arrivals arrivals;
  private final Loop loop;

  Endings(Supervisor supervisor, Crew crew, Arrivals arrivals, Loop loop) {
    this.supervisor = supervisor;
    this.crew = crew;
    this.arrivals = arrivals;
    this.loop = loop;
  }

  /** Its handler is through. What an order says stands over what the handler left, where it gave way to that order. */
  void onDone(Delivery delivery, Attempt.Ended ended) {
    Stop stop = delivery.stop;
    boolean succeeded = ended.report().hasSucceeded();
    if (stop == null) {
      supervisor.end(delivery, ended.report());
    } else if (stop.ending() == Stop.Ending.SILENT || stop.ending() == Stop.Ending.TIME_LIMIT || ended.gaveWay()) {
      endBy(delivery, stop);
    } else if (delivery.interrupted && !succeeded) {
      endBy(delivery, stop);
    } else {
      supervisor.end(delivery, ended.report());
    }
  }

  /** Ends a delivery: at once if it is not started, else as the order says. */
  void stop(Delivery delivery, Stop stop) {
    if (delivery.ended || (stop.pendingOnly() && delivery.stop != null)) {
      return;
    }
    if (arrivals.forget(delivery) || delivery.takeBack() || delivery.mayRun.complete(false)) {
      crew.forget(delivery);
      endBy(delivery, stop);
      supervisor.onRoom();
    } else if (!stop.pendingOnly()) {
      stopRunning(delivery, stop);
    }
  }

  private void stopRunning(Delivery delivery, Stop stop) {
    delivery.stop = stop;
    delivery.context.cancel(stop.ending().told(), stop.reason());
    if (!stop.kill()) {
      return;
    }
    if (stop.grace().isZero()) {
      force(delivery, stop);
    } else {
      loop.schedule(stop.grace(), () -> force(delivery, stop));
    }
  }

  private void force(Delivery delivery, Stop stop) {
    if (delivery.ended || delivery.stop != stop) {
      return;
    }
    delivery.interrupted = true;
    delivery.interrupt();
    loop.schedule(STUCK, () -> giveUp(delivery));
    if (stop.ending() == Stop.Ending.TIME_LIMIT) {
      // The attempt has failed, whatever its thread does; the slot is free again when that ends, or is replaced.
      endBy(delivery, stop);
    }
  }

  private void giveUp(Delivery delivery) {
    Slot slot = delivery.slot();
    if (slot != null && slot.current() == delivery) {
      LOG.error("task {} [{}]: its thread ignores its interrupt and is given up; another one takes its place",
          delivery.name, delivery.taskId);
      crew.replace(slot);
    }
    if (!delivery.ended) {
      endBy(delivery, delivery.stop);
    }
    supervisor.onRoom();
  }

  private void endBy(Delivery delivery, Stop stop) {
    switch (stop.ending()) {
      case CANCELLED -> supervisor.end(delivery, Reports.cancelled(delivery));
      case TIME_LIMIT -> supervisor.end(delivery, Reports.timeLimit(delivery));
      case HANDED_BACK -> handBack(delivery, stop.reason());
      default -> supervisor.end(delivery, null);
    }
  }

  /** Ends it so that it may run elsewhere; one that runs at most once, and may have begun, is lost. */
  void handBack(Delivery delivery, String reason) {
    TaskReport report = delivery.isSpent() ? Reports.lost(delivery, reason) : Reports.released(delivery, reason);
    supervisor.end(delivery, report);
  }

  /** Takes back what waits and hands it back: all of it, or what came before {@code since} or has expired. */
  void handBackWaiting(long now, long since, String reason) {
    for (Delivery delivery : crew.waiting()) {
      boolean expired = delivery.isExpired(now);
      if ((expired || delivery.received - since < 0) && delivery.takeBack()) {
        crew.forget(delivery);
        handBack(delivery, expired ? EXPIRED : reason);
      }
    }
  }

  void handBackUnstarted(String reason) {
    for (Delivery delivery : arrivals.all()) {
      arrivals.forget(delivery);
      handBack(delivery, reason);
    }
    long now = System.nanoTime();
    handBackWaiting(now, now + 1, reason);
  }
}
