package io.caraway.worker;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ThreadFactory;

/** A thread that runs deliveries, one after the other. One that can't be stopped is given up, and ends by itself. */
final class Slot implements Runnable {
  /** What a slot does with a delivery. */
  interface Runner {
    void run(Delivery delivery);
  }

  private final BlockingQueue<Delivery> backlog;
  private final Runner runner;
  private final Thread thread;
  private volatile boolean retired;
  private volatile Delivery current;

  Slot(BlockingQueue<Delivery> backlog, Runner runner, ThreadFactory threads) {
    this.backlog = backlog;
    this.runner = runner;
    this.thread = threads.newThread(this);
  }

  Slot start() {
    thread.start();
    return this;
  }

  @Override
  public void run() {
    while (!retired) {
      try {
        Delivery delivery = backlog.take();
        if (retired) {
          backlog.add(delivery);
        } else if (delivery.begin(this)) {
          work(delivery);
        }
      } catch (InterruptedException stop) {
        // Asked to look whether it is retired.
        continue;
      }
    }
  }

  private void work(Delivery delivery) {
    current = delivery;
    try {
      runner.run(delivery);
    } finally {
      current = null;
    }
  }

  /** What it runs; null: nothing. */
  Delivery current() {
    return current;
  }

  void interrupt() {
    thread.interrupt();
  }

  /** It takes nothing more. */
  void retire() {
    retired = true;
    if (current == null) {
      thread.interrupt();
    }
  }
}
