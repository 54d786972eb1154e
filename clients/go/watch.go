package caraway

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"github.com/caraway-tasks/caraway/clients/go/carawaypb"
)

// The gateway gives a sign of life every 15 s: a stream that is silent for longer is a broken one.
const silence = 40 * time.Second

// Event is what a watch tells: a task as it stands now, or what of the watch itself is to be known.
type Event struct {
	Task    *Task    // nil where it is none; without arguments, result and progress
	Gap     bool     // changes were missed: states that came and went were not told; the latest are
	Missing []string // ids of which there is no task, or no longer
}

// Watch tells of tasks as they are, then of each change, until all have ended. A broken stream is taken up again where it
// broke. It ends at the first error: when ctx ends, when the gateway refuses, or was away for longer than [WithRetryFor] says.
func (c *Client) Watch(ctx context.Context, ids ...string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		request := &carawaypb.WatchTasksRequest{
			Selector: &carawaypb.TaskSelector{TaskIds: ids}, UntilTerminal: true, View: carawaypb.TaskView_TASK_VIEW_BASIC,
		}
		var pause delays
		lastHeard := time.Now()
		for {
			heard, err := c.watchOnce(ctx, request, func(event Event) bool { return yield(event, nil) })
			if err == nil || errors.Is(err, errEnough) {
				return
			}
			if heard {
				pause, lastHeard = 0, time.Now()
			}
			delay := pause.next()
			if !c.mayRetry(err) {
				yield(Event{}, err)
				return
			}
			if time.Since(lastHeard)+delay >= c.options.retryFor {
				yield(Event{}, c.gaveUp(err))
				return
			}
			if err := sleep(ctx, delay); err != nil {
				yield(Event{}, err)
				return
			}
		}
	}
}

var errEnough = errors.New("the caller wants no more")

// watchOnce follows one stream to its end, and keeps in request where the next one is to begin.
func (c *Client) watchOnce(ctx context.Context, request *carawaypb.WatchTasksRequest, tell func(Event) bool) (heard bool, err error) {
	streamed, cancel := context.WithCancel(c.outgoing(ctx))
	defer cancel()
	silent := time.AfterFunc(silence, cancel)
	defer silent.Stop()
	stream, err := c.tasks.WatchTasks(streamed, request)
	if err != nil {
		return false, fromRPC(ctx, err)
	}
	for {
		response, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return heard, nil
		}
		if err != nil {
			return heard, fromRPC(ctx, err)
		}
		heard = true
		silent.Reset(silence)
		if token := response.GetResumeToken(); token != "" {
			request.ResumeToken = token
		}
		event := Event{Gap: response.GetBookmark().GetGap(), Missing: response.GetBookmark().GetMissingTaskIds()}
		if task := response.GetTask(); task != nil {
			event.Task = newTask(task)
		}
		if (event.Task != nil || event.Gap || len(event.Missing) > 0) && !tell(event) {
			return heard, errEnough
		}
	}
}
