package caraway

import (
	"fmt"

	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"

	"github.com/caraway-tasks/caraway/clients/go/carawaypb"
)

// answer does what an operator wants by ControlService.CommandWorkers: ping, or shutdown, which drains.
func (w *Worker) answer(asked *carawaypb.WorkerCommand) *carawaypb.CommandReply {
	reply := &carawaypb.CommandReply{CommandId: asked.GetCommandId()}
	switch asked.GetCommand() {
	case "ping":
		reply.Output = textPayload([]byte(`{"ok":"pong"}`))
	case "shutdown":
		w.Drain()
		reply.Output = textPayload([]byte(`{"ok":"shutting down"}`))
	default:
		reply.Status = &rpcstatus.Status{
			Code:    int32(codes.Unimplemented),
			Message: fmt.Sprintf("this worker has no command %.100q; it has ping, shutdown", asked.GetCommand()),
		}
	}
	return reply
}
