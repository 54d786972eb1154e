package caraway

import (
	"context"
	"encoding"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"time"
)

// Arguments are those of a task as they came, for handlers that take any.
type Arguments struct {
	Args   []any
	Kwargs map[string]any
}

// HandlerOption changes how a handler's tasks are run.
type HandlerOption func(*handler)

// AtMostOnce has tasks of this handler never run again once they have started, unless their call says otherwise.
func AtMostOnce() HandlerOption { return func(h *handler) { h.atMostOnce = true } }

// TimeLimits bounds each attempt of tasks whose call says nothing: after soft it is told, after hard it has failed. 0 is none.
func TimeLimits(soft, hard time.Duration) HandlerOption {
	return func(h *handler) { h.soft, h.hard = soft, hard }
}

type handler struct {
	name       string
	call       func(ctx context.Context, args []any, kwargs map[string]any) (any, error)
	atMostOnce bool
	soft, hard time.Duration
}

// Register has a worker run a function for tasks of a name. It panics if the name is taken, or the worker runs already.
//
// A struct takes the arguments by its fields, as encoding/json names them: those by position in the order of the fields,
// those by name by their names. One that is missing fails the task, unless its field is a pointer or has omitempty; so does
// one too many. [Arguments] takes all as they came, struct{} none, and any other type is the only argument. See [Unmarshal]
// for what fits into what.
//
// What the function returns is written by [Marshal]. An error fails the attempt; [Retry], [NonRetryable], [Reject], [Ignore]
// and [ReplaceWith] say more by theirs. A panic fails the attempt, too. The context ends when the task is cancelled, when a
// time limit strikes, when its lease is lost, or the worker is stopped; [context.Cause] tells which.
func Register[In, Out any](w *Worker, name string, function func(ctx context.Context, in In) (Out, error), options ...HandlerOption) {
	bind := binderOf[In]()
	made := &handler{name: name, call: func(ctx context.Context, args []any, kwargs map[string]any) (any, error) {
		var in In
		if err := bind(reflect.ValueOf(&in).Elem(), args, kwargs); err != nil {
			return nil, err
		}
		return function(ctx, in)
	}}
	for _, option := range options {
		option(made)
	}
	w.add(made)
}

type binder func(to reflect.Value, args []any, kwargs map[string]any) error

func binderOf[In any]() binder {
	t := reflect.TypeFor[In]()
	switch {
	case t == reflect.TypeFor[Arguments]():
		return func(to reflect.Value, args []any, kwargs map[string]any) error {
			to.Set(reflect.ValueOf(Arguments{args, kwargs}))
			return nil
		}
	case t.Kind() == reflect.Struct && !isValue(t):
		return bindFields
	}
	return bindOne
}

// isValue tells whether a struct is one value, and not a list of arguments.
func isValue(t reflect.Type) bool {
	if exact[t] || t == reflect.TypeFor[big.Int]() || t == reflect.TypeFor[big.Rat]() || t == reflect.TypeFor[TaskError]() {
		return true
	}
	pointer := reflect.PointerTo(t)
	return pointer.Implements(reflect.TypeFor[json.Unmarshaler]()) || pointer.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

func bindOne(to reflect.Value, args []any, kwargs map[string]any) error {
	if len(kwargs) > 0 || len(args) > 1 {
		return badArguments("it takes one argument by position, and got %d and %d by name", len(args), len(kwargs))
	}
	if len(args) == 1 {
		return assign(to, args[0])
	}
	if kind := to.Kind(); kind != reflect.Interface && kind != reflect.Pointer {
		return badArguments("it takes one argument, and got none")
	}
	return nil
}

func bindFields(to reflect.Value, args []any, kwargs map[string]any) error {
	fields := fieldsOf(to.Type())
	if len(args) > len(fields) {
		return badArguments("it takes %d arguments, and got %d", len(fields), len(args))
	}
	for i, field := range fields {
		named, byName := kwargs[field.name]
		switch {
		case i < len(args) && byName:
			return badArguments("it got %q twice, by position and by name", field.name)
		case i < len(args):
			named = args[i]
		case !byName && !field.optional && to.Type().FieldByIndex(field.index).Type.Kind() != reflect.Pointer:
			return badArguments("its argument %q is missing", field.name)
		case !byName:
			continue
		}
		if err := assign(fieldAt(to, field.index), named); err != nil {
			return badArguments("its argument %q: %s", field.name, err)
		}
	}
	for name := range kwargs {
		if known := fieldNamed(fields, name); known == nil || known.name != name {
			return badArguments("it has no argument %.50q", name)
		}
	}
	return nil
}

func badArguments(format string, args ...any) error {
	return unreadable("the arguments do not fit the handler: %s", fmt.Sprintf(format, args...))
}
