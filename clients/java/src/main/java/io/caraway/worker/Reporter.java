package io.caraway.worker;

import io.caraway.errors.CarawayException;
import io.caraway.internal.Backoff;
import io.caraway.internal.Caller;
import io.caraway.internal.Refusals;
import io.caraway.v1.ReportTasksRequest;
import io.caraway.v1.ReportTasksResponse;
import io.caraway.v1.Task;
import io.caraway.v1.TaskReport;
import io.caraway.v1.WorkerServiceGrpc;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends reports: at once while nothing is under way, else in growing batches; repeated until they are answered. Reports of
 * one task stay in order. In the supervisor's thread only.
 */
final class Reporter {
  /** Who is told what the gateway answers. */
  interface Owner {
    /** Its outcome is stored, or will never be: nothing is held any more. */
    void onConfirmed(Delivery delivery);

    /** It runs, and is held no longer or must not go on. */
    void onLeaseLost(Delivery delivery);

    /** Its start is stored. */
    void onStartConfirmed(Delivery delivery);

    /** It runs, and its cancellation is asked for. */
    void onCancelRequested(Delivery delivery);

    /** A batch has been answered. */
    void onAnswered();
  }

  private record Item(Delivery delivery, TaskReport report, boolean last, boolean refused) {}

  private static final Logger LOG = LoggerFactory.getLogger("io.caraway.worker");
  private static final int MOST_IN_FLIGHT = 4;
  private static final int WORTH_A_CALL = 64;
  private static final int MOST_QUEUED = 5000;
  private static final long MOST_QUEUED_BYTES = 32L * 1024 * 1024;
  private static final int FRAME = 6;
  private static final Duration CALL_TIMEOUT = Duration.ofSeconds(10);

  private final Caller caller;
  private final Owner owner;
  private final Loop loop;
  private final Deque<Item> queue = new ArrayDeque<>();
  private final List<CompletableFuture<Void>> waiters = new ArrayList<>();
  private Limits limits = Limits.DEFAULT;
  private long queuedBytes;
  private long batch;
  private int underWay;
  private boolean scheduled;
  private boolean failing;

  Reporter(Caller caller, Owner owner, Loop loop) {
    this.caller = caller;
    this.owner = owner;
    this.loop = loop;
  }

  void setLimits(Limits limits) {
    this.limits = limits;
  }

  /** Whether so much waits for the gateway that no more should be leased. */
  boolean isBehind() {
    return queue.size() > MOST_QUEUED || queuedBytes > MOST_QUEUED_BYTES;
  }

  /** Sends a report; {@code last}: it tells how the delivery ended. */
  void add(Delivery delivery, TaskReport report, boolean last) {
    put(new Item(delivery, report, last, false));
  }

  private void put(Item item) {
    queue.add(item);
    queuedBytes += item.report.getSerializedSize();
    schedule();
  }

  private void schedule() {
    if (!scheduled) {
      // At the end of this round of the loop: what else ends in it goes with it.
      scheduled = true;
      loop.execute(this::flush);
    }
  }

  /** Completes when all reports are answered. */
  CompletableFuture<Void> flushed() {
    CompletableFuture<Void> waiter = new CompletableFuture<>();
    waiters.add(waiter);
    schedule();
    return waiter;
  }

  private void flush() {
    scheduled = false;
    while (!queue.isEmpty() && maySend()) {
      List<Item> items = cut();
      if (items.isEmpty()) {
        break;
      }
      underWay++;
      deliver(items, new Backoff(0.05, 2.0, 0.5)).whenComplete((nothing, failure) -> {
        if (failure != null) {
          LOG.error("a batch of reports was dropped", failure);
        }
        underWay--;
        flush();
        owner.onAnswered();
      });
    }
    if (queue.isEmpty() && underWay == 0) {
      List.copyOf(waiters).forEach(waiter -> waiter.complete(null));
      waiters.clear();
    }
  }

  private boolean maySend() {
    return underWay == 0 || (underWay < MOST_IN_FLIGHT && queue.size() >= WORTH_A_CALL * underWay);
  }

  /** Takes the next batch off the queue, but leaves what would overtake a report of its task that is under way. */
  private List<Item> cut() {
    batch++;
    long sizeLeft = limits.messageBytes() * 3 / 4;
    List<Item> items = new ArrayList<>();
    List<Item> left = new ArrayList<>();
    while (!queue.isEmpty() && items.size() < limits.batchSize()) {
      Item item = queue.poll();
      Delivery delivery = item.delivery;
      if (delivery.reportsInFlight > 0 && delivery.reportBatch != batch) {
        left.add(item);
        continue;
      }
      sizeLeft -= item.report.getSerializedSize() + FRAME;
      if (sizeLeft < 0 && !items.isEmpty()) {
        queue.addFirst(item);
        break;
      }
      delivery.reportsInFlight++;
      delivery.reportBatch = batch;
      items.add(item);
      queuedBytes -= item.report.getSerializedSize();
    }
    putBack(left);
    return items;
  }

  private void putBack(List<Item> items) {
    for (int place = items.size() - 1; place >= 0; place--) {
      queue.addFirst(items.get(place));
    }
  }

  private CompletableFuture<Void> deliver(List<Item> items, Backoff backoff) {
    ReportTasksRequest.Builder request = ReportTasksRequest.newBuilder();
    items.forEach(item -> request.addReports(item.report));
    return caller.once(WorkerServiceGrpc.getReportTasksMethod(), request.build(), CALL_TIMEOUT)
        .handle((response, failure) -> {
          if (failure == null && response.getResultsCount() == items.size()) {
            failing = false;
            return takeAnswers(items, response) ? loop.after(backoff.next()) : done();
          }
          CarawayException error = failure == null
              ? new CarawayException("reports and their answers differ in number", null)
              : Refusals.of(failure instanceof CompletionException wrapped ? wrapped.getCause() : failure);
          if (WorkerCalls.isFinal(error)) {
            return deliverApart(items, error);
          }
          note(error);
          caller.reconnect();
          return loop.after(backoff.next()).thenCompose(nothing -> deliver(items, backoff));
        })
        .thenCompose(next -> next);
  }

  private static CompletableFuture<Void> done() {
    return CompletableFuture.completedFuture(null);
  }

  /** The gateway refuses the whole call: finds out which report it means by sending each alone. */
  private CompletableFuture<Void> deliverApart(List<Item> items, CarawayException error) {
    if (items.size() == 1) {
      items.get(0).delivery.reportsInFlight--;
      refused(items.get(0), error.getMessage(), false);
      return done();
    }
    CompletableFuture<Void> all = done();
    for (Item item : items) {
      all = all.thenCompose(nothing -> deliver(List.of(item), new Backoff(0.05, 2.0, 0.5)));
    }
    return all;
  }

  private void note(CarawayException error) {
    if (!failing) {
      failing = true;
      LOG.warn("reports can't be delivered and are sent again: {}", error.getMessage());
    }
  }

  /** Passes on each answer; true: some reports are to be sent again. */
  private boolean takeAnswers(List<Item> items, ReportTasksResponse response) {
    List<Item> again = new ArrayList<>();
    for (int place = 0; place < items.size(); place++) {
      Item item = items.get(place);
      ReportTasksResponse.Result result = response.getResults(place);
      Delivery delivery = item.delivery;
      delivery.reportsInFlight--;
      Status.Code code = Status.fromCodeValue(result.getStatus().getCode()).getCode();
      if (code == Status.Code.OK && item.last) {
        owner.onConfirmed(delivery);
      } else if (code == Status.Code.OK) {
        started(delivery, result);
      } else if (code == Status.Code.UNAVAILABLE) {
        again.add(item);
        queuedBytes += item.report.getSerializedSize();
      } else if (code == Status.Code.ABORTED) {
        lost(item);
      } else {
        boolean tooLarge = Refusals.reason(result.getStatus()).equals("PAYLOAD_TOO_LARGE");
        refused(item, result.getStatus().getMessage(), tooLarge);
      }
    }
    putBack(again);
    return !again.isEmpty();
  }

  /** It runs, or is about to: the gateway knows. */
  private void started(Delivery delivery, ReportTasksResponse.Result result) {
    boolean waits = delivery.atMostOnce && !delivery.startConfirmed;
    boolean endedElsewhere =
        result.getState() == Task.State.STATE_REVOKED || result.getState() == Task.State.STATE_EXPIRED;
    if (endedElsewhere || (waits && result.getState() != Task.State.STATE_RUNNING)) {
      owner.onLeaseLost(delivery);
      return;
    }
    if (result.getCancelRequested()) {
      owner.onCancelRequested(delivery);
    }
    if (waits) {
      owner.onStartConfirmed(delivery);
    }
  }

  private void lost(Item item) {
    if (item.last) {
      LOG.warn("task {} [{}]: its lease was lost, its outcome is dropped", item.delivery.name, item.delivery.taskId);
      owner.onConfirmed(item.delivery);
    } else {
      owner.onLeaseLost(item.delivery);
    }
  }

  private void refused(Item item, String message, boolean tooLarge) {
    Delivery delivery = item.delivery;
    LOG.error("task {} [{}]: its report was refused: {}", delivery.name, delivery.taskId, message);
    if (!item.last) {
      if (delivery.atMostOnce && !delivery.startConfirmed) {
        // It may not run.
        owner.onLeaseLost(delivery);
      }
    } else if (item.refused) {
      // Nothing more can be said of it: its lease lapses.
      owner.onConfirmed(delivery);
    } else {
      put(new Item(delivery, Reports.refused(delivery, message, tooLarge), true, true));
    }
  }
}
