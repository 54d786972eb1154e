package io.caraway.payload;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.deser.std.StdDeserializer;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.StdSerializer;
import com.fasterxml.jackson.databind.util.ClassUtil;
import com.fasterxml.jackson.databind.util.TokenBuffer;
import io.caraway.errors.PayloadException;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;

/**
 * From plain values to a program's own types and back, by Jackson: beans, records, and whatever its annotations say. Values
 * that JSON has no form for pass through as they are, never as text.
 */
final class Conversion {
  private static final List<Class<?>> OWN_FORM =
      List.of(
          BigDecimal.class, byte[].class, UUID.class, Duration.class, Instant.class, LocalDate.class,
          LocalDateTime.class, LocalTime.class, OffsetDateTime.class, OffsetTime.class, ZonedDateTime.class);
  private static final ObjectMapper READER = mapper(List.of());
  // Sets and tuples of a bean are written as such; read from plain values they may become any collection.
  private static final ObjectMapper WRITER = mapper(List.of(Set.class, Tuple.class));
  private Conversion() {}

  private static ObjectMapper mapper(List<Class<?>> more) {
    SimpleModule module = new SimpleModule("caraway");
    OWN_FORM.forEach(kind -> pass(module, kind));
    more.forEach(kind -> pass(module, kind));
    read(module, BigDecimal.class, BigDecimal::new);
    read(module, Duration.class, Duration::parse);
    read(module, Instant.class, text -> OffsetDateTime.parse(text).toInstant());
    read(module, LocalDate.class, LocalDate::parse);
    read(module, LocalDateTime.class, LocalDateTime::parse);
    read(module, LocalTime.class, LocalTime::parse);
    read(module, OffsetDateTime.class, OffsetDateTime::parse);
    read(module, OffsetTime.class, OffsetTime::parse);
    read(module, ZonedDateTime.class, ZonedDateTime::parse);
    return JsonMapper.builder()
        .addModule(module)
        .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
        .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
        .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
        .disable(SerializationFeature.FAIL_ON_EMPTY_BEANS)
        .build();
  }

  private static <T> void pass(SimpleModule module, Class<T> kind) {
    module.addSerializer(kind, new Embedding<>(kind));
  }

  private static <T> void read(SimpleModule module, Class<T> kind, Function<String, T> parse) {
    module.addDeserializer(kind, new Taking<>(kind, parse));
  }

  /** Gives the Java type that a class or a TypeReference means. */
  static JavaType type(Class<?> type) {
    return READER.constructType(type);
  }

  /** As the other one. */
  static JavaType type(TypeReference<?> type) {
    return READER.constructType(type);
  }

  /** Makes a value of the type of a plain value. */
  static Object convert(Object plain, JavaType type) {
    if (plain == null && !type.isPrimitive()) {
      return null;
    }
    if (fits(plain, type)) {
      return plain;
    }
    try {
      return READER.convertValue(plain, type);
    } catch (IllegalArgumentException error) {
      // Not Jackson's text, which shows the value.
      String what = plain == null ? "null" : "a " + plain.getClass().getSimpleName();
      throw new PayloadException("a payload holds " + what + ", which makes no " + type.toCanonical());
    }
  }

  private static boolean fits(Object plain, JavaType type) {
    Class<?> kind = type.isPrimitive() ? ClassUtil.wrapperType(type.getRawClass()) : type.getRawClass();
    if (!kind.isInstance(plain)) {
      return false;
    }
    // What it holds may have to be converted.
    return !type.isContainerType() || kind == byte[].class || type.getContentType().isJavaLangObject();
  }

  /** Makes plain values of a bean or a record. */
  static Object toPlain(Object bean) {
    if (isOpaque(bean)) {
      throw new PayloadException("a " + bean.getClass().getName() + " has no form as payload");
    }
    try (TokenBuffer buffer = new TokenBuffer(WRITER, false)) {
      WRITER.writeValue(buffer, bean);
      try (JsonParser parser = buffer.asParser()) {
        Object plain = ValueReader.readTokens(parser);
        if (plain == bean) {
          throw new PayloadException("a " + bean.getClass().getName() + " has no form as payload");
        }
        return plain;
      }
    } catch (IOException error) {
      throw new PayloadException("a " + bean.getClass().getName() + " has no form as payload", error);
    }
  }

  /** Jackson would write these as empty objects, or by what they happen to have getters for. */
  private static boolean isOpaque(Object bean) {
    Class<?> kind = bean.getClass();
    return kind == Object.class
        || kind.isHidden()
        || kind.isSynthetic()
        || bean instanceof Thread
        || bean instanceof Throwable
        || bean instanceof AutoCloseable;
  }

  /** Writes a value of one of the contract's types as itself, not as text. */
  private static final class Embedding<T> extends StdSerializer<T> {
    private static final long serialVersionUID = 1L;

    Embedding(Class<T> kind) {
      super(kind);
    }

    @Override
    public void serialize(T value, JsonGenerator generator, SerializerProvider provider) throws IOException {
      generator.writeEmbeddedObject(value);
    }
  }

  /** Takes such a value, or its text. */
  private static final class Taking<T> extends StdDeserializer<T> {
    private static final long serialVersionUID = 1L;

    private final transient Function<String, T> parse;

    Taking(Class<T> kind, Function<String, T> parse) {
      super(kind);
      this.parse = parse;
    }

    @Override
    public T deserialize(JsonParser parser, DeserializationContext context) throws IOException {
      @SuppressWarnings("unchecked")
      Class<T> kind = (Class<T>) handledType();
      if (parser.currentToken() == JsonToken.VALUE_EMBEDDED_OBJECT) {
        Object value = related(parser.getEmbeddedObject(), kind);
        return kind.isInstance(value) ? kind.cast(value) : kind.cast(context.handleUnexpectedToken(kind, parser));
      }
      if (kind == BigDecimal.class && parser.currentToken().isNumeric()) {
        return kind.cast(parser.getDecimalValue());
      }
      if (parser.currentToken() == JsonToken.VALUE_STRING) {
        try {
          return parse.apply(parser.getText());
        } catch (DateTimeException | NumberFormatException error) {
          return kind.cast(context.handleWeirdStringValue(kind, "", "is no %s", kind.getSimpleName()));
        }
      }
      return kind.cast(context.handleUnexpectedToken(kind, parser));
    }

    /** An instant with an offset is an instant too. */
    private static Object related(Object value, Class<?> kind) {
      if (value instanceof OffsetDateTime time) {
        return kind == Instant.class ? time.toInstant() : kind == ZonedDateTime.class ? time.toZonedDateTime() : time;
      }
      return value;
    }
  }
}
