package io.caraway.payload;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.ByteString;
import io.caraway.errors.PayloadException;
import io.caraway.v1.Payload;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The values that all languages share: tests/conformance/vectors. */
class VectorsTest {
  private static final Path VECTORS = Path.of("..", "..", "tests", "conformance", "vectors");
  private static final Set<String> READ_HERE = Set.of("gzip", "zlib", "zstd");

  private static JsonNode vectors(String file) throws IOException {
    return new ObjectMapper().readTree(VECTORS.resolve(file).toFile());
  }

  @TestFactory
  List<DynamicTest> valuesAreUnchanged() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode vector : vectors("payload.json").get("values")) {
      String text = vector.get("json").textValue();
      tests.add(dynamicTest(vector.get("name").textValue(),
          () -> assertEquals(text, Payloads.toText(Payloads.fromText(text)))));
    }
    assertTrue(tests.size() >= 30);
    return tests;
  }

  @TestFactory
  List<DynamicTest> readersRefuse() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode vector : vectors("payload.json").get("refused")) {
      String text = vector.get("json").textValue();
      tests.add(dynamicTest(vector.get("name").textValue(),
          () -> assertThrows(PayloadException.class, () -> Payloads.fromText(text))));
    }
    assertTrue(tests.size() >= 15);
    return tests;
  }

  private static Payload payload(JsonNode vectors, JsonNode vector) {
    Payload.Builder made =
        Payload.newBuilder()
            .setData(ByteString.copyFrom(Base64.getDecoder().decode(vector.get("base64").textValue())))
            .setContentType(vectors.get("content_type").textValue());
    vector.get("content_encodings").forEach(name -> made.addContentEncodings(name.textValue()));
    return made.build();
  }

  private static boolean isReadHere(JsonNode vector) {
    for (JsonNode name : vector.get("content_encodings")) {
      if (!READ_HERE.contains(name.textValue())) {
        return false;
      }
    }
    return true;
  }

  @TestFactory
  List<DynamicTest> encodingsAreUndone() throws IOException {
    JsonNode vectors = vectors("encodings.json");
    Object plain = Payloads.fromText(vectors.get("plain").textValue());
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode vector : vectors.get("values")) {
      Payload payload = payload(vectors, vector);
      tests.add(dynamicTest(vector.get("name").textValue(), () -> {
        if (isReadHere(vector)) {
          assertEquals(plain, Payloads.read(payload));
        } else {
          assertThrows(PayloadException.class, () -> Payloads.read(payload));
        }
      }));
    }
    assertTrue(tests.size() >= 6);
    return tests;
  }

  @TestFactory
  List<DynamicTest> badEncodingsAreRefused() throws IOException {
    JsonNode vectors = vectors("encodings.json");
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode vector : vectors.get("refused")) {
      tests.add(dynamicTest(vector.get("name").textValue(),
          () -> assertThrows(PayloadException.class, () -> Payloads.read(payload(vectors, vector)))));
    }
    assertTrue(tests.size() >= 4);
    return tests;
  }

  @Test
  void typesAreThoseOfThePage() {
    assertEquals(9007199254740993L, Payloads.fromText("9007199254740993"));
    assertEquals(new BigInteger("1267650600228229401496703205376"),
        Payloads.fromText("1267650600228229401496703205376"));
    assertEquals(2.0, Payloads.fromText("2.0"));
    assertEquals(new BigDecimal("1.50"), read("decimal", "\"1.50\""));
    assertEquals(LocalDate.of(2026, 1, 31), read("date", "\"2026-01-31\""));
    assertEquals(LocalDateTime.of(2026, 1, 31, 12, 30), read("datetime", "\"2026-01-31T12:30:00\""));
    assertEquals(OffsetDateTime.parse("2026-01-31T12:30:00-03:30"), read("datetime", "\"2026-01-31T12:30:00-03:30\""));
    assertEquals(Duration.ofMillis(-1500), read("duration", "\"-1.500000s\""));
    assertEquals(UUID.fromString("0198c0de-7000-8000-8000-00000000002a"),
        read("uuid", "\"0198c0de-7000-8000-8000-00000000002a\""));
    assertArrayEquals(new byte[] {0, -1}, (byte[]) read("bytes", "\"AP8=\""));
    assertInstanceOf(Tuple.class, read("tuple", "[1]"));
    assertEquals(Set.of(1L, 2L), read("set", "[1,2]"));
    assertEquals(Map.of("$caraway", "date", "value", "not one"),
        read("object", "[[\"$caraway\",\"date\"],[\"value\",\"not one\"]]"));
  }

  private static Object read(String tag, String value) {
    return Payloads.fromText("{\"$caraway\":\"" + tag + "\",\"value\":" + value + "}");
  }
}
