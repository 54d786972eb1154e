/** Calls, and workflows made of them: they compile to the contract's flat list of nodes and edges. */
import { create } from "@bufbuild/protobuf";
import { currentAttempt } from "./attempt.js";
import { groupHeader, newId, parentHeader, rootHeader, specOf, type CallOptions } from "./call.js";
import { InvalidOption } from "./errors.js";
import type { Propagation } from "./gateway.js";
import {
  WorkflowNode_Edge_On as On,
  WorkflowNode_Edge_Pass as Pass,
  WorkflowNodeSchema,
  type WorkflowNode,
} from "./gen/caraway/v1/workflow_pb.js";

interface Edge {
  nodeId: string;
  on: On;
  passAs: Pass;
}

/** What reaches a step from those before it. */
interface Flow {
  edges: Edge[];
  /** A collect stands before it: it then also hears of errors of what was collected. */
  joined?: boolean;
  /** Handed on like outcomes, where they are known before anything runs. */
  values?: unknown[];
  /** The id of the collect that takes its outcome. */
  group?: string;
}

/** A part of a workflow: a {@link Call}, or what {@link chain}, {@link group} and {@link chord} make of steps. `R` is its outcome. */
export abstract class Step<R = unknown> {
  /** Only a type: what it ends with. */
  declare readonly outcome: R;
  protected callbacks: readonly Step[] = [];
  protected errbacks: readonly Step[] = [];

  /** Runs another step after it has succeeded, with its outcome as first argument. */
  onSuccess(next: Step): this {
    const made = this.copy();
    made.callbacks = [...this.callbacks, next];
    return made;
  }

  /** Runs another step when it has failed, with the error as first argument (a TaskFailed). */
  onError(next: Step): this {
    const made = this.copy();
    made.errbacks = [...this.errbacks, next];
    return made;
  }

  /** @internal */
  get isPlain(): boolean {
    return false;
  }

  /**
   * Gives the nodes of the step to `builder`, never one before those that it comes after, and returns what flows on.
   * @internal
   */
  compile(builder: Builder, flow: Flow): Flow {
    const [out, on] = this.combine(builder, flow);
    // What follows is beside the flow: what comes after the step gets nothing of it.
    for (const next of this.callbacks) {
      next.compile(builder, { edges: out.edges, values: out.values });
    }
    for (const next of this.errbacks) {
      next.compile(builder, { edges: out.edges.map((edge) => ({ ...edge, on })) });
    }
    return out;
  }

  /**
   * Its own nodes; and on what errbacks fire.
   *
   * @internal
   */
  protected abstract combine(builder: Builder, flow: Flow): [Flow, On];

  protected copy(): this {
    return Object.assign(Object.create(Object.getPrototypeOf(this) as object), this) as this;
  }
}

/** A task to be run: its name, its arguments, its options. It never changes; `with` gives another one. */
export class Call<R = unknown> extends Step<R> {
  private isImmutable = false;

  /** @internal */
  constructor(
    readonly name: string,
    readonly args: readonly unknown[],
    readonly options: CallOptions,
  ) {
    super();
  }

  /** Adds options; later ones win. */
  with(options: CallOptions): Call<R> {
    return Object.assign(this.copy(), { options: { ...this.options, ...options } });
  }

  /** Leaves out what the steps before it in a workflow hand on. */
  immutable(): Call<R> {
    return Object.assign(this.copy(), { isImmutable: true });
  }

  /** @internal */
  override get isPlain(): boolean {
    return this.callbacks.length + this.errbacks.length === 0;
  }

  /** @internal */
  protected override combine(builder: Builder, flow: Flow): [Flow, On] {
    const edges = this.isImmutable ? passNothing(flow.edges) : flow.edges;
    const first = this.isImmutable ? [] : (flow.values ?? []);
    const id = builder.addTask(this.name, [...first, ...this.args], this.options, edges, flow.group);
    // A chord's body that can't run, as its header failed, has failed.
    return [{ edges: [passFirst(id)] }, flow.joined ? On.FAILURE : On.OWN_FAILURE];
  }
}

/**
 * Says which task to run. `R` is what it returns: it is believed, not checked.
 *
 * @param args its arguments by position; {@link stringify} says what may be one.
 */
export function call<R = unknown>(name: string, args: readonly unknown[] = [], options: CallOptions = {}): Call<R> {
  return new Call<R>(name, args, options);
}

class Composite<R> extends Step<R> {
  constructor(private readonly compose: (builder: Builder, flow: Flow) => Flow) {
    super();
  }

  /** @internal */
  protected override combine(builder: Builder, flow: Flow): [Flow, On] {
    return [this.compose(builder, flow), On.FAILURE];
  }
}

/**
 * Runs steps one after the other: each starts when the one before has succeeded, with its outcome as first argument. After a group
 * that is the list of its members' outcomes. The chain's outcome is that of its last step.
 */
export function chain<R>(...steps: [...Step[], Step<R>]): Step<R> {
  return new Composite<R>((builder, flow) => {
    if (steps.length === 0) {
      throw new InvalidOption("a chain has at least one step");
    }
    return steps.reduce<Flow>((reached, step, i) => {
      const isLast = i === steps.length - 1;
      return step.compile(builder, { ...reached, group: isLast ? flow.group : undefined });
    }, flow);
  });
}

/** The outcomes of steps, in their order. */
export type Outcomes<T extends readonly Step[]> = { -readonly [K in keyof T]: T[K] extends Step<infer R> ? R : never };

/** Runs steps side by side. Its outcome is the list of theirs, in their order; it fails when one of them has failed. */
export function group<T extends readonly Step[]>(steps: readonly [...T]): Step<Outcomes<T>> {
  return new Composite<Outcomes<T>>((builder, flow) => {
    const id = newId();
    const after: Edge[] = [];
    for (const step of steps) {
      const { edges } = step.compile(builder, { ...flow, group: id });
      after.push(...edges.map(({ nodeId }) => ({ nodeId, on: On.SUCCESS, passAs: Pass.UNSPECIFIED })));
    }
    if (after.length === 0) {
      return { edges: passNothing(flow.edges), joined: true, values: [[]] }; // an empty one is an empty list
    }
    builder.addCollect(id, after);
    return { edges: [passFirst(id)], joined: true };
  });
}

/** Runs steps side by side, and then `body`, with the list of their outcomes as first argument. */
export function chord<R>(header: readonly Step[], body: Step<R>): Step<R> {
  return chain<R>(group(header), body);
}

function passFirst(nodeId: string): Edge {
  return { nodeId, on: On.SUCCESS, passAs: Pass.FIRST_ARG };
}

function passNothing(edges: readonly Edge[]): Edge[] {
  return edges.map(({ nodeId, on }) => ({ nodeId, on, passAs: Pass.UNSPECIFIED }));
}

/** Edges of a collect in one call, which the gateway takes in pieces; more come in further parts. */
const maxEdges = 2000;

/** Collects the nodes of a workflow. */
export class Builder {
  readonly nodes: WorkflowNode[] = [];
  private root = currentAttempt(false)?.rootId;

  private constructor(private readonly propagation: Propagation | undefined) {}

  /** Compiles a step; gives its nodes, and the id of the one whose outcome is the whole's. */
  static build(step: Step, propagation: Propagation | undefined): { nodes: WorkflowNode[]; output: string } {
    const builder = new Builder(propagation);
    const { edges } = step.compile(builder, { edges: [] });
    if (edges.length === 0) {
      throw new InvalidOption("a workflow has at least one task");
    }
    return { nodes: builder.nodes, output: edges[0].nodeId };
  }

  addTask(name: string, args: unknown[], options: CallOptions, edges: Edge[], groupId: string | undefined): string {
    if (options.unique) {
      throw new InvalidOption(`a call in a workflow can't be unique (${name})`);
    }
    const spec = specOf(name, args, options, this.propagation);
    this.root ??= spec.taskId;
    spec.headers[rootHeader] = this.root;
    if (groupId) {
      spec.headers[groupHeader] = groupId;
    }
    if (edges.length > 0) {
      spec.headers[parentHeader] = edges[0].nodeId;
    }
    this.nodes.push(create(WorkflowNodeSchema, { nodeId: spec.taskId, kind: { case: "task", value: spec }, after: edges }));
    return spec.taskId;
  }

  addCollect(id: string, edges: Edge[]): void {
    const open = edges.length > maxEdges;
    for (let i = 0; i < edges.length; i += maxEdges) {
      const kind = { case: "collect" as const, value: { taskId: id, open } };
      this.nodes.push(create(WorkflowNodeSchema, { nodeId: id, kind, after: edges.slice(i, i + maxEdges) }));
    }
  }
}
