package io.caraway.worker;

import io.caraway.Connection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/**
 * A program for tests that signal, kill and outlive: {@code hold} says that it has begun, and ends once a file is there;
 * {@code deaf} does the same, whatever it is told.
 */
public final class HoldingWorker {
  private static final int LOOK_MILLIS = 5;

  private HoldingWorker() {}

  public static void main(String[] args) {
    Path folder = Path.of(args[1]);
    Worker worker = Worker.builder(Connection.fromEnvironment()).queues(args[0]).concurrency(2)
        .handle("hold", String.class, name -> {
          System.out.println("begun " + name);
          while (!Files.exists(folder.resolve(name))) {
            Thread.sleep(LOOK_MILLIS);
          }
          return "held " + name;
        })
        .handle("deaf", String.class, name -> {
          System.out.println("begun " + name);
          while (!Files.exists(folder.resolve(name))) {
            LockSupport.parkNanos(LOOK_MILLIS * 1_000_000L);
          }
          return "held " + name;
        })
        .build();
    Thread main = Thread.currentThread();
    Thread teller = new Thread(() -> {
      worker.awaitReady(Duration.ofSeconds(30));
      while (main.getState() != Thread.State.WAITING) { // until it hears signals, and waits for the worker's end
        LockSupport.parkNanos(LOOK_MILLIS * 1_000_000L);
      }
      System.out.println("ready");
    });
    teller.setDaemon(true);
    teller.start();
    worker.run();
    System.out.println("left");
  }
}
