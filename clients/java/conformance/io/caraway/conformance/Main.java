package io.caraway.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Java's program of the conformance suite: requests come as lines of JSON and run side by side; answers go out as lines. */
public final class Main {
  /** What the program plays. */
  interface Role {
    /** Does what a request asks, and gives the members of {@code ok}. What it throws is answered as an error. */
    Map<String, Object> answer(int number, JsonNode request) throws Exception;
  }

  private Main() {}

  public static void main(String[] args) throws IOException {
    Role role = args[0].equals("client") ? new ClientRole() : new WorkerRole();
    ObjectMapper json = new ObjectMapper();
    ExecutorService requests = Executors.newCachedThreadPool();
    BufferedReader lines = new BufferedReader(
        new InputStreamReader(new FileInputStream(FileDescriptor.in), StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      JsonNode request = json.readTree(line);
      requests.execute(() -> answer(role, request));
    }
    // Whatever is under way.
    Runtime.getRuntime().halt(0);
  }

  private static void answer(Role role, JsonNode request) {
    int number = request.get("id").intValue();
    try {
      Lines.say(Map.of("id", number, "ok", role.answer(number, request)));
    } catch (Throwable failure) {
      Lines.say(Map.of("id", number, "error", Failures.of(failure)));
    }
  }
}
