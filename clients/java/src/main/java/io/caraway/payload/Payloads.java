package io.caraway.payload;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JavaType;
import com.google.protobuf.ByteString;
import com.google.protobuf.Value;
import io.caraway.errors.PayloadException;
import io.caraway.v1.Payload;
import io.caraway.v1.TaskSpec;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes and reads payloads.
 *
 * <p>Plain values are null, String, Boolean, Long, BigInteger (beyond 64 bits), Double, BigDecimal, byte[], List, {@link
 * Tuple}, Set, Map with String keys, LocalDate, LocalTime, OffsetTime, LocalDateTime, OffsetDateTime, Duration and UUID.
 * Written are these, all other number types, arrays, enums (by name), Optional, Instant, ZonedDateTime, and what Jackson
 * makes objects of: records and beans.
 */
public final class Payloads {
  private static final String JSON = "application/json";
  private static final double MOST_EXACT = 9007199254740992.0;

  private Payloads() {}

  /**
   * Writes one value as JSON text.
   *
   * @param value any value that has a form
   * @return its text
   * @throws PayloadException where it has none
   */
  public static String toText(Object value) {
    return ValueWriter.write(value);
  }

  /**
   * Reads one value from its JSON text.
   *
   * @param text what a client library of any language wrote
   * @return the plain value
   * @throws PayloadException where the text is not of the contract's form
   */
  public static Object fromText(String text) {
    return ValueReader.read(text);
  }

  /**
   * Writes one value, a result for example.
   *
   * @param value any value that has a form
   * @return the payload
   * @throws PayloadException where it has none
   */
  public static Payload write(Object value) {
    return Payload.newBuilder().setJson(ValueWriter.write(value)).build();
  }

  /**
   * Writes the arguments of a call.
   *
   * @param args positional ones
   * @param kwargs named ones
   * @param encoding a content encoding that is used where it makes the payload smaller; empty for none
   * @return the payload
   * @throws PayloadException where a value has no form, or the encoding is not known here
   */
  public static Payload writeArguments(List<?> args, Map<String, ?> kwargs, String encoding) {
    String text = ValueWriter.arguments(args, kwargs);
    if (!encoding.isEmpty()) {
      byte[] plain = text.getBytes(StandardCharsets.UTF_8);
      byte[] encoded = Encodings.encode(encoding, plain);
      if (encoded.length < plain.length) {
        return Payload.newBuilder()
            .setData(ByteString.copyFrom(encoded))
            .setContentType(JSON)
            .addContentEncodings(encoding)
            .setPlainSha256(ByteString.copyFrom(sha256(plain)))
            .build();
      }
    }
    return Payload.newBuilder().setJson(text).build();
  }

  /**
   * Reads one value.
   *
   * @param payload what a client library of any language wrote
   * @return the plain value; null where there is no body
   * @throws PayloadException where it can't be read
   */
  public static Object read(Payload payload) {
    return switch (payload.getBodyCase()) {
      case JSON -> ValueReader.read(payload.getJson());
      case DATA -> readData(payload);
      case BODY_NOT_SET -> null;
    };
  }

  /**
   * Makes a value of a type of the program's own from a plain value.
   *
   * @param plain what {@link #read} gave
   * @param type the type that is wanted
   * @param <T> the type that is wanted
   * @return the value
   * @throws PayloadException where it makes none of that type
   */
  @SuppressWarnings("unchecked")
  public static <T> T convert(Object plain, Class<T> type) {
    return (T) Conversion.convert(plain, Conversion.type(type));
  }

  /**
   * As the other one, for a generic type.
   *
   * @param plain what {@link #read} gave
   * @param type the type that is wanted, for example {@code new TypeReference<List<Point>>() {}}
   * @param <T> the type that is wanted
   * @return the value
   * @throws PayloadException where it makes none of that type
   */
  @SuppressWarnings("unchecked")
  public static <T> T convert(Object plain, TypeReference<T> type) {
    JavaType known = Conversion.type(type);
    return (T) Conversion.convert(plain, known);
  }

  /**
   * Reads the arguments of a task, written by a client library or by hand.
   *
   * @param spec the task's spec
   * @return them
   * @throws PayloadException where they can't be read
   */
  public static Arguments readArguments(TaskSpec spec) {
    if (!spec.hasPayload()) {
      List<Object> args = new ArrayList<>();
      spec.getArgs().getValuesList().forEach(value -> args.add(byHand(value)));
      Map<String, Object> kwargs = new LinkedHashMap<>();
      spec.getKwargs().getFieldsMap().forEach((key, value) -> kwargs.put(key, byHand(value)));
      return new Arguments(args, kwargs);
    }
    Object read = read(spec.getPayload());
    if (read == null) {
      return new Arguments(List.of(), Map.of());
    }
    if (read instanceof Map<?, ?> map) {
      boolean known = map.keySet().stream().allMatch(key -> "args".equals(key) || "kwargs".equals(key));
      Object args = map.containsKey("args") ? map.get("args") : List.of();
      return arguments(known, args, map.containsKey("kwargs") ? map.get("kwargs") : Map.of());
    }
    return arguments(false, null, null);
  }

  @SuppressWarnings("unchecked")
  private static Arguments arguments(boolean known, Object args, Object kwargs) {
    if (!known || !(args instanceof List) || args instanceof Tuple || !(kwargs instanceof Map)) {
      throw new PayloadException("arguments are to be an object of \"args\", a list, and \"kwargs\", an object");
    }
    return new Arguments((List<Object>) args, (Map<String, Object>) kwargs);
  }

  private static Object readData(Payload payload) {
    byte[] data = payload.getData().toByteArray();
    List<String> encodings = payload.getContentEncodingsList();
    for (int place = encodings.size() - 1; place >= 0; place--) {
      data = Encodings.decode(encodings.get(place), data);
    }
    ByteString digest = payload.getPlainSha256();
    if (!digest.isEmpty() && !MessageDigest.isEqual(digest.toByteArray(), sha256(data))) {
      throw new PayloadException("a payload is not the one that plain_sha256 tells of");
    }
    return switch (payload.getContentType()) {
      case JSON -> ValueReader.read(utf8(data));
      case "text/plain" -> utf8(data);
      case "application/data", "application/octet-stream" -> data;
      default -> throw new PayloadException("the content type " + payload.getContentType()
          + " is not read in Java; send JSON, which every language reads");
    };
  }

  private static String utf8(byte[] data) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(data)).toString();
    } catch (CharacterCodingException error) {
      throw new PayloadException("a payload of text is no UTF-8");
    }
  }

  private static byte[] sha256(byte[] data) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(data);
    } catch (NoSuchAlgorithmException error) {
      throw new IllegalStateException(error);
    }
  }

  /** All numbers of arguments by hand are doubles; those without a fraction mean integers. */
  private static Object byHand(Value value) {
    return switch (value.getKindCase()) {
      case NUMBER_VALUE -> number(value.getNumberValue());
      case STRING_VALUE -> value.getStringValue();
      case BOOL_VALUE -> value.getBoolValue();
      case LIST_VALUE -> {
        List<Object> members = new ArrayList<>();
        value.getListValue().getValuesList().forEach(member -> members.add(byHand(member)));
        yield members;
      }
      case STRUCT_VALUE -> {
        Map<String, Object> members = new LinkedHashMap<>();
        value.getStructValue().getFieldsMap().forEach((key, member) -> members.put(key, byHand(member)));
        yield members.containsKey(TagReader.KEY) ? TagReader.read(members) : members;
      }
      default -> null;
    };
  }

  private static Object number(double number) {
    if (number == Math.rint(number) && Math.abs(number) < MOST_EXACT) {
      return (long) number;
    }
    return number;
  }
}
