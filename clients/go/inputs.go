package caraway

import (
	"github.com/caraway-tasks/caraway/clients/go/carawaypb"
)

// input is what came along one edge of a workflow; value is a *TaskError where the node before failed.
type input struct {
	start *carawaypb.InputPart_Input
	value any
}

// readInputs reads the flat sequence of parts that the contract hands inputs on by.
func readInputs(parts []*carawaypb.InputPart) ([]input, error) {
	var inputs []input
	var lists [][]any // those that are begun, the innermost last
	var start *carawaypb.InputPart_Input
	for _, each := range parts {
		var value any
		switch part := each.GetPart().(type) {
		case *carawaypb.InputPart_Input_:
			start = part.Input
			continue
		case *carawaypb.InputPart_ListBegin:
			lists = append(lists, []any{})
			continue
		case *carawaypb.InputPart_ListEnd:
			if len(lists) == 0 {
				return nil, unreadable("an input ends a list that it did not begin")
			}
			value = lists[len(lists)-1]
			lists = lists[:len(lists)-1]
		default:
			var err error
			if value, err = readInput(each); err != nil {
				return nil, err
			}
		}
		switch {
		case len(lists) > 0:
			lists[len(lists)-1] = append(lists[len(lists)-1], value)
		case start == nil:
			return nil, unreadable("an input has no beginning")
		default:
			inputs = append(inputs, input{start, value})
			start = nil
		}
	}
	if start != nil || len(lists) > 0 {
		return nil, unreadable("an input has no end")
	}
	return inputs, nil
}

func readInput(part *carawaypb.InputPart) (any, error) {
	if failure := part.GetFailure(); failure != nil {
		return taskError(failure.GetTaskId(), StateFailed, failure.GetError()), nil
	}
	return readPayload(part.GetPayload())
}

// mergeInputs puts inputs into a task's own arguments: a list of all that is passed as one comes first, then what is passed
// as first argument, then the task's own; what is passed by name stands over its own.
func mergeInputs(args []any, kwargs map[string]any, parts []*carawaypb.InputPart) ([]any, map[string]any, error) {
	if len(parts) == 0 {
		return args, kwargs, nil
	}
	inputs, err := readInputs(parts)
	if err != nil {
		return nil, nil, err
	}
	var listed, first, merged []any
	for _, each := range inputs {
		switch each.start.GetPassAs() {
		case carawaypb.WorkflowNode_Edge_PASS_LIST:
			listed = append(listed, each.value)
		case carawaypb.WorkflowNode_Edge_PASS_FIRST_ARG:
			first = append(first, each.value)
		case carawaypb.WorkflowNode_Edge_PASS_KWARG:
			if kwargs == nil {
				kwargs = map[string]any{}
			}
			kwargs[each.start.GetKwarg()] = each.value
		}
	}
	if listed != nil {
		merged = append(merged, listed)
	}
	return append(append(merged, first...), args...), kwargs, nil
}
