package io.caraway.payload;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import io.caraway.errors.PayloadException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.time.ZonedDateTime;
import java.time.temporal.TemporalAccessor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/** Writes values as JSON text with tags. What has no form of its own goes through Jackson once, as a bean or a record. */
final class ValueWriter {
  private static final int MOST_DEPTH = 100;
  private static final int MOST_DIGITS = 4300;
  private static final BigInteger TOO_LARGE = BigInteger.TEN.pow(MOST_DIGITS);
  private static final JsonStringEncoder STRINGS = JsonStringEncoder.getInstance();

  private final StringBuilder out = new StringBuilder(64);

  static String write(Object value) {
    ValueWriter writer = new ValueWriter();
    writer.value(value, 0);
    return writer.out.toString();
  }

  /** Writes the arguments of a call. */
  static String arguments(List<?> args, Map<String, ?> kwargs) {
    ValueWriter writer = new ValueWriter();
    writer.out.append("{\"args\":");
    writer.list(args, 1);
    writer.out.append(",\"kwargs\":");
    writer.map(kwargs, 1);
    writer.out.append('}');
    return writer.out.toString();
  }

  private void value(Object value, int depth) {
    if (value == null) {
      out.append("null");
    } else if (value instanceof String || value instanceof Character || value instanceof Enum<?>) {
      text(value instanceof Enum<?> constant ? constant.name() : value.toString());
    } else if (value instanceof Boolean) {
      out.append(value);
    } else if (value instanceof BigDecimal decimal) {
      tag("decimal", decimal.toString());
    } else if (value instanceof Number number) {
      number(number);
    } else if (value instanceof TemporalAccessor || value instanceof Duration) {
      time(value);
    } else if (value instanceof UUID) {
      tag("uuid", value.toString());
    } else if (value instanceof byte[] bytes) {
      tag("bytes", Base64.getEncoder().encodeToString(bytes));
    } else if (value instanceof Optional<?> optional) {
      value(optional.orElse(null), depth);
    } else {
      container(value, depth + 1);
    }
  }

  private void container(Object value, int depth) {
    if (depth > MOST_DEPTH) {
      throw new PayloadException("containers stand in one another more than " + MOST_DEPTH + " deep");
    }
    if (value instanceof Map<?, ?> map) {
      map(map, depth);
    } else if (value instanceof Tuple tuple) {
      tagged("tuple", () -> list(tuple, depth));
    } else if (value instanceof Set<?> set) {
      tagged("set", () -> set(set, depth));
    } else if (value instanceof Collection<?> collection) {
      list(collection, depth);
    } else if (value instanceof Object[] array) {
      list(Arrays.asList(array), depth);
    } else {
      // Depth is counted on: a bean may hold a bean.
      value(Conversion.toPlain(value), depth - 1);
    }
  }

  private void number(Number number) {
    if (number instanceof Double || number instanceof Float) {
      double value = number instanceof Float ? Double.parseDouble(number.toString()) : number.doubleValue();
      if (!Double.isFinite(value)) {
        throw new PayloadException(value + " has no form in JSON");
      }
      out.append(JsonNumbers.text(value));
    } else if (number instanceof BigInteger big) {
      if (big.abs().compareTo(TOO_LARGE) >= 0) {
        throw new PayloadException("an integer has more than " + MOST_DIGITS + " digits");
      }
      out.append(big);
    } else if (number instanceof Long || number instanceof Integer || number instanceof Short || number instanceof Byte) {
      out.append(number.longValue());
    } else {
      // AtomicLong and its like.
      value(Conversion.toPlain(number), 0);
    }
  }

  private void time(Object value) {
    if (value instanceof Instant instant) {
      tag("datetime", Times.text(instant));
    } else if (value instanceof OffsetDateTime time) {
      tag("datetime", Times.text(time));
    } else if (value instanceof ZonedDateTime time) {
      tag("datetime", Times.text(time.toOffsetDateTime()));
    } else if (value instanceof LocalDateTime time) {
      tag("datetime", Times.text(time));
    } else if (value instanceof LocalDate) {
      tag("date", value.toString());
    } else if (value instanceof LocalTime time) {
      tag("time", Times.text(time));
    } else if (value instanceof OffsetTime time) {
      tag("time", Times.text(time));
    } else if (value instanceof Duration duration) {
      tag("duration", Times.text(duration));
    } else {
      throw new PayloadException("a " + value.getClass().getName() + " has no form as payload");
    }
  }

  private void map(Map<?, ?> map, int depth) {
    if (map.containsKey(TagReader.KEY)) {
      List<List<Object>> pairs = new ArrayList<>();
      map.forEach((key, member) -> pairs.add(Arrays.asList(key(key), member)));
      tagged("object", () -> list(pairs, depth));
      return;
    }
    out.append('{');
    String separator = "";
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      out.append(separator);
      text(key(entry.getKey()));
      out.append(':');
      value(entry.getValue(), depth);
      separator = ",";
    }
    out.append('}');
  }

  private static String key(Object key) {
    if (!(key instanceof String text)) {
      throw new PayloadException("a key of a map is no string; write it as one, or send a list of pairs");
    }
    return text;
  }

  private void list(Collection<?> members, int depth) {
    out.append('[');
    String separator = "";
    for (Object member : members) {
      out.append(separator);
      value(member, depth);
      separator = ",";
    }
    out.append(']');
  }

  /** Sorted by their text: the same set is the same bytes, so a repeated submit of it is the same task. */
  private void set(Set<?> members, int depth) {
    List<String> texts = new ArrayList<>();
    for (Object member : members) {
      ValueWriter writer = new ValueWriter();
      writer.value(member, depth);
      texts.add(writer.out.toString());
    }
    Collections.sort(texts);
    out.append('[').append(String.join(",", texts)).append(']');
  }

  private void tag(String name, String value) {
    tagged(name, () -> text(value));
  }

  private void tagged(String name, Runnable value) {
    out.append("{\"").append(TagReader.KEY).append("\":\"").append(name).append("\",\"value\":");
    value.run();
    out.append('}');
  }

  private void text(String text) {
    for (int place = 0; place < text.length(); place++) {
      char each = text.charAt(place);
      if (Character.isSurrogate(each)) {
        boolean paired = Character.isHighSurrogate(each)
            && place + 1 < text.length()
            && Character.isLowSurrogate(text.charAt(place + 1));
        if (!paired) {
          throw new PayloadException("a text is not Unicode (lone surrogate at " + place + "); send bytes instead");
        }
        place++;
      }
    }
    out.append('"').append(STRINGS.quoteAsString(text)).append('"');
  }
}
