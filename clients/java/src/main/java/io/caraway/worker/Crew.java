package io.caraway.worker;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingDeque;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/** The slots, and what waits for them. */
final class Crew {
  private static final long SLOW_NANOS = 50_000_000;

  private final LinkedBlockingDeque<Delivery> backlog = new LinkedBlockingDeque<>();
  private final List<Slot> slots = new ArrayList<>();
  private final Pace pace = new Pace();
  private final Slot.Runner runner;
  private final ThreadFactory threads;

  Crew(int concurrency, String name, Slot.Runner runner) {
    this.runner = runner;
    AtomicInteger number = new AtomicInteger();
    this.threads = task -> {
      Thread made = new Thread(task, name + "-task-" + number.incrementAndGet());
      // One that can't be stopped must not keep the program from ending.
      made.setDaemon(true);
      return made;
    };
    for (int count = 0; count < concurrency; count++) {
      slots.add(new Slot(backlog, runner, threads));
    }
  }

  void start() {
    slots.forEach(Slot::start);
  }

  void put(Delivery delivery) {
    backlog.add(delivery);
  }

  void ran(long nanos) {
    pace.add(nanos);
  }

  /** How many deliveries should be held in all: slots that run something long want no more behind it. */
  int wanted(long now) {
    int perSlot = pace.perSlot();
    int wanted = 0;
    for (Slot slot : slots) {
      Delivery current = slot.current();
      wanted += current != null && current.runTime(now) > SLOW_NANOS ? 1 : perSlot;
    }
    return wanted;
  }

  /** What runs. */
  List<Delivery> running() {
    List<Delivery> running = new ArrayList<>();
    for (Slot slot : slots) {
      Delivery current = slot.current();
      if (current != null) {
        running.add(current);
      }
    }
    return running;
  }

  /** What waits; some of it may be taken by a slot at this moment. */
  List<Delivery> waiting() {
    return List.copyOf(backlog);
  }

  /** No slot is to look at it any more. */
  void forget(Delivery delivery) {
    backlog.remove(delivery);
  }

  /** Gives up a thread that goes on for ever with what has ended, and begins another one. */
  void replace(Slot stuck) {
    int place = slots.indexOf(stuck);
    if (place >= 0) {
      stuck.retire();
      slots.set(place, new Slot(backlog, runner, threads).start());
    }
  }

  void retire() {
    slots.forEach(Slot::retire);
  }
}
