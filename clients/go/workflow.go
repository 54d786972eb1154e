package caraway

import (
	"context"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/caraway-tasks/caraway/clients/go/carawaypb"
)

// Step is a part of a workflow: a [Call], or what [Chain], [Group] and [Chord] make of steps.
type Step interface {
	// compile gives the nodes of the step to b, never one before those that it comes after, and returns what flows on.
	compile(b *builder, in flow) (flow, error)
}

// Workflow is steps put together.
type Workflow struct {
	combine   func(b *builder, in flow) (flow, error)
	callbacks []Step
	errbacks  []Step
}

// Chain runs steps one after the other: each starts when the one before has succeeded, with its outcome as first argument.
// After a group that is the list of its members' outcomes. The chain's outcome is that of its last step.
func Chain(steps ...Step) Workflow {
	return Workflow{combine: func(b *builder, in flow) (flow, error) {
		if len(steps) == 0 {
			return in, invalid("a chain has at least one step")
		}
		group := in.group
		for i, step := range steps {
			if in.group = ""; i == len(steps)-1 {
				in.group = group
			}
			var err error
			if in, err = step.compile(b, in); err != nil {
				return in, err
			}
		}
		return in, nil
	}}
}

// Group runs steps side by side. Its outcome is the list of theirs, in their order; it fails when one of them has failed.
func Group(steps ...Step) Workflow {
	return Workflow{combine: func(b *builder, in flow) (flow, error) {
		id := newID()
		in.group = id
		var after []*carawaypb.WorkflowNode_Edge
		for _, step := range steps {
			out, err := step.compile(b, in)
			if err != nil {
				return out, err
			}
			for _, edge := range out.edges {
				after = append(after, &carawaypb.WorkflowNode_Edge{NodeId: edge.NodeId, On: carawaypb.WorkflowNode_Edge_ON_SUCCESS})
			}
		}
		if len(after) == 0 { // an empty one is an empty list
			return flow{edges: passNothing(in.edges), joined: true, values: []any{[]any{}}}, nil
		}
		b.addCollect(id, after)
		return flow{edges: []*carawaypb.WorkflowNode_Edge{passFirst(id)}, joined: true}, nil
	}}
}

// Chord runs steps side by side, and then body, with the list of their outcomes as first argument.
func Chord(header []Step, body Step) Workflow { return Chain(Group(header...), body) }

// OnSuccess runs another step after it has succeeded, with its outcome as first argument.
func (w Workflow) OnSuccess(next Step) Workflow {
	w.callbacks = append(slices.Clip(w.callbacks), next)
	return w
}

// OnError runs another step when it has failed, whatever of it did, with the error as first argument (a [*TaskError]).
func (w Workflow) OnError(next Step) Workflow {
	w.errbacks = append(slices.Clip(w.errbacks), next)
	return w
}

// OnSuccess runs another step after it has succeeded, with its outcome as first argument.
func (c Call) OnSuccess(next Step) Call {
	c.callbacks = append(slices.Clip(c.callbacks), next)
	return c
}

// OnError runs another step when it has failed by itself, with the error as first argument (a [*TaskError]). Behind a group
// also when that has failed.
func (c Call) OnError(next Step) Call {
	c.errbacks = append(slices.Clip(c.errbacks), next)
	return c
}

// flow is what reaches a step from those before it.
type flow struct {
	edges  []*carawaypb.WorkflowNode_Edge
	joined bool   // a collect stands before it: it then also hears of errors of what was collected
	values []any  // handed on like outcomes, where they are known before anything runs
	group  string // the id of the collect that takes its outcome
}

func (w Workflow) compile(b *builder, in flow) (flow, error) {
	if w.combine == nil {
		return in, invalid("a workflow is made by Chain, Group or Chord")
	}
	out, err := w.combine(b, in)
	if err != nil {
		return out, err
	}
	return out, b.follow(out, w.callbacks, w.errbacks, carawaypb.WorkflowNode_Edge_ON_FAILURE)
}

func (c Call) compile(b *builder, in flow) (flow, error) {
	edges := in.edges
	if c.immutable {
		edges = passNothing(edges)
	} else if len(in.values) > 0 {
		c.args = append(slices.Clone(in.values), c.args...)
	}
	id, err := b.addTask(c, edges, in.group)
	if err != nil {
		return in, err
	}
	on := carawaypb.WorkflowNode_Edge_ON_OWN_FAILURE
	if in.joined { // a chord's body that can't run, as its header failed, has failed
		on = carawaypb.WorkflowNode_Edge_ON_FAILURE
	}
	out := flow{edges: []*carawaypb.WorkflowNode_Edge{passFirst(id)}}
	return out, b.follow(out, c.callbacks, c.errbacks, on)
}

func passFirst(id string) *carawaypb.WorkflowNode_Edge {
	return &carawaypb.WorkflowNode_Edge{
		NodeId: id, On: carawaypb.WorkflowNode_Edge_ON_SUCCESS, PassAs: carawaypb.WorkflowNode_Edge_PASS_FIRST_ARG,
	}
}

func passNothing(edges []*carawaypb.WorkflowNode_Edge) []*carawaypb.WorkflowNode_Edge {
	made := make([]*carawaypb.WorkflowNode_Edge, len(edges))
	for i, edge := range edges {
		made[i] = &carawaypb.WorkflowNode_Edge{NodeId: edge.NodeId, On: edge.On}
	}
	return made
}

// builder collects the nodes of a workflow.
type builder struct {
	ctx    context.Context
	client *Client
	nodes  []*carawaypb.WorkflowNode
	root   string
}

func (c *Client) build(ctx context.Context, step Step) (*builder, string, error) {
	b := &builder{ctx: ctx, client: c}
	if running := AttemptFrom(ctx); running != nil {
		b.root = running.root()
	}
	out, err := step.compile(b, flow{})
	if err != nil {
		return nil, "", err
	}
	if len(out.edges) == 0 {
		return nil, "", invalid("a workflow has at least one task")
	}
	return b, out.edges[0].NodeId, nil
}

func (b *builder) addTask(call Call, edges []*carawaypb.WorkflowNode_Edge, group string) (string, error) {
	spec, err := b.client.spec(b.ctx, call, nil)
	if err != nil {
		return "", err
	}
	if spec.GetUniqueness() != nil {
		return "", invalid("a call in a workflow can't be unique (%s)", call.name)
	}
	id := spec.GetTaskId()
	if b.root == "" {
		b.root = id
	}
	made := settings{spec: spec}
	made.header(rootHeader, b.root)
	if group != "" {
		made.header(groupHeader, group)
	}
	if len(edges) > 0 {
		made.header(parentHeader, edges[0].NodeId)
	}
	b.nodes = append(b.nodes, &carawaypb.WorkflowNode{
		NodeId: id, Kind: &carawaypb.WorkflowNode_Task{Task: spec}, After: edges,
	})
	return id, nil
}

// maxEdges are those of a collect in one call, which the gateway takes in pieces; more come in further parts.
const maxEdges = 2000

func (b *builder) addCollect(id string, edges []*carawaypb.WorkflowNode_Edge) {
	open := len(edges) > maxEdges
	for piece := range slices.Chunk(edges, maxEdges) {
		collect := &carawaypb.WorkflowNode_Collect{TaskId: id, Open: open}
		b.nodes = append(b.nodes, &carawaypb.WorkflowNode{
			NodeId: id, Kind: &carawaypb.WorkflowNode_Collect_{Collect: collect}, After: piece,
		})
	}
}

// follow adds what runs after a step. They are beside the flow: what follows the step gets nothing of them.
func (b *builder) follow(out flow, callbacks, errbacks []Step, on carawaypb.WorkflowNode_Edge_On) error {
	for _, next := range callbacks {
		if _, err := next.compile(b, flow{edges: out.edges, values: out.values}); err != nil {
			return err
		}
	}
	for _, next := range errbacks {
		edges := make([]*carawaypb.WorkflowNode_Edge, len(out.edges))
		for i, edge := range out.edges {
			edges[i] = &carawaypb.WorkflowNode_Edge{NodeId: edge.NodeId, On: on, PassAs: edge.PassAs}
		}
		if _, err := next.compile(b, flow{edges: edges}); err != nil {
			return err
		}
	}
	return nil
}

// Start submits a workflow, whole or not at all, and gives the handle of its outcome. A plain call is one, too.
func (c *Client) Start(ctx context.Context, step Step) (*Handle, error) {
	b, output, err := c.build(ctx, step)
	if err != nil {
		return nil, err
	}
	parts := cutNodes(b.nodes)
	id := newID()
	for i, nodes := range parts {
		if i == 0 {
			err = c.submitWorkflow(ctx, id, nodes, len(parts) > 1)
		} else {
			request := &carawaypb.AppendWorkflowNodesRequest{WorkflowId: id, Part: int64(i), Nodes: opened(nodes)}
			_, err = invoke(ctx, c, c.workflows.AppendWorkflowNodes, request)
		}
		if err != nil {
			return nil, c.giveUp(ctx, id, i, err)
		}
	}
	if len(parts) > 1 {
		if _, err := invoke(ctx, c, c.workflows.SealWorkflow, &carawaypb.SealWorkflowRequest{WorkflowId: id}); err != nil {
			return nil, err
		}
	}
	return c.Handle(output), nil
}

const producerLease = 300 // seconds without a new part after which the gateway gives an open workflow up

func (c *Client) submitWorkflow(ctx context.Context, id string, nodes []*carawaypb.WorkflowNode, open bool) error {
	request := &carawaypb.SubmitWorkflowRequest{Open: open, Workflow: &carawaypb.WorkflowSpec{WorkflowId: id, Nodes: nodes}}
	for _, node := range nodes {
		if name := node.GetTask().GetName(); name != "" {
			request.Workflow.Name = name
			break
		}
	}
	if open {
		request.ProducerLease = &durationpb.Duration{Seconds: producerLease}
	}
	_, err := invoke(ctx, c, c.workflows.SubmitWorkflow, request)
	return err
}

// giveUp ends a workflow of which some parts are there already.
func (c *Client) giveUp(ctx context.Context, id string, sent int, cause error) error {
	if sent > 0 {
		// Where the gateway is what failed, its own word for this is less telling; the producer's lease ends it too.
		request := &carawaypb.SealWorkflowRequest{WorkflowId: id, Error: errorMessage(cause, carawaypb.TaskError_KIND_APPLICATION)}
		_, _ = attempt(context.WithoutCancel(ctx), c, c.workflows.SealWorkflow, request, attemptTimeout)
	}
	return cause
}

// opened marks collects of later parts: a gateway takes many edges in pieces, each of which names the collect again.
func opened(nodes []*carawaypb.WorkflowNode) []*carawaypb.WorkflowNode {
	for _, node := range nodes {
		if collect := node.GetCollect(); collect != nil {
			collect.Open = true
		}
	}
	return nodes
}

// cutNodes cuts nodes into parts that a message takes.
func cutNodes(nodes []*carawaypb.WorkflowNode) [][]*carawaypb.WorkflowNode {
	var parts [][]*carawaypb.WorkflowNode
	start, size := 0, 0
	for i, node := range nodes {
		more := proto.Size(node) + itemFrame
		again := i > start && nodes[i-1].GetNodeId() == node.GetNodeId()
		if i > start && (i-start >= batchItems || size+more > batchBytes || again) {
			parts = append(parts, nodes[start:i])
			start, size = i, 0
		}
		size += more
	}
	return append(parts, nodes[start:])
}
