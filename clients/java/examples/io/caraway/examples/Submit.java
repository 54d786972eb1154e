package io.caraway.examples;

import io.caraway.CarawayClient;
import io.caraway.TaskCall;
import io.caraway.canvas.Canvas;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Has {@link Work} count the words of some lines, side by side, and adds them up. */
public final class Submit {
  private Submit() {}

  public static void main(String[] lines) {
    try (CarawayClient client = CarawayClient.connect()) {
      List<Canvas> counts = new ArrayList<>();
      for (String line : lines) {
        counts.add(TaskCall.builder("words.count").args(line).queue("words").build());
      }
      TaskCall total = TaskCall.builder("words.total").queue("words").build();
      long words = client.submit(Canvas.chord(Canvas.group(counts), total)).get(Long.class, Duration.ofSeconds(30));
      System.out.println(words + " words");
    }
  }
}
