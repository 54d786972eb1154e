package io.caraway.bench;

import io.caraway.CarawayClient;
import io.caraway.Connection;
import io.caraway.SubmitOutcome;
import io.caraway.TaskCall;
import io.caraway.worker.Worker;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * Measures the Java client and worker against the gateway that CARAWAY_TARGET names. {@code Bench OPERATION COUNT} prints one
 * line of JSON: {"per_second": tasks a second}.
 */
public final class Bench {
  /** The JVM compiles for about so many tasks, which costs more of the processors than all else that it does for them. */
  private static final int WARM_UP = 20_000;
  private static final int IN_FLIGHT = 64;
  private static final int PRODUCERS = 4;
  private static final int CONCURRENCY = 8;
  private static final int MOST_AT_ONCE = 5_000;
  private static final double NANOS = 1e9;

  private static final Map<String, IntConsumer> OPERATIONS =
      Map.of("unary", Bench::unary, "batch", Bench::batch, "drain", Bench::drain);

  private static final Executor THREADS = task -> {
    Thread made = new Thread(task, "producer");
    made.setDaemon(true);
    made.start();
  };

  private Bench() {}

  public static void main(String[] args) {
    IntConsumer operation = args.length == 2 ? OPERATIONS.get(args[0]) : null;
    if (operation == null) {
      System.err.println("write Bench OPERATION COUNT; there are " + OPERATIONS.keySet().stream().sorted().toList());
      System.exit(2);
    }
    operation.accept(Integer.parseInt(args[1]));
  }

  private static TaskCall noop(int number, String queue) {
    return TaskCall.builder("bench.noop").args(number).queue(queue).build();
  }

  private static void print(int count, long nanos) {
    System.out.printf("{\"per_second\": %.1f}%n", count / (nanos / NANOS));
  }

  private static void rate(int count, IntConsumer submit) {
    submit.accept(Math.min(count, WARM_UP));
    long begin = System.nanoTime();
    submit.accept(count);
    print(count, System.nanoTime() - begin);
  }

  /** One task a call, 64 calls under way. */
  private static void unary(int count) {
    try (CarawayClient client = CarawayClient.connect()) {
      rate(count, number -> {
        Semaphore room = new Semaphore(IN_FLIGHT);
        IntStream.range(0, number).forEach(each -> {
          room.acquireUninterruptibly();
          client.submitAsync(noop(each, "bench-unary")).whenComplete((task, failure) -> {
            if (failure != null) {
              failure.printStackTrace();
              System.exit(1);
            }
            room.release();
          });
        });
        room.acquireUninterruptibly(IN_FLIGHT);
      });
    }
  }

  /** Many tasks a call; four producers, each of which sends one call after the other. */
  private static void batch(int count) {
    try (CarawayClient client = CarawayClient.connect()) {
      rate(count, number -> {
        List<CompletableFuture<Void>> producers = IntStream.range(0, PRODUCERS)
            .mapToObj(producer -> (number + producer) / PRODUCERS)
            .map(part -> CompletableFuture.runAsync(() -> submitAll(client, part, "bench-batch"), THREADS))
            .toList();
        producers.forEach(CompletableFuture::join);
      });
    }
  }

  private static void submitAll(CarawayClient client, int count, String queue) {
    for (int start = 0; start < count; start += MOST_AT_ONCE) {
      List<TaskCall> calls =
          IntStream.range(start, Math.min(count, start + MOST_AT_ONCE)).mapToObj(each -> noop(each, queue)).toList();
      client.submitAll(calls).forEach(SubmitOutcome::get);
    }
  }

  /** From the worker's start on a full queue until all outcomes are confirmed. */
  private static void drain(int count) {
    drained(Math.min(count, WARM_UP));
    print(count, drained(count));
  }

  private static long drained(int count) {
    String queue = "bench-drain";
    try (CarawayClient client = CarawayClient.connect()) {
      submitAll(client, count, queue);
    }
    CountDownLatch left = new CountDownLatch(count);
    Worker worker =
        Worker.builder(Connection.fromEnvironment())
            .queues(queue)
            .concurrency(CONCURRENCY)
            .handle("bench.noop", task -> {
              left.countDown();
              return null;
            })
            .build()
            .awaitReady(Duration.ofSeconds(30));
    long begin = System.nanoTime();
    try {
      left.await();
    } catch (InterruptedException interrupt) {
      throw new IllegalStateException(interrupt);
    }
    worker.close();
    return System.nanoTime() - begin;
  }
}
