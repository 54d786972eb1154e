/** Workflows, whole, or in parts where a message does not take them. */
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { Gateway } from "./gateway.js";
import { newId } from "./call.js";
import { TaskError_Kind } from "./gen/caraway/v1/task_pb.js";
import { WorkflowNodeSchema, type WorkflowNode } from "./gen/caraway/v1/workflow_pb.js";
import { WorkflowService } from "./gen/caraway/v1/workflow_service_pb.js";
import { Part, sizeOf } from "./size.js";
import { Builder, type Step } from "./workflow.js";

/** Without a new part for so long, in milliseconds, the gateway gives an open workflow up. */
const producerLease = 300_000;

/** Gives the id of the task whose outcome is the workflow's. */
export async function submitWorkflow(gateway: Gateway, step: Step, signal?: AbortSignal): Promise<string> {
  const { nodes, output } = Builder.build(step, gateway.propagation);
  const [first, ...later] = cutNodes(nodes);
  const workflowId = newId();
  const open = later.length > 0;
  const { submitWorkflow: submit, appendWorkflowNodes: append, sealWorkflow: seal } = WorkflowService.method;
  const task = first.find((node) => node.kind.case === "task")?.kind;
  const name = task?.case === "task" ? task.value.name : "";
  const lease = open ? durationFromMs(producerLease) : undefined;
  await gateway.call(submit, { workflow: { workflowId, nodes: first, name }, open, producerLease: lease }, signal);
  try {
    for (const [i, part] of later.entries()) {
      await gateway.call(append, { workflowId, part: BigInt(i + 1), nodes: opened(part) }, signal);
    }
    if (open) {
      await gateway.call(seal, { workflowId }, signal);
    }
  } catch (error) {
    // Where the gateway is what failed, its own word for this is less telling; the producer's lease ends it too.
    const failure = { kind: TaskError_Kind.APPLICATION, message: String(error), language: "typescript" };
    await gateway.attempt(seal, { workflowId, error: failure }).catch(() => {});
    throw error;
  }
  return output;
}

/** Marks collects of later parts: a gateway takes many edges in pieces, each of which names the collect again. */
function opened(nodes: WorkflowNode[]): WorkflowNode[] {
  for (const { kind } of nodes) {
    if (kind.case === "collect") {
      kind.value.open = true;
    }
  }
  return nodes;
}

/** Cuts nodes into parts that a message takes; a part names a node once. */
function cutNodes(nodes: readonly WorkflowNode[]): WorkflowNode[][] {
  const parts: WorkflowNode[][] = [];
  let part = new Part<WorkflowNode>();
  for (const node of nodes) {
    const size = sizeOf(WorkflowNodeSchema, node);
    if (part.isFullFor(size) || part.items.at(-1)?.nodeId === node.nodeId) {
      parts.push(part.items);
      part = new Part();
    }
    part.add(node, size);
  }
  return [...parts, part.items];
}
