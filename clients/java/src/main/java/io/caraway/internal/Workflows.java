package io.caraway.internal;

import io.caraway.TaskInfo;
import io.caraway.TaskState;
import io.caraway.payload.Payloads;
import io.caraway.v1.AppendWorkflowNodesRequest;
import io.caraway.v1.ListWorkflowNodesRequest;
import io.caraway.v1.ListWorkflowNodesResponse;
import io.caraway.v1.SealWorkflowRequest;
import io.caraway.v1.SubmitWorkflowRequest;
import io.caraway.v1.SubmitWorkflowResponse;
import io.caraway.v1.Task;
import io.caraway.v1.TaskView;
import io.caraway.v1.WorkflowNode;
import io.caraway.v1.WorkflowServiceGrpc;
import io.caraway.v1.WorkflowSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Submits workflows, whole or in parts, and reads what collects have collected. */
public final class Workflows {
  /** Edges of a collect in one call, which the gateway takes in pieces; more come in further parts. */
  private static final int MOST_EDGES = 2_000;

  private static final int PAGE = 250;
  private static final Duration PRODUCER_LEASE = Duration.ofMinutes(5);

  private final Caller caller;

  /** Calls the gateway of this caller. */
  public Workflows(Caller caller) {
    this.caller = caller;
  }

  /** Submits a workflow: in one call, or in parts where it has more than a message takes. */
  public CompletableFuture<Void> submit(List<WorkflowNode> nodes) {
    List<List<WorkflowNode>> parts = parts(nodes);
    String id = Ids.uuid7();
    CompletableFuture<SubmitWorkflowResponse> first =
        caller.repeat(WorkflowServiceGrpc.getSubmitWorkflowMethod(), first(id, parts));
    CompletableFuture<Void> sent = first.thenApply(answer -> null);
    for (int part = 1; part < parts.size(); part++) {
      AppendWorkflowNodesRequest request =
          AppendWorkflowNodesRequest.newBuilder().setWorkflowId(id).setPart(part).addAllNodes(parts.get(part)).build();
      sent = sent.thenCompose(nothing -> caller.repeat(WorkflowServiceGrpc.getAppendWorkflowNodesMethod(), request))
          .thenApply(answer -> null);
    }
    if (parts.size() > 1) {
      SealWorkflowRequest seal = SealWorkflowRequest.newBuilder().setWorkflowId(id).build();
      sent = sent.thenCompose(nothing -> caller.repeat(WorkflowServiceGrpc.getSealWorkflowMethod(), seal))
          .thenApply(answer -> null);
    }
    return sent;
  }

  private static SubmitWorkflowRequest first(String id, List<List<WorkflowNode>> parts) {
    List<WorkflowNode> nodes = parts.get(0);
    String name = nodes.stream().filter(WorkflowNode::hasTask).findFirst().map(node -> node.getTask().getName()).orElse("");
    SubmitWorkflowRequest.Builder made =
        SubmitWorkflowRequest.newBuilder()
            .setWorkflow(WorkflowSpec.newBuilder().setWorkflowId(id).setName(name).addAllNodes(nodes));
    if (parts.size() > 1) {
      // An open workflow whose producer falls silent is given up by the gateway.
      made.setOpen(true).setProducerLease(Protos.write(PRODUCER_LEASE));
    }
    return made.build();
  }

  private static List<List<WorkflowNode>> parts(List<WorkflowNode> nodes) {
    List<List<WorkflowNode>> parts = new ArrayList<>();
    Batches<WorkflowNode> part = new Batches<>(parts::add, WorkflowNode::getSerializedSize);
    for (WorkflowNode node : nodes) {
      List<WorkflowNode> pieces = pieces(node);
      for (int place = 0; place < pieces.size(); place++) {
        if (place > 0) {
          // The same node again: it can't stand twice in a part.
          part.flush();
        }
        part.add(pieces.get(place));
      }
    }
    part.flush();
    return parts.size() == 1 ? parts : opened(parts);
  }

  private static List<WorkflowNode> pieces(WorkflowNode node) {
    if (!node.hasCollect() || node.getAfterCount() <= MOST_EDGES) {
      return List.of(node);
    }
    List<WorkflowNode> pieces = new ArrayList<>();
    for (int start = 0; start < node.getAfterCount(); start += MOST_EDGES) {
      int end = Math.min(node.getAfterCount(), start + MOST_EDGES);
      WorkflowNode.Builder piece = node.toBuilder().clearAfter().addAllAfter(node.getAfterList().subList(start, end));
      pieces.add(piece.build());
    }
    return pieces;
  }

  /** A gateway takes many edges in pieces, each of which names the collect again; the seal follows soon. */
  private static List<List<WorkflowNode>> opened(List<List<WorkflowNode>> parts) {
    List<List<WorkflowNode>> opened = new ArrayList<>();
    for (List<WorkflowNode> part : parts) {
      List<WorkflowNode> nodes = new ArrayList<>();
      for (WorkflowNode node : part) {
        nodes.add(node.hasCollect()
            ? node.toBuilder().setCollect(node.getCollect().toBuilder().setOpen(true)).build()
            : node);
      }
      opened.add(nodes);
    }
    return opened;
  }

  /** Reads the plain value of an ended task's outcome: a collect's is a list. Raises TaskException where it has none. */
  public CompletableFuture<Object> outcome(Task task) {
    TaskInfo info = new TaskInfo(task);
    if (task.hasCollected() && info.state() == TaskState.SUCCEEDED) {
      return collected(task).thenApply(list -> list);
    }
    return CompletableFuture.completedFuture(info.result());
  }

  /** Reads the list that a collect's outcome is; collects in it are lists in it. */
  public CompletableFuture<List<Object>> collected(Task collect) {
    ListWorkflowNodesRequest request =
        ListWorkflowNodesRequest.newBuilder()
            .setWorkflowId(collect.getWorkflowId())
            .setCollectNodeId(collect.getNodeId())
            .setView(TaskView.TASK_VIEW_FULL)
            .setPageSize(PAGE)
            .build();
    return page(request, new ArrayList<>());
  }

  private CompletableFuture<List<Object>> page(ListWorkflowNodesRequest request, List<Object> known) {
    return caller.repeat(WorkflowServiceGrpc.getListWorkflowNodesMethod(), request)
        .thenCompose(page -> values(page, known))
        .thenCompose(token -> token.isEmpty()
            ? CompletableFuture.completedFuture(known)
            : page(request.toBuilder().setPageToken(token).build(), known));
  }

  private CompletableFuture<String> values(ListWorkflowNodesResponse page, List<Object> known) {
    CompletableFuture<Void> done = CompletableFuture.completedFuture(null);
    for (ListWorkflowNodesResponse.Node node : page.getNodesList()) {
      Task task = node.getTask();
      done = task.hasCollected()
          ? done.thenCompose(nothing -> collected(task)).thenAccept(known::add)
          : done.thenAccept(nothing -> known.add(Payloads.read(task.getResult())));
    }
    return done.thenApply(nothing -> page.getNextPageToken());
  }
}
