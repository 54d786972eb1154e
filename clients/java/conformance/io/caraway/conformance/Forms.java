package io.caraway.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import io.caraway.AckMode;
import io.caraway.Connection;
import io.caraway.RetryPolicy;
import io.caraway.TaskCall;
import io.caraway.TaskInfo;
import io.caraway.Uniqueness;
import io.caraway.canvas.Canvas;
import io.caraway.payload.Payloads;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** The suite's forms as the library's objects, and back. */
final class Forms {
  private Forms() {}

  static Connection connection(JsonNode request) {
    boolean secure = request.hasNonNull("ca");
    Connection.Builder made = Connection.builder((secure ? "grpcs://" : "") + request.get("target").textValue());
    with(request, "token", token -> made.token(token.textValue()));
    with(request, "ca", ca -> made.ca(Path.of(ca.textValue())));
    with(request, "cert", cert -> made.certificate(
        Path.of(cert.textValue()), Path.of(request.get("key").textValue())));
    return made.build();
  }

  private static void with(JsonNode node, String member, Consumer<JsonNode> use) {
    if (node.hasNonNull(member)) {
      use.accept(node.get(member));
    }
  }

  static Duration duration(JsonNode seconds) {
    return Duration.ofNanos(Math.round(seconds.doubleValue() * 1e9));
  }

  static List<String> texts(JsonNode list) {
    List<String> made = new ArrayList<>();
    list.forEach(each -> made.add(each.textValue()));
    return made;
  }

  @SuppressWarnings("unchecked")
  static TaskCall call(JsonNode task) {
    TaskCall.Builder made = TaskCall.builder(task.get("name").textValue());
    with(task, "args", text -> made.argList((List<Object>) Payloads.fromText(text.textValue())));
    with(task, "kwargs", text -> made.kwargs((Map<String, Object>) Payloads.fromText(text.textValue())));
    with(task, "task_id", id -> made.id(id.textValue()));
    with(task, "queue", queue -> made.queue(queue.textValue()));
    with(task, "priority", priority -> made.priority(priority.intValue()));
    with(task, "delay", delay -> made.delay(duration(delay)));
    with(task, "schedule_time", time -> made.startAt(Instant.parse(time.textValue())));
    with(task, "ttl", ttl -> made.expireAfter(duration(ttl)));
    with(task, "expire_time", time -> made.expireAt(Instant.parse(time.textValue())));
    with(task, "headers", headers ->
        headers.fields().forEachRemaining(each -> made.header(each.getKey(), each.getValue().textValue())));
    with(task, "ignore_result", ignore -> made.ignoreResult(ignore.booleanValue()));
    with(task, "result_ttl", ttl -> made.resultTtl(duration(ttl)));
    with(task, "time_limits", limits -> {
      with(limits, "soft", soft -> made.softTimeLimit(duration(soft)));
      with(limits, "hard", hard -> made.timeLimit(duration(hard)));
    });
    with(task, "ack_mode", mode -> made.ackMode(AckMode.valueOf(mode.textValue())));
    with(task, "unique", rule -> made.unique(unique(rule)));
    with(task, "retry_policy", policy -> made.retry(retryPolicy(policy)));
    return made.build();
  }

  private static Uniqueness unique(JsonNode rule) {
    String conflict = rule.hasNonNull("on_conflict") ? rule.get("on_conflict").textValue() : "REJECT";
    return new Uniqueness(rule.get("key").textValue(),
        rule.hasNonNull("window") ? duration(rule.get("window")) : null, Uniqueness.Conflict.valueOf(conflict));
  }

  private static RetryPolicy retryPolicy(JsonNode policy) {
    RetryPolicy made = RetryPolicy.attempts(policy.path("max_attempts").intValue());
    if (policy.hasNonNull("initial_backoff") || policy.hasNonNull("max_backoff")) {
      made = made.backoff(
          duration(policy.path("initial_backoff")),
          policy.hasNonNull("max_backoff") ? duration(policy.get("max_backoff")) : Duration.ofMinutes(10),
          policy.path("backoff_multiplier").doubleValue());
    }
    if (policy.hasNonNull("jitter_ratio")) {
      made = made.jitter(policy.get("jitter_ratio").doubleValue());
    }
    if (policy.hasNonNull("retryable_error_types")) {
      made = made.retryOn(texts(policy.get("retryable_error_types")));
    }
    if (policy.hasNonNull("non_retryable_error_types")) {
      made = made.neverOn(texts(policy.get("non_retryable_error_types")));
    }
    return made;
  }

  static Canvas canvas(JsonNode form) {
    if (form.has("task")) {
      return call(form.get("task"));
    }
    if (form.has("chain")) {
      return Canvas.chain(canvases(form.get("chain")).toArray(Canvas[]::new));
    }
    if (form.has("group")) {
      return Canvas.group(canvases(form.get("group")));
    }
    JsonNode chord = form.get("chord");
    return Canvas.chord(Canvas.group(canvases(chord.get("header"))), canvas(chord.get("body")));
  }

  private static List<Canvas> canvases(JsonNode forms) {
    List<Canvas> made = new ArrayList<>();
    forms.forEach(form -> made.add(canvas(form)));
    return made;
  }

  static Map<String, Object> task(TaskInfo task) {
    Map<String, Object> made = new LinkedHashMap<>();
    made.put("task_id", task.id());
    made.put("state", task.state().name());
    made.put("name", task.name());
    made.put("queue", task.queue());
    made.put("priority", task.priority());
    made.put("attempt", task.attempt());
    made.put("delivery_count", task.deliveryCount());
    made.put("lost_count", task.lostCount());
    made.put("revision", task.revision());
    made.put("custom_state", task.customState().isEmpty() ? null : task.customState());
    made.put("progress", task.hasProgress() ? Payloads.toText(task.progress()) : null);
    made.put("result", task.hasResult() ? Payloads.toText(task.result()) : null);
    boolean failed = task.error() != io.caraway.TaskError.NONE;
    made.put("error", failed ? Failures.of(task.error()) : null);
    made.put("cancel_reason", task.cancelReason().isEmpty() ? null : task.cancelReason());
    return made;
  }
}
