package io.caraway.conformance;

import io.caraway.TaskError;
import io.caraway.errors.CarawayException;
import io.caraway.errors.InvalidOptionException;
import io.caraway.errors.OperationalException;
import io.caraway.errors.PayloadException;
import io.caraway.errors.RequestException;
import io.caraway.errors.TaskException;
import io.caraway.errors.WaitTimeoutException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.LinkedHashMap;
import java.util.Map;

/** How a call of the library failed, as the suite reads it. */
final class Failures {
  private Failures() {}

  static Map<String, Object> of(Throwable failure) {
    Map<String, Object> made = new LinkedHashMap<>();
    if (failure instanceof TaskException ended) {
      made.put("code", "TASK");
      made.put("state", ended.state().name());
      made.putAll(of(ended.error()));
    } else if (failure instanceof WaitTimeoutException) {
      made.put("code", "TIMEOUT");
    } else if (failure instanceof RequestException || failure instanceof OperationalException) {
      CarawayException refused = (CarawayException) failure;
      made.put("code", refused.code());
      made.put("reason", refused.reason());
      made.put("metadata", refused.metadata());
    } else if (failure instanceof PayloadException) {
      made.put("code", "PAYLOAD");
    } else if (failure instanceof InvalidOptionException || failure instanceof IllegalArgumentException) {
      made.put("code", "INVALID");
    } else {
      StringWriter text = new StringWriter();
      failure.printStackTrace(new PrintWriter(text));
      made.put("code", "UNEXPECTED");
      made.put("message", text.toString());
    }
    return made;
  }

  static Map<String, Object> of(TaskError error) {
    Map<String, Object> made = new LinkedHashMap<>();
    made.put("kind", error.kind().name());
    made.put("type", error.type());
    made.put("message", error.message());
    made.put("language", error.language());
    made.put("failed_task_id", error.failedTaskId().isEmpty() ? null : error.failedTaskId());
    return made;
  }
}
