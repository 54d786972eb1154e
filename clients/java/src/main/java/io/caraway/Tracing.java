package io.caraway;

import java.util.Map;

/**
 * Carries the context of traces along with tasks, in their headers. {@link OpenTelemetryTracing} is the one to use; this
 * interface keeps OpenTelemetry out of programs that have none.
 */
public interface Tracing {
  /** Traces nothing. */
  Tracing NONE = new Tracing() {
    @Override
    public void inject(Map<String, String> headers) {
      // There is no context.
    }

    @Override
    public Attempt begin(Map<String, String> headers, String taskName, Map<String, String> attributes) {
      return (outcome, error) -> {};
    }
  };

  /**
   * Adds the current context to the headers of a task that is about to be submitted.
   *
   * @param headers where it is added; those that are set are left as they are
   */
  void inject(Map<String, String> headers);

  /**
   * Begins a span for an attempt at a task, and makes it the current one of this thread.
   *
   * @param headers of the task
   * @param taskName of the task
   * @param attributes what else the span is to say
   * @return ends the span
   */
  Attempt begin(Map<String, String> headers, String taskName, Map<String, String> attributes);

  /** A span that is open. */
  interface Attempt {
    /**
     * Ends it, in the thread that began it.
     *
     * @param outcome how the attempt ended, for example {@code succeeded}
     * @param error what it ended by; null where it ended well
     */
    void end(String outcome, Throwable error);
  }
}
