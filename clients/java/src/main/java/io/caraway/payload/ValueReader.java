package io.caraway.payload;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import io.caraway.errors.PayloadException;
import java.io.IOException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads JSON text, or any source of Jackson's tokens, into plain values. */
final class ValueReader {
  private static final int MOST_DIGITS = 5000;
  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(1000)
                  .maxNumberLength(MOST_DIGITS)
                  .maxStringLength(Integer.MAX_VALUE)
                  .maxNameLength(Integer.MAX_VALUE)
                  .build())
          .build();

  private final boolean tagged;

  private ValueReader(boolean tagged) {
    this.tagged = tagged;
  }

  /** Reads a text; raises PayloadException where it is not of the contract's form. */
  static Object read(String text) {
    // The contract wants the tag's key written without escapes: where it is missing there are no tags.
    ValueReader reader = new ValueReader(text.contains('"' + TagReader.KEY + '"'));
    try (JsonParser parser = FACTORY.createParser(text)) {
      if (parser.nextToken() == null) {
        throw new PayloadException("a payload is empty where JSON was to be");
      }
      Object value = reader.value(parser);
      if (parser.nextToken() != null) {
        throw new PayloadException("something follows the JSON of a payload");
      }
      return value;
    } catch (IOException error) {
      // Jackson's message shows parts of the text, which may be of those that nobody is to see.
      throw new PayloadException("a payload is no JSON as RFC 8259 has it");
    }
  }

  /** Reads what Jackson has written of an object; values that were embedded are taken as they are. */
  static Object readTokens(JsonParser parser) throws IOException {
    parser.nextToken();
    return new ValueReader(false).value(parser);
  }

  private Object value(JsonParser parser) throws IOException {
    return switch (parser.currentToken()) {
      case START_OBJECT -> object(parser);
      case START_ARRAY -> list(parser);
      case VALUE_STRING -> parser.getText();
      case VALUE_NUMBER_INT -> integer(parser);
      case VALUE_NUMBER_FLOAT -> fraction(parser);
      case VALUE_TRUE -> Boolean.TRUE;
      case VALUE_FALSE -> Boolean.FALSE;
      case VALUE_NULL -> null;
      case VALUE_EMBEDDED_OBJECT -> parser.getEmbeddedObject();
      default -> throw new PayloadException("a payload is no JSON");
    };
  }

  private Object object(JsonParser parser) throws IOException {
    Map<String, Object> members = new LinkedHashMap<>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      parser.nextToken();
      members.put(key, value(parser));
    }
    return tagged && members.containsKey(TagReader.KEY) ? TagReader.read(members) : members;
  }

  private List<Object> list(JsonParser parser) throws IOException {
    List<Object> members = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      members.add(value(parser));
    }
    return members;
  }

  private static Number integer(JsonParser parser) throws IOException {
    return parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
        ? shrunk(parser.getBigIntegerValue())
        : (Number) parser.getLongValue();
  }

  private static Number shrunk(BigInteger value) {
    return value.bitLength() < Long.SIZE ? (Number) value.longValue() : value;
  }

  private static Number fraction(JsonParser parser) throws IOException {
    double value = parser.getDoubleValue();
    if (Double.isInfinite(value)) {
      throw new PayloadException("a number is beyond what a double holds");
    }
    return value;
  }
}
