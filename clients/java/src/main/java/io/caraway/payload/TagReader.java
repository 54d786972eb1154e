package io.caraway.payload;

import io.caraway.errors.PayloadException;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads objects with a tag: {@code {"$caraway":"date","value":"2026-01-31"}}. */
final class TagReader {
  static final String KEY = "$caraway";
  static final String VALUE = "value";

  private static final int MICRO_DIGITS = 6;
  private static final Pattern DECIMAL = Pattern.compile("-?[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)?");
  private static final Pattern DURATION = Pattern.compile("(-?)([0-9]{1,18})(?:\\.([0-9]{1,9}))?s");
  private static final Pattern UUID_TEXT =
      Pattern.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", Pattern.CASE_INSENSITIVE);
  private static final Pattern TIME = Pattern.compile("([^.]*)(?:\\.([0-9]+))?((?:[+-][0-9:]+|Z)?)");
  private static final Pattern ZONE = Pattern.compile(".*(?:Z|[+-][0-9]{2}:[0-9]{2})");

  private static final Map<String, Function<String, Object>> TEXTS =
      Map.of(
          "bytes", text -> Base64.getDecoder().decode(text),
          "date", LocalDate::parse,
          "datetime", TagReader::dateTime,
          "time", TagReader::time,
          "duration", TagReader::duration,
          "decimal", TagReader::decimal,
          "uuid", TagReader::uuid);
  private static final Map<String, Function<List<?>, Object>> LISTS =
      Map.of("tuple", Tuple::new, "set", TagReader::set, "object", TagReader::object);

  private TagReader() {}

  /** Gives the value that the tag of an object means. */
  static Object read(Map<String, Object> members) {
    Object tag = members.get(KEY);
    Object value = members.get(VALUE);
    if (tag instanceof String name && (TEXTS.containsKey(name) || LISTS.containsKey(name))) {
      if (members.size() != 2 || !members.containsKey(VALUE)) {
        throw new PayloadException("an object tagged \"" + name + "\" is to have one more member, \"value\"");
      }
      try {
        if (value instanceof String text && TEXTS.containsKey(name)) {
          return TEXTS.get(name).apply(text);
        }
        if (value instanceof List<?> list && LISTS.containsKey(name)) {
          return LISTS.get(name).apply(list);
        }
      } catch (DateTimeException | ArithmeticException | IllegalArgumentException error) {
        // Neither the value nor the reader's error, which shows it: it may be one that nobody is to see.
      }
      throw new PayloadException("the value of an object tagged \"" + name + "\" has another form");
    }
    throw new PayloadException("the tag of an object is not known here; a newer Caraway, or another program, wrote it");
  }

  private static Object dateTime(String text) {
    String cut = cut(text);
    return ZONE.matcher(cut.substring(Math.min(cut.length(), "2026-01-31T".length()))).matches()
        ? OffsetDateTime.parse(cut)
        : LocalDateTime.parse(cut);
  }

  private static Object time(String text) {
    String cut = cut(text);
    return ZONE.matcher(cut).matches() ? OffsetTime.parse(cut) : LocalTime.parse(cut);
  }

  /** A finer fraction than six digits is cut. */
  private static String cut(String text) {
    Matcher parts = TIME.matcher(text);
    if (!parts.matches() || parts.group(2) == null || parts.group(2).length() <= MICRO_DIGITS) {
      return text;
    }
    return parts.group(1) + "." + parts.group(2).substring(0, MICRO_DIGITS) + parts.group(3);
  }

  private static Duration duration(String text) {
    Matcher parts = matched(DURATION, text);
    String fraction = parts.group(3) == null ? "" : parts.group(3);
    String micros = (fraction + "000000").substring(0, MICRO_DIGITS);
    Duration whole = Duration.ofSeconds(Long.parseLong(parts.group(2)), Long.parseLong(micros) * 1000);
    return parts.group(1).isEmpty() ? whole : whole.negated();
  }

  private static BigDecimal decimal(String text) {
    return new BigDecimal(matched(DECIMAL, text).group());
  }

  private static UUID uuid(String text) {
    return UUID.fromString(matched(UUID_TEXT, text).group());
  }

  private static Matcher matched(Pattern pattern, String text) {
    Matcher matcher = pattern.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException();
    }
    return matcher;
  }

  private static Set<Object> set(List<?> members) {
    Set<Object> read = new LinkedHashSet<>();
    for (Object member : members) {
      // What changes has no place in a set; no language's set takes it.
      if (member instanceof Map || member instanceof Set || (member instanceof List && !(member instanceof Tuple))) {
        throw new IllegalArgumentException();
      }
      read.add(member);
    }
    return read;
  }

  private static Map<String, Object> object(List<?> pairs) {
    Map<String, Object> read = new LinkedHashMap<>();
    for (Object pair : pairs) {
      if (!(pair instanceof List<?> both) || both.size() != 2 || !(both.get(0) instanceof String key)) {
        throw new IllegalArgumentException();
      }
      read.put(key, both.get(1));
    }
    return read;
  }
}
