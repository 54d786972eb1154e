package io.caraway.canvas;

import io.caraway.TaskCall;
import io.caraway.errors.InvalidOptionException;
import io.caraway.internal.Family;
import io.caraway.internal.Ids;
import io.caraway.internal.Specs;
import io.caraway.v1.WorkflowNode;
import io.caraway.v1.WorkflowNode.Edge;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** From a canvas to the contract's flat list of nodes, never one before those that it comes after. */
public final class Compiler {
  /**
   * What a canvas compiles to.
   *
   * @param nodes the workflow's nodes
   * @param outputId the node whose outcome is the whole's
   */
  public record Compiled(List<WorkflowNode> nodes, String outputId) {}

  /**
   * What reaches a part from the parts before it.
   *
   * @param edges what it comes after
   * @param values handed on like outcomes, where they are known before anything runs
   * @param group the collect that takes its outcome; empty: none
   */
  private record Flow(List<Edge> edges, List<Object> values, String group) {
    static final Flow START = new Flow(List.of(), List.of(), "");

    Flow in(String collect) {
      return new Flow(edges, values, collect);
    }
  }

  private final Specs specs;
  private final List<WorkflowNode> nodes = new ArrayList<>();
  private String root = "";

  private Compiler(Specs specs) {
    this.specs = specs;
  }

  /**
   * Compiles a canvas.
   *
   * @param canvas what to compile
   * @param specs writes its tasks
   * @return its nodes
   * @throws InvalidOptionException where it has no task to run
   */
  public static Compiled compile(Canvas canvas, Specs specs) {
    Compiler compiler = new Compiler(specs);
    Flow flow = compiler.compile(canvas, Flow.START);
    if (flow.edges.isEmpty() || !flow.values.isEmpty()) {
      throw new InvalidOptionException("the canvas is empty, or ends with an empty group: it has no task to run");
    }
    return new Compiled(compiler.nodes, flow.edges.get(0).getNodeId());
  }

  private Flow compile(Canvas canvas, Flow flow) {
    if (canvas instanceof TaskCall call) {
      return task(call, flow);
    }
    if (canvas instanceof Chain chain) {
      return chain(chain.steps(), flow);
    }
    if (canvas instanceof Group group) {
      return group(group.members(), flow);
    }
    if (canvas instanceof Chord chord) {
      Flow joined = group(chord.header().members(), flow.in(""));
      return compile(chord.body(), joined.in(flow.group));
    }
    if (canvas instanceof Guarded guarded) {
      return guarded(guarded, flow);
    }
    throw new InvalidOptionException("a canvas is made of TaskCall, chain, group and chord, not of " + canvas.getClass());
  }

  private Flow task(TaskCall call, Flow flow) {
    String id = call.id().isEmpty() ? Ids.uuid7() : call.id();
    if (root.isEmpty()) {
      root = Family.root(id);
    }
    Map<String, String> headers = new HashMap<>(call.spec().getHeadersMap());
    headers.put(Family.ROOT, root);
    if (!flow.group.isEmpty()) {
      headers.put(Family.GROUP, flow.group);
    }
    if (!flow.edges.isEmpty()) {
      headers.put(Family.PARENT, flow.edges.get(0).getNodeId());
    }
    nodes.add(
        WorkflowNode.newBuilder()
            .setNodeId(id)
            .setTask(specs.write(call, id, flow.values, headers))
            .addAllAfter(flow.edges)
            .build());
    return after(id);
  }

  private static Flow after(String id) {
    return new Flow(List.of(edge(id, Edge.On.ON_SUCCESS)), List.of(), "");
  }

  private static Edge edge(String id, Edge.On on) {
    return Edge.newBuilder().setNodeId(id).setOn(on).setPassAs(Edge.Pass.PASS_FIRST_ARG).build();
  }

  private Flow chain(List<Canvas> steps, Flow flow) {
    Flow current = flow.in("");
    for (int place = 0; place < steps.size(); place++) {
      boolean last = place == steps.size() - 1;
      current = compile(steps.get(place), last ? current.in(flow.group) : current.in(""));
    }
    return current;
  }

  private Flow group(List<Canvas> members, Flow flow) {
    String id = Ids.uuid7();
    List<Edge> collected = new ArrayList<>();
    for (Canvas member : members) {
      for (Edge edge : compile(member, flow.in(id)).edges) {
        collected.add(Edge.newBuilder().setNodeId(edge.getNodeId()).setOn(Edge.On.ON_SUCCESS).build());
      }
    }
    if (collected.isEmpty()) {
      List<Edge> silent = new ArrayList<>();
      flow.edges.forEach(edge -> silent.add(edge.toBuilder().clearPassAs().build()));
      return new Flow(silent, List.of(List.of()), "");
    }
    nodes.add(
        WorkflowNode.newBuilder()
            .setNodeId(id)
            .setCollect(WorkflowNode.Collect.newBuilder().setTaskId(id))
            .addAllAfter(collected)
            .build());
    return after(id);
  }

  private Flow guarded(Guarded guarded, Flow flow) {
    Flow result = compile(guarded.canvas(), flow);
    for (Edge edge : result.edges) {
      Flow failed = new Flow(List.of(edge(edge.getNodeId(), Edge.On.ON_FAILURE)), List.of(), "");
      task(guarded.errback(), failed);
    }
    return result;
  }
}
