package io.caraway;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.util.Map;

/** {@link Tracing} by OpenTelemetry. Needs {@code io.opentelemetry:opentelemetry-api} on the class path. */
public final class OpenTelemetryTracing implements Tracing {
  private static final TextMapGetter<Map<String, String>> GETTER = new TextMapGetter<>() {
    @Override
    public Iterable<String> keys(Map<String, String> headers) {
      return headers.keySet();
    }

    @Override
    public String get(Map<String, String> headers, String key) {
      return headers == null ? null : headers.get(key);
    }
  };

  private final OpenTelemetry telemetry;
  private final Tracer tracer;

  /**
   * Traces by an instance of OpenTelemetry.
   *
   * @param telemetry the program's own, {@code GlobalOpenTelemetry.get()} for example
   */
  public OpenTelemetryTracing(OpenTelemetry telemetry) {
    this.telemetry = telemetry;
    this.tracer = telemetry.getTracer("io.caraway");
  }

  @Override
  public void inject(Map<String, String> headers) {
    telemetry.getPropagators().getTextMapPropagator().inject(Context.current(), headers, Map::putIfAbsent);
  }

  @Override
  public Attempt begin(Map<String, String> headers, String taskName, Map<String, String> attributes) {
    Context parent = telemetry.getPropagators().getTextMapPropagator().extract(Context.root(), headers, GETTER);
    SpanBuilder builder = tracer.spanBuilder("run " + taskName).setParent(parent).setSpanKind(SpanKind.CONSUMER);
    attributes.forEach(builder::setAttribute);
    Span span = builder.startSpan();
    Scope scope = span.makeCurrent();
    return (outcome, error) -> {
      scope.close();
      span.setAttribute("caraway.task.outcome", outcome);
      if (error != null) {
        span.recordException(error);
        span.setStatus(StatusCode.ERROR, error.toString());
      }
      span.end();
    };
  }
}
