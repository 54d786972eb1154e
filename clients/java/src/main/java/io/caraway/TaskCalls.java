package io.caraway;

import io.caraway.internal.Batches;
import io.caraway.internal.Caller;
import io.caraway.internal.Protos;
import io.caraway.internal.Refusals;
import io.caraway.v1.BatchSubmitTasksRequest;
import io.caraway.v1.BatchSubmitTasksResponse;
import io.caraway.v1.DeleteTasksRequest;
import io.caraway.v1.GetTaskRequest;
import io.caraway.v1.ListTasksRequest;
import io.caraway.v1.RetryTasksRequest;
import io.caraway.v1.RevokeTasksRequest;
import io.caraway.v1.SubmitTaskRequest;
import io.caraway.v1.TaskSelector;
import io.caraway.v1.TaskServiceGrpc;
import io.caraway.v1.TaskSpec;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** The calls of TaskService, in the client's words. */
final class TaskCalls {
  private final CarawayClient client;
  private final Caller caller;

  TaskCalls(CarawayClient client, Caller caller) {
    this.client = client;
    this.caller = caller;
  }

  CompletableFuture<SubmittedTask> submit(TaskSpec spec) {
    SubmitTaskRequest request = SubmitTaskRequest.newBuilder().setTask(spec).build();
    return caller.repeat(TaskServiceGrpc.getSubmitTaskMethod(), request)
        .thenApply(response -> new SubmittedTask(client, response.getTask().getTaskId()));
  }

  /** One call after the other: the tasks of a queue keep their order. */
  CompletableFuture<List<SubmitOutcome>> submitAll(List<TaskSpec> specs) {
    List<SubmitTaskRequest> requests =
        specs.stream().map(spec -> SubmitTaskRequest.newBuilder().setTask(spec).build()).toList();
    return inBatches(Batches.of(requests, SubmitTaskRequest::getSerializedSize), this::submitBatch);
  }

  private CompletableFuture<List<SubmitOutcome>> submitBatch(List<SubmitTaskRequest> batch) {
    BatchSubmitTasksRequest request = BatchSubmitTasksRequest.newBuilder().addAllRequests(batch).build();
    return caller.repeat(TaskServiceGrpc.getBatchSubmitTasksMethod(), request)
        .thenApply(response -> response.getResultsList().stream().map(this::outcome).toList());
  }

  private SubmitOutcome outcome(BatchSubmitTasksResponse.Result result) {
    return result.hasError()
        ? new SubmitOutcome(null, Refusals.of(result.getError()))
        : new SubmitOutcome(new SubmittedTask(client, result.getResponse().getTask().getTaskId()), null);
  }

  CompletableFuture<TaskInfo> get(String id) {
    GetTaskRequest request = GetTaskRequest.newBuilder().setTaskId(id).build();
    return caller.repeat(TaskServiceGrpc.getGetTaskMethod(), request)
        .thenApply(response -> new TaskInfo(response.getTask()));
  }

  CompletableFuture<TaskPage> page(TaskQuery query, String token) {
    ListTasksRequest request =
        ListTasksRequest.newBuilder()
            .setFilter(query.filter())
            .setPageSize(query.size())
            .setPageToken(token)
            .build();
    return caller.repeat(TaskServiceGrpc.getListTasksMethod(), request)
        .thenApply(response -> new TaskPage(
            response.getTasksList().stream().map(TaskInfo::new).toList(), response.getNextPageToken()));
  }

  Iterator<TaskInfo> pages(TaskQuery query) {
    return new Iterator<>() {
      private final Deque<TaskInfo> known = new ArrayDeque<>();
      private String token = "";
      private boolean begun;

      @Override
      public boolean hasNext() {
        while (known.isEmpty() && (!begun || !token.isEmpty())) {
          TaskPage page = Caller.join(page(query, token));
          begun = true;
          known.addAll(page.tasks());
          token = page.nextToken();
        }
        return !known.isEmpty();
      }

      @Override
      public TaskInfo next() {
        if (!hasNext()) {
          throw new NoSuchElementException();
        }
        return known.remove();
      }
    };
  }

  CompletableFuture<List<RevokeOutcome>> revoke(Collection<String> ids, RevokeOptions options) {
    RevokeTasksRequest.Builder asked =
        RevokeTasksRequest.newBuilder()
            .setModeValue(options.mode().ordinal())
            .setReason(options.reason())
            .setSignal(options.signal());
    if (options.grace() != null) {
      asked.setGrace(Protos.write(options.grace()));
    }
    RevokeTasksRequest request = asked.build();
    return bySelector(ids, selector -> caller
        .repeat(TaskServiceGrpc.getRevokeTasksMethod(), request.toBuilder().setSelector(selector).build())
        .thenApply(response -> response.getResultsList().stream()
            .map(result -> Protos.read(RevokeOutcome.class, result.getOutcomeValue())).toList()));
  }

  CompletableFuture<List<RetryOutcome>> retry(Collection<String> ids) {
    return bySelector(ids, selector -> caller
        .repeat(TaskServiceGrpc.getRetryTasksMethod(), RetryTasksRequest.newBuilder().setSelector(selector).build())
        .thenApply(response -> response.getResultsList().stream()
            .map(result -> Protos.read(RetryOutcome.class, result.getOutcomeValue())).toList()));
  }

  CompletableFuture<List<DeleteOutcome>> delete(Collection<String> ids) {
    return bySelector(ids, selector -> caller
        .repeat(TaskServiceGrpc.getDeleteTasksMethod(), DeleteTasksRequest.newBuilder().setSelector(selector).build())
        .thenApply(response -> response.getResultsList().stream()
            .map(result -> deleted(result.getOutcomeValue())).toList()));
  }

  private static DeleteOutcome deleted(int number) {
    final int needed = io.caraway.v1.DeleteTasksResponse.Result.Outcome.OUTCOME_NEEDED_VALUE;
    return number == needed ? DeleteOutcome.NEEDED : Protos.read(DeleteOutcome.class, number);
  }

  private static <R> CompletableFuture<List<R>> bySelector(
      Collection<String> ids, Function<TaskSelector, CompletableFuture<List<R>>> call) {
    return inBatches(Batches.of(List.copyOf(ids), String::length),
        batch -> call.apply(TaskSelector.newBuilder().addAllTaskIds(batch).build()));
  }

  private static <T, R> CompletableFuture<List<R>> inBatches(
      List<List<T>> batches, Function<List<T>, CompletableFuture<List<R>>> call) {
    CompletableFuture<List<R>> all = CompletableFuture.completedFuture(new ArrayList<>());
    for (List<T> batch : batches) {
      all = all.thenCompose(known -> call.apply(batch).thenApply(more -> {
        known.addAll(more);
        return known;
      }));
    }
    return all;
  }
}
