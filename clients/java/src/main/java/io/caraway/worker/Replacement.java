package io.caraway.worker;

import com.google.protobuf.ListValue;
import io.caraway.canvas.Canvas;
import io.caraway.canvas.Compiler;
import io.caraway.errors.InvalidOptionException;
import io.caraway.internal.Specs;
import io.caraway.v1.TaskReport;
import io.caraway.v1.WorkflowNode;
import java.util.List;
import java.util.Map;

/** What a task's place is given to, in the contract's words. */
final class Replacement {
  private Replacement() {}

  /** Compiles a canvas, stamped as the task is. Raises InvalidOptionException where it ends with no task, PayloadException. */
  static TaskReport.Replaced of(Canvas canvas, Specs specs, Map<String, ListValue> stamps) {
    Compiler.Compiled compiled = Compiler.compile(canvas, specs);
    List<WorkflowNode> nodes = compiled.nodes();
    boolean endsWithTask = nodes.stream().anyMatch(node -> node.hasTask() && node.getNodeId().equals(compiled.outputId()));
    if (!endsWithTask) {
      throw new InvalidOptionException("a task can't be replaced by a group: close it with a task that takes the list of its results");
    }
    return TaskReport.Replaced.newBuilder()
        .addAllNodes(stamps.isEmpty() ? nodes : nodes.stream().map(node -> stamped(node, stamps)).toList())
        .setOutputNodeId(compiled.outputId())
        .build();
  }

  /** The task's own stamps come after those that the node was given. */
  private static WorkflowNode stamped(WorkflowNode node, Map<String, ListValue> stamps) {
    if (!node.hasTask()) {
      return node;
    }
    WorkflowNode.Builder made = node.toBuilder();
    stamps.forEach((name, values) -> {
      ListValue own = node.getTask().getStampsOrDefault(name, ListValue.getDefaultInstance());
      made.getTaskBuilder().putStamps(name, own.toBuilder().addAllValues(values.getValuesList()).build());
    });
    return made.build();
  }
}
