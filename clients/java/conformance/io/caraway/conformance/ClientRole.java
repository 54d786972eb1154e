package io.caraway.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import io.caraway.CarawayClient;
import io.caraway.RevokeOptions;
import io.caraway.SubmitOutcome;
import io.caraway.SubmittedTask;
import io.caraway.TaskQuery;
import io.caraway.TaskState;
import io.caraway.TaskUpdate;
import io.caraway.TaskWatch;
import io.caraway.canvas.Canvas;
import io.caraway.payload.Payloads;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The role client: what the library does for a caller. */
final class ClientRole implements Main.Role {
  private final Map<String, CarawayClient> clients = new ConcurrentHashMap<>();

  @Override
  public Map<String, Object> answer(int number, JsonNode request) {
    String name = request.get("client").textValue();
    String asked = request.get("do").textValue();
    if (asked.equals("connect")) {
      clients.put(name, CarawayClient.builder(Forms.connection(request)).build());
      return Map.of();
    }
    CarawayClient client = clients.get(name);
    return switch (asked) {
      case "close" -> close(client);
      case "submit" -> Map.of("task_id", client.submit(Forms.call(request.get("task"))).id());
      case "submit_many" -> submitMany(client, request);
      case "run" -> Forms.task(client.run(Forms.call(request.get("task")), Forms.duration(request.get("timeout"))));
      case "read" -> Forms.task(client.get(id(request)));
      case "wait" -> Forms.task(client.await(id(request), Forms.duration(request.get("timeout"))));
      case "result" -> outcome(client.task(id(request)), request);
      case "watch" -> watch(client, number, request);
      case "list" -> list(client, request);
      case "revoke" -> Map.of("outcomes", client.revoke(Forms.texts(request.get("task_ids")), options(request)));
      case "retry" -> Map.of("outcomes", client.retry(Forms.texts(request.get("task_ids"))));
      case "delete" -> Map.of("outcomes", client.delete(Forms.texts(request.get("task_ids"))));
      case "canvas" -> canvas(client, request);
      default -> throw new IllegalStateException("a client can't " + asked);
    };
  }

  private static String id(JsonNode request) {
    return request.get("task_id").textValue();
  }

  private static Map<String, Object> close(CarawayClient client) {
    client.close();
    return Map.of();
  }

  private static Map<String, Object> submitMany(CarawayClient client, JsonNode request) {
    List<io.caraway.TaskCall> calls = new ArrayList<>();
    request.get("tasks").forEach(task -> calls.add(Forms.call(task)));
    List<Map<String, Object>> results = new ArrayList<>();
    for (SubmitOutcome outcome : client.submitAll(calls)) {
      results.add(outcome.error() == null
          ? Map.of("task_id", outcome.task().id()) : Map.of("error", Failures.of(outcome.error())));
    }
    return Map.of("results", results);
  }

  private static Map<String, Object> outcome(SubmittedTask task, JsonNode request) {
    Object result = task.get(Object.class, Forms.duration(request.get("timeout")));
    return Map.of("result", Payloads.toText(result));
  }

  private static Map<String, Object> canvas(CarawayClient client, JsonNode request) {
    Canvas canvas = Forms.canvas(request.get("canvas"));
    if (request.hasNonNull("on_error")) {
      canvas = canvas.onError(Forms.call(request.get("on_error")));
    }
    return outcome(client.submit(canvas), request);
  }

  private static Map<String, Object> watch(CarawayClient client, int number, JsonNode request) {
    try (TaskWatch watch = client.watch(Forms.texts(request.get("task_ids")))) {
      while (watch.hasNext()) {
        TaskUpdate update = watch.next();
        if (update.task() != null) {
          event(number, Forms.task(update.task()));
        }
        if (update.gap()) {
          event(number, Map.of("gap", true));
        }
        if (!update.missing().isEmpty()) {
          event(number, Map.of("missing", update.missing()));
        }
      }
    }
    return Map.of();
  }

  private static void event(int number, Map<String, Object> members) {
    Lines.say(Map.of("id", number, "event", members));
  }

  private static Map<String, Object> list(CarawayClient client, JsonNode request) {
    TaskQuery query = TaskQuery.all().pageSize(request.get("page_size").intValue());
    if (request.hasNonNull("states")) {
      query = query.states(Forms.texts(request.get("states")).stream().map(TaskState::valueOf).toArray(TaskState[]::new));
    }
    if (request.hasNonNull("names")) {
      query = query.names(Forms.texts(request.get("names")));
    }
    if (request.hasNonNull("queues")) {
      query = query.queues(Forms.texts(request.get("queues")));
    }
    return Map.of("tasks", client.list(query).map(Forms::task).toList());
  }

  private static RevokeOptions options(JsonNode request) {
    return new RevokeOptions(
        RevokeOptions.Mode.valueOf(request.get("mode").textValue()),
        request.path("reason").asText(""),
        request.hasNonNull("grace") ? Forms.duration(request.get("grace")) : null,
        request.path("signal").asText(""));
  }
}
