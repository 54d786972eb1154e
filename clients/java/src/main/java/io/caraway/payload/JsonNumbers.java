package io.caraway.payload;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/** Doubles in the shortest text that reads back as the same double. */
final class JsonNumbers {
  private static final int LEAST_PLAIN = -4;
  private static final int MOST_PLAIN = 16;

  private JsonNumbers() {}

  /** Writes a finite double, always with a fraction or an exponent: it stays a double. */
  static String text(double value) {
    if (value == 0) {
      return 1 / value < 0 ? "-0.0" : "0.0";
    }
    BigDecimal shortest = shortest(value).stripTrailingZeros();
    String digits = shortest.unscaledValue().abs().toString();
    // The place of the point behind the first digit.
    int exponent = digits.length() - 1 - shortest.scale();
    String sign = value < 0 ? "-" : "";
    if (exponent >= LEAST_PLAIN && exponent < MOST_PLAIN) {
      String plain = shortest.abs().toPlainString();
      return sign + (shortest.scale() <= 0 ? plain + ".0" : plain);
    }
    String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
    String power = Math.abs(exponent) < 10 ? "0" + Math.abs(exponent) : Integer.toString(Math.abs(exponent));
    return sign + digits.charAt(0) + fraction + "e" + (exponent < 0 ? "-" : "+") + power;
  }

  /** Java 17's own text may have digits that nobody needs: those are taken away. */
  private static BigDecimal shortest(double value) {
    BigDecimal known = new BigDecimal(Double.toString(value));
    BigDecimal exact = new BigDecimal(value);
    for (int digits = known.precision() - 1; digits > 0; digits--) {
      BigDecimal shorter = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
      if (shorter.doubleValue() != value) {
        break;
      }
      known = shorter;
    }
    return known;
  }
}
