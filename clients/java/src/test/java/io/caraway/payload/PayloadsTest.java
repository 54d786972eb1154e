package io.caraway.payload;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import io.caraway.errors.PayloadException;
import io.caraway.v1.Payload;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class PayloadsTest {
  /** A type of a program's own, with values that JSON has no form for. */
  record Order(String name, BigDecimal price, LocalDate day, Instant at, Set<Integer> sizes, byte[] seal, List<Order> parts) {}

  private static final Order ORDER =
      new Order("tea", new BigDecimal("1.50"), LocalDate.of(2026, 1, 31), Instant.parse("2026-01-31T12:30:00Z"),
          Set.of(1), new byte[] {1}, List.of());

  @Test
  void recordsKeepTheirValues() {
    String text = Payloads.toText(new Order("all", BigDecimal.ONE, null, null, Set.of(), null, List.of(ORDER)));
    assertTrue(text.contains("{\"$caraway\":\"decimal\",\"value\":\"1.50\"}"), text);
    assertTrue(text.contains("{\"$caraway\":\"datetime\",\"value\":\"2026-01-31T12:30:00+00:00\"}"), text);
    assertTrue(text.contains("{\"$caraway\":\"set\",\"value\":[1]}"), text);
    Order read = Payloads.convert(Payloads.fromText(text), Order.class).parts().get(0);
    assertEquals(ORDER.price(), read.price());
    assertEquals(ORDER.day(), read.day());
    assertEquals(ORDER.at(), read.at());
    assertEquals(ORDER.sizes(), read.sizes());
    assertArrayEquals(ORDER.seal(), read.seal());
  }

  @Test
  void genericTypesAreRead() {
    Object plain = Payloads.fromText("[{\"a\":1},{\"b\":2}]");
    assertEquals(List.of(Map.of("a", 1), Map.of("b", 2)),
        Payloads.convert(plain, new TypeReference<List<Map<String, Integer>>>() {}));
    assertEquals(new BigDecimal("0.10"),
        Payloads.convert(Payloads.fromText("{\"$caraway\":\"decimal\",\"value\":\"0.10\"}"), BigDecimal.class));
  }

  @Test
  void numbersAreNotRounded() {
    assertEquals(5, Payloads.convert(5L, int.class));
    assertThrows(PayloadException.class, () -> Payloads.convert(1L << 40, int.class));
    assertThrows(PayloadException.class, () -> Payloads.convert(2.5, long.class));
    assertThrows(PayloadException.class, () -> Payloads.convert(null, long.class));
    assertThrows(PayloadException.class, () -> Payloads.convert("5", long.class));
    assertEquals("7", Payloads.toText(new AtomicLong(7)));
    assertEquals("0.1", Payloads.toText(0.1f));
  }

  @Test
  void doublesAreShortAndExact() {
    assertEquals("2e+23", Payloads.toText(2e23));
    assertEquals("1e+16", Payloads.toText(1e16));
    assertEquals("1234567890123456.0", Payloads.toText(1234567890123456.0));
    assertEquals("0.0001", Payloads.toText(1e-4));
    assertEquals("1e-05", Payloads.toText(1e-5));
    assertEquals("-0.0", Payloads.toText(-0.0));
    assertEquals("1.7976931348623157e+308", Payloads.toText(Double.MAX_VALUE));
    Random random = new Random(7);
    for (int count = 0; count < 20_000; count++) {
      double value = Double.longBitsToDouble(random.nextLong());
      if (Double.isFinite(value)) {
        assertEquals(value, Double.parseDouble(Payloads.toText(value)));
      }
    }
  }

  @Test
  void whatHasNoFormIsRefused() {
    Object deep = List.of();
    for (int depth = 0; depth < 100; depth++) {
      deep = List.of(deep);
    }
    List<Object> wrong = Arrays.asList(
        Double.NaN, Float.POSITIVE_INFINITY, "\ud800", Map.of(1, 2), new Object(), (Runnable) () -> {}, deep,
        Collections.singletonMap(null, 1), Thread.currentThread());
    for (Object value : wrong) {
      assertThrows(PayloadException.class, () -> Payloads.toText(value));
    }
  }

  @Test
  void timesAreCutToMicroseconds() {
    assertEquals("{\"$caraway\":\"duration\",\"value\":\"-1.500000s\"}", Payloads.toText(Duration.ofMillis(-1500)));
    assertEquals("{\"$caraway\":\"duration\",\"value\":\"0s\"}", Payloads.toText(Duration.ofNanos(-1)));
    assertEquals("{\"$caraway\":\"datetime\",\"value\":\"2026-01-31T12:30:00.123456+00:00\"}",
        Payloads.toText(OffsetDateTime.parse("2026-01-31T12:30:00.123456789Z")));
  }

  @Test
  void argumentsAreCompressedWhereThatGains() {
    List<String> text = List.of("tea ".repeat(1000));
    for (String encoding : List.of("gzip", "zlib", "zstd")) {
      Payload payload = Payloads.writeArguments(text, Map.of(), encoding);
      assertEquals(List.of(encoding), payload.getContentEncodingsList());
      assertEquals(Map.of("args", text, "kwargs", Map.of()), Payloads.read(payload));
      assertThrows(PayloadException.class,
          () -> Payloads.read(payload.toBuilder().setPlainSha256(payload.getData().substring(0, 32)).build()));
    }
    assertFalse(Payloads.writeArguments(List.of(1), Map.of(), "gzip").hasData());
    assertThrows(PayloadException.class, () -> Payloads.writeArguments(text, Map.of(), "rot13"));
  }
}
