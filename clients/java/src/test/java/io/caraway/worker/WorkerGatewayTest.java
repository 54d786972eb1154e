package io.caraway.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.caraway.CarawayClient;
import io.caraway.ErrorKind;
import io.caraway.Gateway;
import io.caraway.RevokeOptions;
import io.caraway.SubmittedTask;
import io.caraway.TaskCall;
import io.caraway.TaskInfo;
import io.caraway.TaskState;
import io.caraway.internal.Ids;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("gateway")
class WorkerGatewayTest {
  private final String queue = "java-worker-" + Ids.uuid7();
  private final Map<String, CountDownLatch> begun = new ConcurrentHashMap<>();
  private final CountDownLatch goOn = new CountDownLatch(1);
  private CarawayClient client;

  @BeforeEach
  void connect() {
    client = CarawayClient.connect(Gateway.target());
  }

  @AfterEach
  void close() {
    goOn.countDown();
    client.close();
  }

  private CountDownLatch begun(String id) {
    return begun.computeIfAbsent(id, key -> new CountDownLatch(1));
  }

  private Worker.Builder builder() {
    return Worker.builder(Gateway.target()).queues(queue).concurrency(1)
        .handle("echo", task -> task.args().get(0))
        .handle("wait", task -> {
          begun(task.id()).countDown();
          goOn.await();
          return "waited";
        })
        .handle("deaf", task -> {
          begun(task.id()).countDown();
          while (goOn.getCount() > 0) {
            Thread.onSpinWait();
          }
          return "late";
        });
  }

  private SubmittedTask submit(String name, Object... args) {
    return client.submit(TaskCall.builder(name).args(args).queue(queue).build());
  }

  @Test
  void aThreadThatIgnoresItsInterruptIsReplaced() {
    try (Worker worker = builder().timeLimits(null, Duration.ofMillis(200)).build().awaitReady(Gateway.PATIENCE)) {
      SubmittedTask deaf = submit("deaf");
      TaskInfo ended = deaf.await(Gateway.PATIENCE);
      assertEquals(TaskState.FAILED, ended.state());
      assertEquals(ErrorKind.TIME_LIMIT, ended.error().kind());
      // The only slot is free again, although the first thread goes on.
      assertEquals("next", submit("echo", "next").get(String.class, Gateway.PATIENCE));
      assertEquals(1, goOn.getCount());
      goOn.countDown();
    }
  }

  @Test
  void terminationInterruptsAfterTheGrace() throws InterruptedException {
    try (Worker worker = builder().build().awaitReady(Gateway.PATIENCE)) {
      SubmittedTask task = submit("wait");
      begun(task.id()).await();
      task.revoke(RevokeOptions.terminate("no longer wanted", Duration.ofMillis(50)));
      TaskInfo ended = task.await(Gateway.PATIENCE);
      assertEquals(TaskState.REVOKED, ended.state());
      assertEquals("no longer wanted", ended.cancelReason());
    }
  }

  @Test
  void aDrainWaitsForWhatRunsAndHandsBackTheRest() throws InterruptedException {
    Worker worker = builder().build().awaitReady(Gateway.PATIENCE);
    SubmittedTask runs = submit("wait");
    begun(runs.id()).await();
    SubmittedTask waits = submit("echo", 1);
    var left = worker.drain();
    assertFalse(left.isDone());
    goOn.countDown();
    left.join();
    assertEquals(TaskState.SUCCEEDED, runs.info().state());
    assertEquals(TaskState.QUEUED, waits.info().state());
    assertEquals(0, waits.info().attempt());
    waits.revoke();
  }

  @Test
  void aStopHandsBackWhatRuns() throws InterruptedException {
    Worker worker = builder().build().awaitReady(Gateway.PATIENCE);
    SubmittedTask task = submit("wait");
    begun(task.id()).await();
    worker.stop().join();
    assertEquals(TaskState.QUEUED, task.info().state());
    assertEquals(0, task.info().lostCount());
    task.revoke();
  }

  @Test
  void aDrainTimeoutBoundsTheDrain() throws InterruptedException {
    Worker worker = builder().drainTimeout(Duration.ofMillis(50)).build().awaitReady(Gateway.PATIENCE);
    SubmittedTask task = submit("wait");
    begun(task.id()).await();
    worker.close();
    assertEquals(TaskState.QUEUED, task.info().state());
    task.revoke();
  }

  @Test
  void listenersRunOutsideOfTheSupervisor() throws InterruptedException {
    CountDownLatch told = new CountDownLatch(1);
    StringBuffer where = new StringBuffer();
    Worker.Builder builder = builder().handle("listen", task -> {
      task.onCancel(() -> {
        where.append(Thread.currentThread().getName());
        told.countDown();
      });
      begun(task.id()).countDown();
      told.await();
      task.throwIfCancelled();
      return null;
    });
    try (Worker worker = builder.build().awaitReady(Gateway.PATIENCE)) {
      SubmittedTask task = submit("listen");
      begun(task.id()).await();
      task.revoke(RevokeOptions.cancel("enough"));
      assertEquals(TaskState.REVOKED, task.await(Gateway.PATIENCE).state());
      assertTrue(where.toString().endsWith("-notifier"), where.toString());
    }
  }

  @Test
  void moreThanASlotFullIsRunByManyThreads() {
    AtomicInteger ran = new AtomicInteger();
    Worker.Builder builder = builder().concurrency(4).handle("count", task -> ran.incrementAndGet());
    try (Worker worker = builder.build().awaitReady(Gateway.PATIENCE)) {
      var calls = java.util.stream.IntStream.range(0, 2000)
          .mapToObj(number -> TaskCall.builder("count").args(number).queue(queue).build()).toList();
      var tasks = client.submitAll(calls);
      tasks.forEach(outcome -> outcome.get().await(Gateway.PATIENCE));
      assertEquals(2000, ran.get());
    }
  }
}
