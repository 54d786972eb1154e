package io.caraway.examples;

import com.fasterxml.jackson.core.type.TypeReference;
import io.caraway.Connection;
import io.caraway.worker.Worker;
import java.time.Duration;
import java.util.List;

/** Counts words, for {@link Submit}. Ends by SIGTERM or Ctrl-C, once what runs has ended. */
public final class Work {
  private static final TypeReference<List<Long>> NUMBERS = new TypeReference<>() {};

  private Work() {}

  public static void main(String[] args) {
    Worker worker =
        Worker.builder(Connection.fromEnvironment())
            .queues("words")
            .concurrency(4)
            .handle("words.count", String.class, line -> line.strip().split("\\s+").length)
            .handle("words.total", task -> task.arg(0, NUMBERS).stream().mapToLong(Long::longValue).sum())
            .build()
            .awaitReady(Duration.ofSeconds(30));
    System.out.println("ready");
    worker.run();
  }
}
