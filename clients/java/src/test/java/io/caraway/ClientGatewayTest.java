package io.caraway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import io.caraway.canvas.Canvas;
import io.caraway.errors.CarawayException;
import io.caraway.errors.ConflictException;
import io.caraway.errors.InvalidOptionException;
import io.caraway.errors.NotFoundException;
import io.caraway.errors.TaskException;
import io.caraway.errors.TaskFailedException;
import io.caraway.errors.TaskRevokedException;
import io.caraway.errors.WaitTimeoutException;
import io.caraway.internal.Ids;
import io.caraway.worker.ReplaceTaskException;
import io.caraway.worker.TaskContext;
import io.caraway.worker.Worker;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("gateway")
class ClientGatewayTest {
  /** A type of a program's own. */
  record Order(String name, BigDecimal price, Instant at) {}

  private static final String QUEUE = "java-client-" + Ids.uuid7();
  private static final String NOBODY = QUEUE + "-nobody";
  private static CarawayClient client;
  private static Worker worker;

  @BeforeAll
  static void start() {
    client = CarawayClient.connect(Gateway.target());
    worker = Worker.builder(Gateway.target()).queues(QUEUE).concurrency(4)
        .handle("add", Long.class, Long.class, Long::sum)
        .handle("later", task -> CompletableFuture.supplyAsync(() -> "later"))
        .handle("order", Order.class, order -> new Order(order.name(), order.price().add(BigDecimal.ONE), order.at()))
        .handle("same", task -> task.args().get(0))
        .handle("stamps", TaskContext::stamps)
        .handle("countdown", Integer.class, number -> {
          // A replacement may be replaced in its turn.
          throw new ReplaceTaskException(number > 0 ? call("countdown", number - 1) : call("stamps"));
        })
        .handle("instead", Integer.class, number -> {
          throw new ReplaceTaskException(Canvas.chain(call("add", number, 1), call("add", 10)));
        })
        .handle("grouped", task -> {
          throw new ReplaceTaskException(Canvas.group(call("add", 1, 1), call("add", 2, 2)));
        })
        .handle("child", task -> client.submit(call("add", 1, 1)).id())
        .handle("fail", task -> {
          throw new IllegalStateException("bent", new IllegalArgumentException("why"));
        })
        .build().awaitReady(Gateway.PATIENCE);
  }

  @AfterAll
  static void stop() {
    worker.close();
    client.close();
  }

  private static TaskCall call(String name, Object... args) {
    return TaskCall.builder(name).args(args).queue(QUEUE).build();
  }

  private static TaskCall idle(int number) {
    return TaskCall.builder("idle").args(number).queue(NOBODY).build();
  }

  @Test
  void aResultComesBackTyped() {
    assertEquals(5, client.submit(call("add", 2, 3)).get(Long.class, Gateway.PATIENCE));
    assertEquals("later", client.submit(call("later")).get(String.class, Gateway.PATIENCE));
    Order order = new Order("tea", new BigDecimal("1.50"), Instant.parse("2026-01-31T12:30:00Z"));
    Order back = client.submit(call("order", order)).get(Order.class, Gateway.PATIENCE);
    assertEquals(new Order("tea", new BigDecimal("2.50"), order.at()), back);
    assertEquals(7L, client.run(call("add", 3, 4), Gateway.PATIENCE).result());
    assertEquals(9, client.submitAsync(call("add", 4, 5))
        .thenCompose(task -> task.getAsync(Integer.class, Gateway.PATIENCE)).join());
  }

  @Test
  void anErrorComesBackWithItsTraceback() {
    SubmittedTask task = client.submit(call("fail"));
    TaskFailedException error =
        assertThrows(TaskFailedException.class, () -> task.get(Object.class, Gateway.PATIENCE));
    assertEquals(ErrorKind.APPLICATION, error.error().kind());
    assertEquals("java.lang.IllegalStateException", error.error().type());
    assertEquals("bent", error.error().message());
    assertTrue(error.error().traceback().contains("ClientGatewayTest"), error.error().traceback());
    assertEquals(task.id(), error.taskId());
  }

  @Test
  void whatHasTheWrongTypeFailsForGood() {
    SubmittedTask task = client.submit(call("add", "two", 2));
    TaskException error = assertThrows(TaskException.class, () -> task.get(Object.class, Gateway.PATIENCE));
    assertEquals(ErrorKind.PAYLOAD, error.error().kind());
  }

  @Test
  void theSameIdTwiceIsOneTask() {
    TaskCall once = idle(1).toBuilder().id(Ids.uuid7()).build();
    assertEquals(once.id(), client.submit(once).id());
    assertEquals(once.id(), client.submit(once).id());
    CarawayException error =
        assertThrows(ConflictException.class, () -> client.submit(idle(2).toBuilder().id(once.id()).build()));
    assertEquals("TASK_ID_CONFLICT", error.reason());
    assertEquals(once.id(), error.metadata().get("task_id"));
    assertEquals("ALREADY_EXISTS", error.code());
  }

  @Test
  void manyAreSentInPartsAndListedInPages() {
    String queue = NOBODY + "-many";
    List<TaskCall> calls = new ArrayList<>();
    IntStream.range(0, 1200).forEach(number ->
        calls.add(TaskCall.builder("idle").args(number, "x".repeat(4000)).queue(queue).build()));
    List<SubmitOutcome> outcomes = client.submitAll(calls);
    assertEquals(1200, outcomes.size());
    List<String> ids = outcomes.stream().map(outcome -> outcome.get().id()).toList();
    TaskQuery query = TaskQuery.all().states(TaskState.QUEUED).queues(List.of(queue)).pageSize(500);
    assertEquals(ids, client.list(query).map(TaskInfo::id).toList());
    List<RevokeOutcome> revoked = client.revoke(ids, RevokeOptions.PENDING_ONLY);
    assertEquals(1200, revoked.stream().filter(outcome -> outcome == RevokeOutcome.REVOKED).count());
    assertEquals(List.of(DeleteOutcome.DELETED), client.delete(ids.subList(0, 1)));
  }

  @Test
  void oneRefusedAmongManyIsToldApart() {
    List<SubmitOutcome> outcomes = client.submitAll(List.of(idle(1), idle(2).toBuilder().priority(99).build()));
    assertFalse(outcomes.get(0).task().id().isEmpty());
    assertEquals("INVALID_FIELD", outcomes.get(1).error().reason());
  }

  @Test
  void waitsHaveADeadline() {
    SubmittedTask task = client.submit(idle(1));
    assertThrows(WaitTimeoutException.class, () -> task.get(Object.class, Duration.ofMillis(100)));
    assertThrows(WaitTimeoutException.class, () -> client.run(idle(1), Duration.ofMillis(100)));
    assertEquals(TaskState.QUEUED, task.info().state());
    assertEquals(RevokeOutcome.REVOKED, task.revoke());
    assertThrows(TaskRevokedException.class, () -> task.get(Object.class, Gateway.PATIENCE));
    assertEquals(List.of(RetryOutcome.QUEUED), client.retry(List.of(task.id())));
  }

  @Test
  void anUnknownIdIsNotFound() {
    NotFoundException error = assertThrows(NotFoundException.class, () -> client.get("nobody"));
    assertEquals("TASK_NOT_FOUND", error.reason());
    String called = "anUnknownIdIsNotFound";
    assertTrue(Stream.of(error.getStackTrace()).anyMatch(frame -> frame.getMethodName().equals(called)), "no frame of the caller's");
  }

  @Test
  void aWatchTellsOfEveryEnd() throws InterruptedException {
    SubmittedTask first = client.submit(idle(1));
    SubmittedTask second = client.submit(idle(2));
    CountDownLatch complete = new CountDownLatch(1);
    List<TaskInfo> ended = new ArrayList<>();
    CompletableFuture<Void> watching = CompletableFuture.runAsync(() -> {
      try (TaskWatch watch = client.watch(List.of(first.id(), second.id()))) {
        while (watch.hasNext()) {
          TaskUpdate update = watch.next();
          if (update.snapshotComplete()) {
            complete.countDown();
          }
          if (update.task() != null && update.task().state().isTerminal()) {
            ended.add(update.task());
          }
        }
      }
    });
    complete.await();
    first.revoke();
    second.revoke();
    watching.orTimeout(Gateway.PATIENCE.toSeconds(), java.util.concurrent.TimeUnit.SECONDS).join();
    assertEquals(2, ended.size());
  }

  @Test
  void canvasesRun() {
    Canvas sum = Canvas.chain(call("add", 1, 1), call("add", 10), Canvas.group(call("add", 100), call("add", 200)));
    assertEquals(List.of(112, 212), client.submit(sum).get(new TypeReference<List<Integer>>() {}, Gateway.PATIENCE));
    List<Canvas> many = new ArrayList<>();
    IntStream.range(0, 2500).forEach(number -> many.add(call("add", number, 1)));
    List<?> list = client.submit(Canvas.group(many)).get(List.class, Gateway.PATIENCE);
    assertEquals(2500, list.size());
    assertEquals(2500L, list.get(2499));
  }

  @Test
  void aGroupOfOneHandsOnItsList() {
    Canvas one = Canvas.group(call("add", 1, 2));
    assertEquals(List.of(3),
        client.submit(Canvas.chain(one, call("same"))).get(new TypeReference<List<Integer>>() {}, Gateway.PATIENCE));
  }

  @Test
  void stampsAreReadListedAndRevoked() {
    String batch = Ids.uuid7();
    SubmittedTask read = client.submit(call("stamps").stamp("batch", batch, 7));
    assertEquals(Map.of("batch", List.of(batch, 7L)), read.get(new TypeReference<Map<String, List<Object>>>() {}, Gateway.PATIENCE));
    SubmittedTask waits = client.submit(idle(1).stamp("batch", batch));
    SubmittedTask other = client.submit(idle(2).stamp("batch", "another"));
    SubmittedTask blocked = client.submit(Canvas.chain(idle(3), idle(4).stamp("batch", batch)));
    TaskQuery query = TaskQuery.all().states(TaskState.QUEUED).stamp("batch", batch);
    assertEquals(List.of(waits.id()), client.list(query).map(TaskInfo::id).toList());
    List<String> revoked = client.revokeStamped(Map.of("batch", List.of("none", batch)), RevokeOptions.cancel("by its stamp"));
    assertEquals(Set.of(waits.id(), blocked.id()), Set.copyOf(revoked));
    assertEquals("by its stamp", waits.await(Gateway.PATIENCE).cancelReason());
    assertEquals(TaskState.REVOKED, blocked.await(Gateway.PATIENCE).state());
    assertEquals(TaskState.QUEUED, other.info().state());
    assertThrows(InvalidOptionException.class, () -> client.revokeStamped(Map.of(), RevokeOptions.PENDING_ONLY));
    assertThrows(InvalidOptionException.class,
        () -> client.revokeStamped(Map.of("batch", List.of()), RevokeOptions.PENDING_ONLY));
  }

  @Test
  void aTaskGivesItsPlaceToACanvas() {
    SubmittedTask task = client.submit(call("countdown", 3).stamp("run", "r"));
    assertEquals(List.of("r"), task.get(new TypeReference<Map<String, List<Object>>>() {}, Gateway.PATIENCE).get("run"));
    assertEquals("SUCCEEDED", task.info().state().name());
    SubmittedTask sum = client.submit(Canvas.chain(call("instead", 1), call("add", 100)));
    assertEquals(112, sum.get(Integer.class, Gateway.PATIENCE));
  }

  @Test
  void whatCannotTakeATasksPlaceFailsItForGood() {
    TaskCall call = call("grouped").toBuilder().retry(RetryPolicy.attempts(3)).build();
    TaskInfo ended = client.submit(call).await(Gateway.PATIENCE);
    assertEquals(TaskState.FAILED, ended.state());
    assertEquals(1, ended.attempt());
    assertTrue(ended.error().message().contains("can't be replaced by a group"), ended.error().message());
  }

  @Test
  void whatARunningTaskSubmitsIsOfItsFamily() {
    SubmittedTask parent = client.submit(call("child"));
    String child = parent.get(String.class, Gateway.PATIENCE);
    assertEquals(parent.id(), client.get(child).headers().get("caraway-parent-id"));
    assertEquals(parent.id(), client.get(child).headers().get("caraway-root-id"));
    assertEquals(parent.id(), client.get(child).toProto().getSpec().getParentTaskId());
  }
}
