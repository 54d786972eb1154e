package io.caraway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.caraway.errors.InvalidOptionException;
import io.caraway.errors.OperationalException;
import io.caraway.worker.Worker;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ConnectionTest {
  @Test
  void targetsAreRead() {
    assertFalse(Connection.to("host:1").isSecure());
    assertTrue(Connection.to("grpcs://host:1").isSecure());
    assertEquals("host:1", Connection.to("grpcs://host:1").address());
    assertEquals("host:1", Connection.to("grpc://host:1").address());
    assertTrue(Connection.builder("host:1").ca(Path.of("ca.pem")).build().isSecure());
  }

  @Test
  void theEnvironmentIsRead() {
    Connection connection = Connection.from(Map.of("CARAWAY_TARGET", "host:1", "CARAWAY_TOKEN", "secret",
        "CARAWAY_TLS_CA", "ca.pem", "CARAWAY_TLS_CERT", "cert.pem", "CARAWAY_TLS_KEY", "key.pem"));
    assertEquals("host:1", connection.target());
    assertEquals("secret", connection.token());
    assertEquals(Path.of("key.pem"), connection.key());
    assertEquals("localhost:50051", Connection.from(Map.of()).target());
  }

  @Test
  void whatDoesNotGoTogetherIsRefused() {
    assertThrows(InvalidOptionException.class, () -> Connection.to("https://host:1"));
    assertThrows(InvalidOptionException.class, () -> Connection.builder("grpc://host:1").ca(Path.of("ca.pem")).build());
    assertThrows(InvalidOptionException.class, () -> Connection.builder("host:1").certificate(Path.of("c"), null).build());
    assertThrows(InvalidOptionException.class, () -> Connection.builder("host:1").token("two words").build());
    Connection noFile = Connection.builder("host:1").ca(Path.of("/nowhere/ca.pem")).build();
    assertThrows(InvalidOptionException.class, () -> CarawayClient.builder(noFile).build());
    Connection noToken = Connection.builder("host:1").tokenFile(Path.of("/nowhere/token")).build();
    assertThrows(InvalidOptionException.class, () -> CarawayClient.builder(noToken).build());
    assertThrows(InvalidOptionException.class, () -> Worker.builder("host:1").build());
    assertThrows(InvalidOptionException.class, () -> Worker.builder("host:1").concurrency(0));
    assertThrows(InvalidOptionException.class,
        () -> CarawayClient.builder(Connection.to("host:1")).retryFor(Duration.ofMinutes(10)));
  }

  @Test
  void aGatewayThatIsAwayIsSaidSo() {
    Connection nobody = Connection.to("127.0.0.1:1");
    try (CarawayClient client = CarawayClient.builder(nobody).retryFor(Duration.ofMillis(300)).build()) {
      OperationalException error = assertThrows(OperationalException.class, () -> client.submit("add", 1, 2));
      assertTrue(error.getMessage().contains("127.0.0.1:1"), error.getMessage());
    }
  }
}
