package io.caraway;

import com.google.protobuf.ListValue;
import io.caraway.errors.InvalidOptionException;
import io.caraway.errors.NotFoundException;
import io.caraway.internal.Caller;
import io.caraway.internal.Stamps;
import io.caraway.v1.ListTasksRequest;
import io.caraway.v1.ListTasksResponse;
import io.caraway.v1.ListWorkflowNodesRequest;
import io.caraway.v1.ListWorkflowNodesResponse;
import io.caraway.v1.ListWorkflowsRequest;
import io.caraway.v1.ListWorkflowsResponse;
import io.caraway.v1.Task;
import io.caraway.v1.TaskFilter;
import io.caraway.v1.TaskServiceGrpc;
import io.caraway.v1.Workflow;
import io.caraway.v1.WorkflowServiceGrpc;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Revokes what is stamped, as it is found in the gateway's lists: nothing keeps an index of stamps. Blocks. */
final class StampedRevocation {
  private static final int PAGE = 250;
  /** Looks at everything, at most: a task that moved on while it was looked for is found by the next look. */
  private static final int ROUNDS = 5;
  private static final List<Task.State> UNENDED = List.of(
      Task.State.STATE_SCHEDULED, Task.State.STATE_QUEUED, Task.State.STATE_LEASED, Task.State.STATE_RUNNING,
      Task.State.STATE_RETRYING);

  private final TaskCalls calls;
  private final Caller caller;
  private final Map<String, ListValue> stamps = new LinkedHashMap<>();
  private final RevokeOptions options;
  private final Set<String> found = new LinkedHashSet<>();

  /** Raises InvalidOptionException where no stamp is named, or for what can't be one. */
  StampedRevocation(TaskCalls calls, Caller caller, Map<String, ?> stamps, RevokeOptions options) {
    this.calls = calls;
    this.caller = caller;
    this.options = options;
    stamps.forEach((name, given) ->
        this.stamps.put(name, Stamps.write(name, given instanceof Collection<?> values ? values : Arrays.asList(given))));
    if (this.stamps.values().stream().allMatch(values -> values.getValuesCount() == 0)) {
      throw new InvalidOptionException("stamps: name at least one with a value; without one, every task would be revoked");
    }
  }

  /** Gives the ids of all that it revoked. */
  List<String> run() {
    for (int round = 0; round < ROUNDS; round++) {
      int known = found.size();
      revokeTasks();
      revokeBlocked();
      if (found.size() == known) {
        break;
      }
    }
    return List.copyOf(found);
  }

  private void revokeTasks() {
    TaskFilter filter = TaskFilter.newBuilder().addAllStates(UNENDED).putAllStamps(stamps).build();
    ListTasksRequest.Builder request = ListTasksRequest.newBuilder().setFilter(filter).setPageSize(PAGE);
    List<String> seen = List.of();
    do {
      ListTasksResponse page = Caller.join(caller.repeat(TaskServiceGrpc.getListTasksMethod(), request.build()));
      // One page behind: a page begins after the last task of the one before, which has to stand there still.
      revoke(seen);
      seen = page.getTasksList().stream().map(Task::getTaskId).toList();
      request.setPageToken(page.getNextPageToken());
    } while (!request.getPageToken().isEmpty());
    revoke(seen);
  }

  /** Nodes of workflows that wait for others: they are in no list of tasks. */
  private void revokeBlocked() {
    ListWorkflowsRequest.Builder request =
        ListWorkflowsRequest.newBuilder().addStates(Workflow.State.STATE_RUNNING).setPageSize(PAGE);
    do {
      ListWorkflowsResponse page = Caller.join(caller.repeat(WorkflowServiceGrpc.getListWorkflowsMethod(), request.build()));
      page.getWorkflowsList().stream().filter(flow -> flow.getBlockedCount() > 0)
          .forEach(flow -> revokeBlockedIn(flow.getWorkflowId()));
      request.setPageToken(page.getNextPageToken());
    } while (!request.getPageToken().isEmpty());
  }

  private void revokeBlockedIn(String workflowId) {
    ListWorkflowNodesRequest.Builder request =
        ListWorkflowNodesRequest.newBuilder()
            .setWorkflowId(workflowId)
            .addStates(Task.State.STATE_BLOCKED)
            .putAllStamps(stamps)
            .setPageSize(PAGE);
    do {
      ListWorkflowNodesResponse page;
      try {
        page = Caller.join(caller.repeat(WorkflowServiceGrpc.getListWorkflowNodesMethod(), request.build()));
      } catch (NotFoundException deleted) {
        return;
      }
      revoke(page.getNodesList().stream().map(node -> node.getTask().getTaskId()).toList());
      request.setPageToken(page.getNextPageToken());
    } while (!request.getPageToken().isEmpty());
  }

  private void revoke(List<String> ids) {
    List<RevokeOutcome> outcomes = Caller.join(calls.revoke(ids, options));
    for (int place = 0; place < ids.size(); place++) {
      if (outcomes.get(place) == RevokeOutcome.REVOKED || outcomes.get(place) == RevokeOutcome.CANCEL_REQUESTED) {
        found.add(ids.get(place));
      }
    }
  }
}
