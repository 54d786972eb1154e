package io.caraway.internal;

import com.google.protobuf.Duration;
import com.google.protobuf.Timestamp;
import java.time.Instant;

/** Between the contract's messages and Java's own types. */
public final class Protos {
  private Protos() {}

  /** Gives the constant of a number, the first one for a number that it does not have: both enums count alike. */
  public static <E extends Enum<E>> E read(Class<E> kind, int number) {
    E[] all = kind.getEnumConstants();
    return number > 0 && number < all.length ? all[number] : all[0];
  }

  public static Duration write(java.time.Duration duration) {
    return Duration.newBuilder().setSeconds(duration.getSeconds()).setNanos(duration.getNano()).build();
  }

  public static java.time.Duration read(Duration duration) {
    return java.time.Duration.ofSeconds(duration.getSeconds(), duration.getNanos());
  }

  public static Timestamp write(Instant instant) {
    return Timestamp.newBuilder().setSeconds(instant.getEpochSecond()).setNanos(instant.getNano()).build();
  }

  /** Null for an unset one. */
  public static Instant read(boolean isSet, Timestamp timestamp) {
    return isSet ? Instant.ofEpochSecond(timestamp.getSeconds(), timestamp.getNanos()) : null;
  }
}
