package io.caraway.internal;

import com.google.protobuf.ListValue;
import com.google.protobuf.Value;
import io.caraway.errors.InvalidOptionException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Stamps as the contract writes them: numbers are doubles there. */
public final class Stamps {
  private static final long LARGEST_EXACT = (1L << 53) - 1;

  private Stamps() {}

  /** Writes the values of a stamp. Raises InvalidOptionException for one that is no text, number or boolean. */
  public static ListValue write(String name, Collection<?> values) {
    ListValue.Builder made = ListValue.newBuilder();
    values.forEach(value -> made.addValues(value(name, value)));
    return made.build();
  }

  private static Value value(String name, Object value) {
    Value.Builder made = Value.newBuilder();
    if (value instanceof String text) {
      return made.setStringValue(text).build();
    }
    if (value instanceof Boolean is) {
      return made.setBoolValue(is).build();
    }
    if (value instanceof Double || value instanceof Float) {
      return made.setNumberValue(((Number) value).doubleValue()).build();
    }
    if (value instanceof Long || value instanceof Integer || value instanceof Short || value instanceof Byte) {
      long number = ((Number) value).longValue();
      if (Math.abs(number) <= LARGEST_EXACT) {
        return made.setNumberValue(number).build();
      }
      throw new InvalidOptionException("the stamp " + name + " is " + number + ": beyond 2^53-1, make it text");
    }
    String kind = value == null ? "null" : value.getClass().getName();
    throw new InvalidOptionException("the stamp " + name + ": write text, numbers or booleans, not " + kind);
  }

  /** Reads stamps: an integer is a Long, whatever number it was. */
  public static Map<String, List<Object>> read(Map<String, ListValue> stamps) {
    Map<String, List<Object>> made = new LinkedHashMap<>();
    stamps.forEach((name, listed) -> {
      List<Object> values = new ArrayList<>();
      listed.getValuesList().forEach(value -> values.add(plain(value)));
      made.put(name, values);
    });
    return made;
  }

  private static Object plain(Value value) {
    return switch (value.getKindCase()) {
      case STRING_VALUE -> value.getStringValue();
      case BOOL_VALUE -> value.getBoolValue();
      default -> {
        double number = value.getNumberValue();
        yield number == Math.rint(number) && Math.abs(number) <= LARGEST_EXACT ? (Object) (long) number : (Object) number;
      }
    };
  }
}
