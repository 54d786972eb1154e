package io.caraway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.caraway.internal.Ids;
import io.caraway.worker.Worker;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("gateway")
class TracingTest {
  private final InMemorySpanExporter spans = InMemorySpanExporter.create();
  private final OpenTelemetrySdk telemetry = OpenTelemetrySdk.builder()
      .setTracerProvider(SdkTracerProvider.builder().addSpanProcessor(SimpleSpanProcessor.create(spans)).build())
      .setPropagators(ContextPropagators.create(W3CTraceContextPropagator.getInstance()))
      .build();

  private SpanData spanOf(String taskId) {
    return spans.getFinishedSpanItems().stream()
        .filter(span -> span.getAttributes().asMap().containsValue(taskId))
        .findFirst()
        .orElse(null);
  }

  @Test
  void callerAndAttemptsAreOneTrace() {
    String queue = "java-tracing-" + Ids.uuid7();
    Tracing tracing = new OpenTelemetryTracing(telemetry);
    Worker.Builder builder = Worker.builder(Gateway.target()).queues(queue).tracing(tracing)
        .handle("inner", task -> Span.current().getSpanContext().getTraceId())
        .handle("broken", task -> {
          throw new IllegalStateException("bent");
        });
    CarawayClient.Builder made = CarawayClient.builder(Connection.to(Gateway.target())).tracing(tracing);
    Span caller = telemetry.getTracer("test").spanBuilder("caller").startSpan();
    try (CarawayClient client = made.build(); Worker worker = builder.build().awaitReady(Gateway.PATIENCE);
        Scope scope = caller.makeCurrent()) {
      SubmittedTask good = client.submit(TaskCall.builder("inner").queue(queue).build());
      SubmittedTask bad = client.submit(TaskCall.builder("broken").queue(queue).build());
      String traceId = caller.getSpanContext().getTraceId();
      assertEquals(traceId, good.get(String.class, Gateway.PATIENCE));
      bad.await(Gateway.PATIENCE);
      Gateway.eventually("both spans ended", () -> spanOf(good.id()) != null && spanOf(bad.id()) != null);
      SpanData span = spanOf(good.id());
      assertEquals("run inner", span.getName());
      assertEquals(traceId, span.getTraceId());
      assertEquals(caller.getSpanContext().getSpanId(), span.getParentSpanId());
      assertEquals(StatusCode.ERROR, spanOf(bad.id()).getStatus().getStatusCode());
      assertTrue(client.get(good.id()).headers().containsKey("traceparent"));
    }
    assertEquals(List.of("broken", "inner"),
        spans.getFinishedSpanItems().stream().map(span -> span.getName().replace("run ", "")).sorted().toList());
  }
}
