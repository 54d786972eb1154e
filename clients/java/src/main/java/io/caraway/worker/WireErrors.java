package io.caraway.worker;

import com.google.protobuf.ByteString;
import io.caraway.errors.PayloadException;
import io.caraway.payload.Payloads;
import io.caraway.v1.TaskError;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Exceptions as TaskError messages. Never fails, whatever the exception's own methods do. */
final class WireErrors {
  private static final int MOST_MESSAGE = 32 * 1024;
  private static final int MOST_TRACEBACK = 64 * 1024;
  private static final int MOST_CAUSES = 16;
  private static final String GAP = "\n... cut ...\n";

  private WireErrors() {}

  static TaskError.Builder of(Throwable error, TaskError.Kind kind) {
    TaskError.Builder made =
        TaskError.newBuilder()
            .setKind(kind)
            .setType(error.getClass().getName())
            .setMessage(message(error))
            .setTraceback(traceback(error))
            .setLanguage("java");
    Throwable cause = error.getCause();
    while (cause != null && made.getCausesCount() < MOST_CAUSES) {
      made.addCauses(TaskError.Cause.newBuilder().setType(cause.getClass().getName()).setMessage(message(cause)));
      cause = cause.getCause();
    }
    try {
      made.setDetail(Payloads.write(List.of(made.getMessage())));
    } catch (PayloadException unfit) {
      made.clearDetail();
    }
    return made;
  }

  private static String message(Throwable error) {
    try {
      String text = error.getMessage();
      return cut(text == null ? "" : text, MOST_MESSAGE);
    } catch (RuntimeException broken) {
      return "<its text can't be made: " + broken.getClass().getName() + ">";
    }
  }

  private static String cut(String text, int most) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return bytes.length <= most ? text : whole(ByteString.copyFrom(bytes, 0, most));
  }

  private static String whole(ByteString bytes) {
    // A character that was cut in two becomes one mark.
    return bytes.toString(StandardCharsets.UTF_8);
  }

  private static String traceback(Throwable error) {
    StringWriter text = new StringWriter();
    try {
      error.printStackTrace(new PrintWriter(text));
    } catch (RuntimeException broken) {
      return "<the traceback can't be made: " + broken.getClass().getName() + ">";
    }
    ByteString bytes = ByteString.copyFromUtf8(text.toString());
    if (bytes.size() <= MOST_TRACEBACK) {
      return text.toString();
    }
    // The middle goes: the start says what happened, the end where it began.
    int half = (MOST_TRACEBACK - GAP.length() - 8) / 2;
    return whole(bytes.substring(0, half)) + GAP + whole(bytes.substring(bytes.size() - half));
  }
}
