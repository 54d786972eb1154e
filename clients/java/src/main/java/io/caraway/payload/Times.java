package io.caraway.payload;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;

/** Times as text: seconds always, a fraction of six digits where there is one, offsets in hours and minutes. */
final class Times {
  private static final DateTimeFormatter SECONDS = DateTimeFormatter.ofPattern("HH:mm:ss");
  private static final DateTimeFormatter MICROS = DateTimeFormatter.ofPattern("HH:mm:ss.SSSSSS");
  private static final int SECONDS_A_MINUTE = 60;
  private static final int NANOS_A_MICRO = 1000;

  private Times() {}

  static String text(LocalTime time) {
    return time.format(time.getNano() < NANOS_A_MICRO ? SECONDS : MICROS);
  }

  static String text(LocalDateTime time) {
    return time.toLocalDate() + "T" + text(time.toLocalTime());
  }

  static String text(OffsetDateTime time) {
    // Other languages read offsets of hours and minutes only; a few historic ones have seconds.
    boolean whole = time.getOffset().getTotalSeconds() % SECONDS_A_MINUTE == 0;
    OffsetDateTime written = whole ? time : time.withOffsetSameInstant(ZoneOffset.UTC);
    return text(written.toLocalDateTime()) + text(written.getOffset());
  }

  static String text(Instant instant) {
    return text(instant.atOffset(ZoneOffset.UTC));
  }

  static String text(OffsetTime time) {
    return text(time.toLocalTime()) + text(time.getOffset());
  }

  private static String text(ZoneOffset offset) {
    return offset.equals(ZoneOffset.UTC) ? "+00:00" : offset.getId();
  }

  static String text(Duration duration) {
    Duration cut = duration.abs().truncatedTo(ChronoUnit.MICROS);
    String sign = duration.isNegative() && !cut.isZero() ? "-" : "";
    String fraction = cut.getNano() == 0 ? "" : String.format(".%06d", cut.getNano() / NANOS_A_MICRO);
    return sign + cut.getSeconds() + fraction + "s";
  }
}
