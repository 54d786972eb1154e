package io.caraway.worker;

import io.caraway.internal.Protos;
import io.caraway.v1.TaskLease;
import io.caraway.v1.TaskSpec;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;

/**
 * One delivery of a task, from its receipt until its report is confirmed. Its fields are the supervisor's; what a slot
 * shares with it is behind this object's lock. Times are those of System.nanoTime.
 */
final class Delivery {
  private enum Phase {
    WAITING,
    RUNNING,
    LEFT
  }

  final String token;
  final String taskId;
  final String name;
  final int size;
  final boolean atMostOnce;
  final Duration soft;
  final Duration hard;
  /** Whether its handler is called: decided once, by the slot that has it or by an order that comes before. */
  final CompletableFuture<Boolean> mayRun = new CompletableFuture<>();

  volatile TaskLease lease;
  volatile TaskContext context;
  long received;
  boolean startReported;
  boolean startConfirmed;
  boolean softStruck;
  boolean interrupted;
  /** Its outcome is known; only the gateway's confirmation is awaited. */
  boolean ended;
  Stop stop;
  int reportsInFlight;
  long reportBatch;

  private final long latestStart;
  private Phase phase = Phase.WAITING;
  private Slot slot;
  private volatile long began;

  Delivery(TaskLease lease, HandlerOptions options, long now) {
    TaskSpec spec = lease.getTask();
    this.lease = lease;
    this.token = lease.getLeaseToken();
    this.taskId = spec.getTaskId();
    this.name = spec.getName();
    this.size = lease.getSerializedSize();
    this.received = now;
    this.atMostOnce = spec.getAckMode() == TaskSpec.AckMode.ACK_MODE_ON_START
        || (spec.getAckMode() == TaskSpec.AckMode.ACK_MODE_UNSPECIFIED && options.atMostOnce());
    boolean limited = spec.hasTimeLimits();
    this.soft = limited && spec.getTimeLimits().hasSoft()
        ? Protos.read(spec.getTimeLimits().getSoft()) : options.softTimeLimit();
    this.hard = limited && spec.getTimeLimits().hasHard()
        ? Protos.read(spec.getTimeLimits().getHard()) : options.timeLimit();
    this.latestStart = lease.hasExpiresIn() ? now + Math.max(0, Protos.read(lease.getExpiresIn()).toNanos()) : now;
  }

  void prepare(String worker, Executor notifier, BiConsumer<Delivery, io.caraway.v1.TaskReport> report) {
    context = new TaskContext(lease, worker, notifier,
        (detail, state) -> report.accept(this, Reports.progress(this, detail, state)));
  }

  /** Whether it must not be started any more. */
  boolean isExpired(long now) {
    return lease.hasExpiresIn() && !startConfirmed && now - latestStart > 0;
  }

  /** Whether it may never run again: its start is told, and it runs at most once. */
  boolean isSpent() {
    return atMostOnce && startReported;
  }

  /** A slot takes it; false: it was taken back. */
  synchronized boolean begin(Slot by) {
    if (phase != Phase.WAITING) {
      return false;
    }
    phase = Phase.RUNNING;
    slot = by;
    return true;
  }

  /** Its handler runs from now on. */
  void run() {
    began = System.nanoTime();
  }

  /** How long its handler has been running, in nanoseconds; 0: it is not. */
  long runTime(long now) {
    return began == 0 ? 0 : Math.max(1, now - began);
  }

  /** The supervisor takes it back; false: a slot has it. */
  synchronized boolean takeBack() {
    if (phase != Phase.WAITING) {
      return false;
    }
    phase = Phase.LEFT;
    return true;
  }

  /** The slot is through with it: no interrupt that is meant for it comes after this. */
  synchronized void leave() {
    phase = Phase.LEFT;
    Thread.interrupted();
  }

  /** Interrupts the thread that runs it, if one does. */
  synchronized void interrupt() {
    if (phase == Phase.RUNNING) {
      slot.interrupt();
    }
  }

  /** The slot that has it, or had it; null: none. */
  synchronized Slot slot() {
    return slot;
  }
}
