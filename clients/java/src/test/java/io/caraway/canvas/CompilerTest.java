package io.caraway.canvas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.caraway.TaskCall;
import io.caraway.Tracing;
import io.caraway.errors.InvalidOptionException;
import io.caraway.internal.Family;
import io.caraway.internal.Specs;
import io.caraway.internal.Stamps;
import io.caraway.v1.WorkflowNode;
import io.caraway.v1.WorkflowNode.Edge;
import java.util.List;
import java.util.Map;
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

  private static List<String> kinds(Canvas canvas) {
    return compiled(canvas).stream().map(node -> node.hasCollect() ? "collect" : node.getNodeId()).toList();
  }

  @Test
  void aGroupOfOneHandsOnItsList() {
    Canvas one = Canvas.group(task("b"));
    List<String> joined = List.of("b", "collect", "c");
    assertEquals(joined, kinds(one.then(task("c"))));
    assertEquals(List.of("a", "b", "collect", "c"), kinds(Canvas.chain(task("a"), one, task("c"))));
    assertEquals(joined, kinds(Canvas.chord(Canvas.group(task("b")), task("c"))));
    assertEquals(List.of("b", "collect"), kinds(one));
  }

  @Test
  void aStampIsOnAllOfACanvas() {
    Canvas inner = Canvas.chord(Canvas.group(task("a"), task("b").stamp("run", 1)), task("c")).onError(task("alert"));
    Canvas canvas = Canvas.chain(task("first"), inner);
    for (WorkflowNode node : compiled(canvas.stamp("run", "x", 7, true).stamp("day", 2.5))) {
      if (node.hasTask()) {
        Map<String, List<Object>> stamps = Stamps.read(node.getTask().getStampsMap());
        assertEquals(Map.of("run", List.of("x", 7L, true), "day", List.of(2.5)), stamps, node.getNodeId());
      }
    }
    assertEquals(0, compiled(canvas).get(0).getTask().getStampsCount());
  }

  @Test
  void whatIsNoStampIsRefused() {
    for (Object value : new Object[] {null, List.of(1), 1L << 53, new java.math.BigDecimal(1)}) {
      InvalidOptionException error = assertThrows(InvalidOptionException.class, () -> task("a").stamp("run", 1, value));
      assertTrue(error.getMessage().startsWith("the stamp run"), error.getMessage());
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
