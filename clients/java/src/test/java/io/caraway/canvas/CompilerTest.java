package io.caraway.canvas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.caraway.TaskCall;
import io.caraway.Tracing;
import io.caraway.errors.InvalidOptionException;
import io.caraway.internal.Family;
import io.caraway.internal.Specs;
import io.caraway.v1.WorkflowNode;
import io.caraway.v1.WorkflowNode.Edge;
import java.util.List;
import org.junit.jupiter.api.Test;

class CompilerTest {
  private static final Specs SPECS = new Specs(Tracing.NONE, "");

  private static TaskCall task(String id) {
    return TaskCall.builder("task." + id).id(id).build();
  }

  private static List<WorkflowNode> compiled(Canvas canvas) {
    return Compiler.compile(canvas, SPECS).nodes();
  }

  @Test
  void aChainHandsResultsOn() {
    List<WorkflowNode> nodes = compiled(Canvas.chain(task("a"), Canvas.chain(task("b"), task("c"))));
    assertEquals(List.of("a", "b", "c"), nodes.stream().map(WorkflowNode::getNodeId).toList());
    Edge edge = nodes.get(2).getAfter(0);
    assertEquals("b", edge.getNodeId());
    assertEquals(Edge.On.ON_SUCCESS, edge.getOn());
    assertEquals(Edge.Pass.PASS_FIRST_ARG, edge.getPassAs());
    assertEquals("a", nodes.get(2).getTask().getHeadersOrThrow(Family.ROOT));
    assertEquals("b", nodes.get(2).getTask().getHeadersOrThrow(Family.PARENT));
  }

  @Test
  void whatFollowsAGroupComesAfterItsCollect() {
    Canvas chord = Canvas.chord(Canvas.group(task("a"), task("b")), task("body"));
    for (Canvas canvas : List.of(chord, Canvas.group(task("a"), task("b")).then(task("body")))) {
      List<WorkflowNode> nodes = compiled(canvas);
      WorkflowNode collect = nodes.get(2);
      assertTrue(collect.hasCollect());
      assertEquals(List.of("a", "b"), collect.getAfterList().stream().map(Edge::getNodeId).toList());
      assertEquals(collect.getNodeId(), nodes.get(0).getTask().getHeadersOrThrow(Family.GROUP));
      assertEquals(collect.getNodeId(), nodes.get(3).getAfter(0).getNodeId());
    }
  }

  @Test
  void anEmptyHeaderIsAnEmptyList() {
    List<WorkflowNode> nodes = compiled(Canvas.chord(Canvas.group(), task("body")));
    assertEquals("{\"args\":[[]],\"kwargs\":{}}", nodes.get(0).getTask().getPayload().getJson());
  }

  @Test
  void anErrorEdgeHearsOfAnyFailure() {
    Compiler.Compiled made = Compiler.compile(Canvas.chain(task("a"), task("b")).onError(task("alert")), SPECS);
    assertEquals("b", made.outputId());
    assertEquals(Edge.On.ON_FAILURE, made.nodes().get(2).getAfter(0).getOn());
    assertEquals("b", made.nodes().get(2).getAfter(0).getNodeId());
  }

  @Test
  void nothingToRunIsRefused() {
    assertThrows(InvalidOptionException.class, () -> compiled(Canvas.group()));
    assertThrows(InvalidOptionException.class, () -> compiled(Canvas.chain()));
    assertThrows(InvalidOptionException.class, () -> compiled(Canvas.chain(task("a"), Canvas.group())));
  }
}
