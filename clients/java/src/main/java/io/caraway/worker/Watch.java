package io.caraway.worker;

import java.time.Duration;

/** Looks at each busy slot every 20 ms: time limits, starts worth reporting, tasks that wait behind long ones. */
final class Watch {
  static final Duration TICK = Duration.ofMillis(20);

  private static final long START_REPORTED_AFTER = 100_000_000;
  private static final long STALE_AFTER = 200_000_000;

  private final Supervisor supervisor;
  private final Crew crew;
  private final Endings endings;
  private final Loop loop;

  Watch(Supervisor supervisor, Crew crew, Endings endings, Loop loop) {
    this.supervisor = supervisor;
    this.crew = crew;
    this.endings = endings;
    this.loop = loop;
  }

  void tick() {
    if (supervisor.isBusy()) {
      long now = System.nanoTime();
      crew.running().forEach(delivery -> look(delivery, delivery.runTime(now)));
      endings.handBackWaiting(now, now - STALE_AFTER, Endings.STALE);
      supervisor.onRoom();
    }
    loop.schedule(TICK, this::tick);
  }

  private void look(Delivery delivery, long runTime) {
    if (delivery.ended || runTime == 0) {
      return;
    }
    if (runTime > START_REPORTED_AFTER) {
      supervisor.reportStart(delivery);
    }
    boolean killed = delivery.stop != null && delivery.stop.kill();
    if (delivery.hard != null && runTime >= delivery.hard.toNanos() && !killed) {
      endings.stop(delivery, Stop.now(Stop.Ending.TIME_LIMIT, "the hard time limit struck"));
    } else if (delivery.soft != null && runTime >= delivery.soft.toNanos() && !delivery.softStruck) {
      delivery.softStruck = true;
      if (delivery.stop == null) {
        double seconds = delivery.soft.toNanos() / 1e9;
        delivery.context.cancel(Cancellation.SOFT_TIME_LIMIT, "the soft time limit of " + seconds + " s struck");
      }
    }
  }
}
