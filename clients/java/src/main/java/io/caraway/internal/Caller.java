package io.caraway.internal;

import io.caraway.Connection;
import io.caraway.errors.CarawayException;
import io.caraway.errors.OperationalException;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/** Calls one gateway, with retries. From any thread. */
public final class Caller implements AutoCloseable {
  /** Time for which a call is tried again: far below the gateway's dedup window (10 min). */
  public static final Duration RETRY_FOR = Duration.ofSeconds(20);

  private static final Duration ATTEMPT_TIMEOUT = Duration.ofSeconds(10);
  private static final double FIRST_DELAY = 0.05;
  private static final double LONGEST_DELAY = 2.0;

  private final Connection connection;
  private final ManagedChannel channel;
  private final Duration retryFor;

  /** Connects at its first call. Raises InvalidOptionException if a file of TLS or a token is wrong. */
  public Caller(Connection connection, Duration retryFor) {
    this(connection, retryFor, null);
  }

  /**
   * As the other one.
   *
   * @param executor where futures are completed; null: threads of gRPC's own
   */
  public Caller(Connection connection, Duration retryFor, Executor executor) {
    this.connection = connection;
    this.channel = Channels.open(connection, executor);
    this.retryFor = retryFor;
  }

  /** The channel, for streams. */
  public ManagedChannel channel() {
    return channel;
  }

  /** Makes waits between tries of a call. */
  public static Backoff backoff() {
    return new Backoff(FIRST_DELAY, LONGEST_DELAY, 0);
  }

  /** Completes after a wait, in a thread that may go on with the call. */
  public static CompletableFuture<Void> after(Duration delay) {
    Executor later = CompletableFuture.delayedExecutor(delay.toNanos(), TimeUnit.NANOSECONDS);
    return CompletableFuture.runAsync(() -> {}, later);
  }

  /** Makes one attempt; fails by CarawayException. Cancelling the future cancels the call. */
  public <Q, R> CompletableFuture<R> once(MethodDescriptor<Q, R> method, Q request, Duration timeout) {
    CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(Math.max(timeout.toNanos(), 1), TimeUnit.NANOSECONDS);
    ClientCall<Q, R> call = channel.newCall(method, options);
    CompletableFuture<R> answer = new CompletableFuture<>();
    ClientCalls.asyncUnaryCall(call, request, new StreamObserver<R>() {
      private R value;

      @Override
      public void onNext(R response) {
        value = response;
      }

      @Override
      public void onError(Throwable failure) {
        answer.completeExceptionally(Refusals.of(failure));
      }

      @Override
      public void onCompleted() {
        answer.complete(value);
      }
    });
    answer.whenComplete((value, failure) -> {
      if (answer.isCancelled()) {
        call.cancel("the caller gave up", null);
      }
    });
    return answer;
  }

  /** Calls until it is answered, refused, or the time for retries is over. */
  public <Q, R> CompletableFuture<R> repeat(MethodDescriptor<Q, R> method, Q request) {
    CompletableFuture<R> result = new CompletableFuture<>();
    attempt(method, request, result, System.nanoTime() + retryFor.toNanos(), backoff());
    return result;
  }

  private <Q, R> void attempt(
      MethodDescriptor<Q, R> method, Q request, CompletableFuture<R> result, long deadline, Backoff backoff) {
    if (result.isDone()) {
      return;
    }
    Duration left = Duration.ofNanos(deadline - System.nanoTime());
    CompletableFuture<R> call = once(method, request, left.compareTo(ATTEMPT_TIMEOUT) < 0 ? left : ATTEMPT_TIMEOUT);
    cancelWith(result, call);
    call.whenComplete((value, failure) -> {
      if (failure == null) {
        result.complete(value);
        return;
      }
      CarawayException error = Refusals.of(failure);
      Duration delay = backoff.next();
      if (!(error instanceof OperationalException) || channel.isShutdown()) {
        result.completeExceptionally(error);
      } else if (deadline - System.nanoTime() <= delay.toNanos()) {
        result.completeExceptionally(away(error));
      } else {
        reconnect();
        after(delay).thenRun(() -> attempt(method, request, result, deadline, backoff));
      }
    });
  }

  /** Cancels a call when its result is given up. */
  public static void cancelWith(CompletableFuture<?> result, CompletableFuture<?> call) {
    result.whenComplete((value, failure) -> {
      if (result.isCancelled()) {
        call.cancel(true);
      }
    });
  }

  /** A gateway that is back is to be found at once: gRPC by itself waits up to two minutes. */
  public void reconnect() {
    channel.resetConnectBackoff();
  }

  private OperationalException away(CarawayException error) {
    String text = "the gateway at " + connection.target() + ", or its store, could not be reached for "
        + retryFor.toSeconds() + " s (" + error.getMessage() + "); is it running (caraway server), and is the target "
        + "right (CARAWAY_TARGET)? Where it has TLS, write grpcs:// or name its authorities";
    return new OperationalException(text, error, error.code(), error.reason(), error.metadata());
  }

  /** Waits for a future and throws what it failed by, as itself. An interrupt cancels it. */
  public static <T> T join(CompletableFuture<T> future) {
    try {
      return future.get();
    } catch (ExecutionException failure) {
      if (failure.getCause() instanceof CarawayException error) {
        // That of a thread of gRPC's tells nobody where the program made its call.
        error.setStackTrace(failure.getStackTrace());
        throw error;
      }
      throw new CarawayException("a call failed by a fault of this library: " + failure.getCause(), failure.getCause());
    } catch (InterruptedException interrupt) {
      Thread.currentThread().interrupt();
      future.cancel(true);
      throw new CarawayException("interrupted while waiting for the gateway", interrupt);
    }
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }
}
