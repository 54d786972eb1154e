package io.caraway.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import io.caraway.worker.HandlerOptions;
import io.caraway.worker.Worker;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The role worker: several workers may run in this process. */
final class WorkerRole implements Main.Role {
  private final Map<String, Worker> workers = new ConcurrentHashMap<>();

  @Override
  public Map<String, Object> answer(int number, JsonNode request) {
    String name = request.get("worker").textValue();
    switch (request.get("do").textValue()) {
      case "start" -> workers.put(name, start(name, request));
      case "drain" -> workers.remove(name).drain().join();
      case "stop" -> workers.remove(name).stop().join();
      case "release" -> PlayedHandlers.release(name, request.get("task_id").textValue());
      default -> throw new IllegalStateException("a worker can't " + request.get("do"));
    }
    return Map.of();
  }

  private static Worker start(String name, JsonNode request) {
    Worker.Builder builder =
        Worker.builder(Forms.connection(request))
            .name(name)
            .queues(Forms.texts(request.get("queues")))
            .concurrency(request.get("concurrency").intValue());
    List<String> only = request.hasNonNull("handlers") ? Forms.texts(request.get("handlers")) : null;
    PlayedHandlers.all().forEach((task, handler) -> {
      if (only == null || only.contains(task)) {
        HandlerOptions options = task.equals("once") ? HandlerOptions.DEFAULT.once() : HandlerOptions.DEFAULT;
        builder.handle(task, options, handler);
      }
    });
    return builder.build().awaitReady(Duration.ofSeconds(20));
  }
}
