package io.caraway.worker;

import io.caraway.errors.CarawayException;
import io.caraway.internal.Backoff;
import io.caraway.internal.Caller;
import io.caraway.internal.Ids;
import io.caraway.internal.Protos;
import io.caraway.internal.Refusals;
import io.caraway.v1.AdminServiceGrpc;
import io.caraway.v1.CancelLeases;
import io.caraway.v1.CommandReply;
import io.caraway.v1.GetServerInfoRequest;
import io.caraway.v1.Hello;
import io.caraway.v1.TaskError;
import io.caraway.v1.TaskLease;
import io.caraway.v1.TaskReport;
import io.caraway.v1.WorkerCommand;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Wires stream, slots and reports together, and ends in good order. All in the loop's thread but where said. */
final class Supervisor implements LeaseStream.Owner, Reporter.Owner, Arrivals.Owner {
  private static final Logger LOG = LoggerFactory.getLogger("io.caraway.worker");
  private static final Duration LOST_GRACE = Duration.ofSeconds(1);
  private static final String DRAINS = "the worker drains";
  private static final String DEAF = "the gateway was out of reach for longer than the lease lasts";

  private final Worker.Builder settings;
  private final String workerId;
  private final Loop loop;
  private final ExecutorService notifier;
  private final Caller caller;
  private final Renewal renewal = new Renewal();
  private final LeaseStream stream;
  private final Reporter reporter;
  private final Arrivals arrivals;
  private final Crew crew;
  private final Endings endings;
  private final Commands commands;
  private final Map<String, Delivery> held = new LinkedHashMap<>();
  private final Map<String, Long> taken = new LinkedHashMap<>();
  private final CompletableFuture<Void> welcomed = new CompletableFuture<>();
  private CompletableFuture<Void> quiet;
  private volatile Limits limits = Limits.DEFAULT;
  private int open;
  private long openBytes;

  Supervisor(Worker.Builder settings, Runnable shutdown) {
    this.settings = settings;
    this.workerId = settings.name + "#" + Ids.uuid7();
    this.loop = new Loop(settings.name);
    this.notifier = Executors.newCachedThreadPool(task -> {
      Thread made = new Thread(task, settings.name + "-notifier");
      made.setDaemon(true);
      return made;
    });
    this.caller = new Caller(settings.connection, Caller.RETRY_FOR, loop);
    this.stream = new LeaseStream(caller, this, loop, renewal);
    this.reporter = new Reporter(caller, this, loop);
    this.arrivals = new Arrivals(caller, this, loop);
    this.crew = new Crew(settings.concurrency, settings.name, this::runDelivery);
    this.endings = new Endings(this, crew, arrivals, loop);
    this.commands = new Commands(() -> Map.of("total", taken, "running", crew.running().size()), shutdown);
  }

  /** From any thread. Completes when the stream is welcomed. */
  CompletableFuture<Void> start() {
    crew.start();
    loop.execute(() -> {
      stream.open();
      learnLimits(new Backoff(0.2, 5.0, 0.5));
      loop.schedule(Watch.TICK, new Watch(this, crew, endings, loop)::tick);
      loop.schedule(renewal.leaseDuration(), this::checkLeases);
    });
    return welcomed;
  }

  private void learnLimits(Backoff backoff) {
    caller.once(AdminServiceGrpc.getGetServerInfoMethod(), GetServerInfoRequest.getDefaultInstance(), Duration.ofSeconds(5))
        .whenComplete((info, failure) -> {
          if (failure == null) {
            limits = Limits.of(info);
            reporter.setLimits(limits);
            return;
          }
          CarawayException error = Refusals.of(failure);
          if (WorkerCalls.isFinal(error)) {
            LOG.warn("the gateway does not tell its limits, the defaults are taken: {}", error.getMessage());
          } else {
            loop.schedule(backoff.next(), () -> learnLimits(backoff));
          }
        });
  }

  // Slots' threads.

  private void runDelivery(Delivery delivery) {
    if (delivery.isExpired(System.nanoTime())) {
      delivery.leave();
      loop.execute(() -> endings.handBack(delivery, Endings.EXPIRED));
      return;
    }
    if (delivery.atMostOnce) {
      // Decided by the gateway's answer.
      loop.execute(() -> reportStart(delivery));
    } else {
      delivery.mayRun.complete(true);
    }
    if (!delivery.mayRun.join()) {
      delivery.leave();
      return;
    }
    delivery.run();
    Attempt.Ended ended = new Attempt(settings.handlers.get(delivery.name), settings.tracing, limits, delivery).run();
    delivery.leave();
    loop.execute(() -> onDone(delivery, ended));
  }

  private void onDone(Delivery delivery, Attempt.Ended ended) {
    crew.ran(ended.runNanos());
    if (!delivery.ended) {
      endings.onDone(delivery, ended);
    }
    onRoom();
  }

  // What happens to deliveries.

  /** Reports that it runs, once. */
  void reportStart(Delivery delivery) {
    if (!delivery.startReported && !delivery.ended) {
      delivery.startReported = true;
      reporter.add(delivery, Reports.started(delivery), false);
    }
  }

  private void onProgress(Delivery delivery, TaskReport report) {
    loop.execute(() -> {
      if (!delivery.ended && (delivery.stop == null || delivery.stop.ending() != Stop.Ending.SILENT)) {
        reportStart(delivery);
        reporter.add(delivery, report, false);
      }
    });
  }

  /** It ended; null: nothing is to be reported. */
  void end(Delivery delivery, TaskReport report) {
    delivery.ended = true;
    delivery.mayRun.complete(false);
    open--;
    openBytes -= delivery.size;
    if (report == null) {
      held.remove(delivery.token);
    } else {
      LOG.debug("task {} [{}] {}", delivery.name, delivery.taskId, report.getReportCase());
      reporter.add(delivery, report, true);
    }
    checkQuiet();
  }

  @Override
  public void onEnded(Delivery delivery, TaskReport report) {
    end(delivery, report);
    onRoom();
  }

  @Override
  public void onArrived(Delivery delivery) {
    run(delivery);
  }

  private void run(Delivery delivery) {
    delivery.prepare(settings.name, notifier, this::onProgress);
    crew.put(delivery);
  }

  /** More may be leased, or nothing is left. */
  void onRoom() {
    if (quiet == null && welcomed.isDone() && !reporter.isBehind()) {
      stream.offer(crew.wanted(System.nanoTime()), open, openBytes);
    }
  }

  boolean isBusy() {
    return open > 0;
  }

  // What the gateway answers to reports.

  @Override
  public void onConfirmed(Delivery delivery) {
    held.remove(delivery.token);
  }

  @Override
  public void onLeaseLost(Delivery delivery) {
    boolean told = delivery.stop != null && delivery.stop.ending() == Stop.Ending.SILENT;
    if (!delivery.ended && !told) {
      LOG.warn("task {} [{}]: its lease was lost, it is stopped", delivery.name, delivery.taskId);
      endings.stop(delivery, new Stop(Stop.Ending.SILENT, true, LOST_GRACE, "its lease was lost", false));
    }
  }

  @Override
  public void onStartConfirmed(Delivery delivery) {
    delivery.startConfirmed = true;
    delivery.mayRun.complete(true);
  }

  @Override
  public void onCancelRequested(Delivery delivery) {
    if (!delivery.ended && delivery.stop == null) {
      endings.stop(delivery, new Stop(Stop.Ending.CANCELLED, false, Duration.ZERO, "revoked", false));
    }
  }

  @Override
  public void onAnswered() {
    onRoom();
  }

  // What comes over the stream.

  @Override
  public Hello hello() {
    return Hello.newBuilder()
        .setWorkerId(workerId)
        .addAllHeldLeaseTokens(held.keySet())
        .addAllQueues(settings.queues)
        .addAllTaskNames(settings.handlers.names())
        .setInfo(Facts.info(settings))
        .build();
  }

  @Override
  public Collection<String> heldTokens() {
    return held.keySet();
  }

  @Override
  public void onConnected() {
    welcomed.complete(null);
    onRoom();
  }

  @Override
  public void onLeases(List<TaskLease> leases) {
    long now = System.nanoTime();
    for (TaskLease lease : leases) {
      Handlers.Entry handler = settings.handlers.get(lease.getTask().getName());
      HandlerOptions options = handler == null ? HandlerOptions.DEFAULT : handler.options();
      Delivery delivery = new Delivery(lease, settings.defaultsFor(options), now);
      held.put(delivery.token, delivery);
      taken.merge(delivery.name, 1L, Long::sum);
      open++;
      openBytes += delivery.size;
      if (quiet != null) {
        endings.handBack(delivery, DRAINS);
      } else if (handler == null) {
        end(delivery, Reports.forGood(delivery, TaskError.Kind.KIND_UNKNOWN_TASK, "no handler of this name is here"));
      } else if (lease.getMoreInputs()) {
        arrivals.take(delivery);
      } else {
        run(delivery);
      }
    }
    onRoom();
  }

  @Override
  public void onLost(List<String> tokens) {
    for (String token : tokens) {
      Delivery delivery = held.get(token);
      if (delivery != null) {
        onLeaseLost(delivery);
      }
    }
  }

  @Override
  public void onCancel(List<CancelLeases.Item> items) {
    for (CancelLeases.Item item : items) {
      Delivery delivery = held.get(item.getLeaseToken());
      if (delivery != null && !delivery.ended) {
        String reason = item.getReason().isEmpty() ? "revoked" : item.getReason();
        Duration grace = Protos.read(item.getGrace());
        endings.stop(delivery,
            new Stop(Stop.Ending.CANCELLED, item.getTerminate(), grace, reason, item.getPendingOnly()));
      }
    }
  }

  @Override
  public CommandReply onCommand(WorkerCommand command) {
    return commands.answer(command);
  }

  /** A worker that hears nothing stops its tasks when another one may start them. */
  private void checkLeases() {
    long now = System.nanoTime();
    long next = now + renewal.leaseDuration().toNanos();
    for (Delivery delivery : List.copyOf(held.values())) {
      if (delivery.ended || (delivery.stop != null && delivery.stop.kill())) {
        continue;
      }
      long until = renewal.holdsUntil(delivery);
      if (until - now > 0) {
        next = until - next < 0 ? until : next;
        continue;
      }
      LOG.error("task {} [{}] is stopped: {}", delivery.name, delivery.taskId, DEAF);
      endings.stop(delivery, new Stop(Stop.Ending.HANDED_BACK, true, LOST_GRACE, DEAF, false));
    }
    loop.schedule(Duration.ofNanos(Math.max(next - now, 50_000_000)), this::checkLeases);
  }

  // The end.

  private void checkQuiet() {
    if (quiet != null && open == 0) {
      quiet.complete(null);
    }
  }

  /** Takes no more, hands back what is not started. Completes when nothing runs and no lease is on its way. From any thread. */
  CompletableFuture<Void> drain() {
    CompletableFuture<Void> done = new CompletableFuture<>();
    loop.execute(() -> {
      if (quiet == null) {
        quiet = new CompletableFuture<>();
        endings.handBackUnstarted(DRAINS);
        checkQuiet();
      }
      CompletableFuture<Void> acknowledged = CompletableFuture.anyOf(stream.drain(), loop.after(Duration.ofSeconds(2)))
          .thenApply(any -> null);
      quiet.thenCombine(acknowledged, (one, other) -> null).thenRun(() -> done.complete(null));
    });
    return done;
  }

  /** Stops what still runs and hands it back. From any thread. */
  void freeze(String reason) {
    loop.execute(() -> {
      for (Delivery delivery : List.copyOf(held.values())) {
        if (!delivery.ended) {
          endings.stop(delivery, Stop.now(Stop.Ending.HANDED_BACK, reason));
        }
      }
    });
  }

  /** Completes when all reports are answered, or the time is over; true: they were. From any thread. */
  CompletableFuture<Boolean> flush(Duration timeout) {
    CompletableFuture<Boolean> done = new CompletableFuture<>();
    loop.execute(() -> {
      reporter.flushed().thenRun(() -> done.complete(held.isEmpty()));
      loop.schedule(timeout, () -> done.complete(held.isEmpty()));
    });
    return done;
  }

  /** Ends the stream and all threads. From any thread. */
  void close() {
    CompletableFuture<Void> ended = new CompletableFuture<>();
    loop.execute(() -> {
      stream.close();
      // What the stream's end says still finds this loop.
      loop.execute(() -> ended.complete(null));
    });
    ended.completeOnTimeout(null, 1, java.util.concurrent.TimeUnit.SECONDS).join();
    crew.retire();
    caller.close();
    notifier.shutdown();
    loop.close();
  }
}
