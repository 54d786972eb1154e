package caraway

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math"
	"reflect"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/caraway-tasks/caraway/clients/go/carawaypb"
)

// PayloadError says that a value could not be written or read. Its text never shows the value.
type PayloadError struct {
	Message string
	writing bool
}

func (e *PayloadError) Error() string { return e.Message }

func unwritable(format string, args ...any) error {
	return &PayloadError{Message: fmt.Sprintf(format, args...), writing: true}
}

func unreadable(format string, args ...any) error {
	return &PayloadError{Message: fmt.Sprintf(format, args...)}
}

// jsonPayload writes a value as a payload.
func jsonPayload(value any) (*carawaypb.Payload, error) {
	text, err := Marshal(value)
	if err != nil {
		return nil, err
	}
	return textPayload(text), nil
}

func textPayload(text []byte) *carawaypb.Payload {
	return &carawaypb.Payload{Body: &carawaypb.Payload_Json{Json: string(text)}}
}

// argumentsPayload writes the arguments of a call, compressed where that is asked for and makes them smaller.
func argumentsPayload(args []any, kwargs map[string]any, compression string) (*carawaypb.Payload, error) {
	text, err := appendList(append(make([]byte, 0, 64), `{"args":`...), args, 0)
	if err != nil {
		return nil, err
	}
	if text, err = appendObject(append(text, `,"kwargs":`...), kwargs, 0); err != nil {
		return nil, err
	}
	text = append(text, '}')
	if compression == "" {
		return textPayload(text), nil
	}
	data, err := compress(compression, text)
	if err != nil {
		return nil, err
	}
	if len(data) >= len(text) {
		return textPayload(text), nil
	}
	digest := sha256.Sum256(text)
	return &carawaypb.Payload{
		Body:             &carawaypb.Payload_Data{Data: data},
		ContentType:      "application/json",
		ContentEncodings: []string{compression},
		PlainSha256:      digest[:],
	}, nil
}

// readPayload gives the value of a payload; one without a body is null.
func readPayload(payload *carawaypb.Payload) (any, error) {
	switch body := payload.GetBody().(type) {
	case *carawaypb.Payload_Json:
		return readText(body.Json)
	case *carawaypb.Payload_Data:
		return readData(payload, body.Data)
	}
	return nil, nil
}

func readData(payload *carawaypb.Payload, data []byte) (any, error) {
	var err error
	encodings := payload.GetContentEncodings()
	for i := len(encodings) - 1; i >= 0; i-- {
		if data, err = decompress(encodings[i], data); err != nil {
			return nil, err
		}
	}
	if plain := payload.GetPlainSha256(); len(plain) > 0 {
		if digest := sha256.Sum256(data); !bytes.Equal(digest[:], plain) {
			return nil, unreadable("a payload is not the one that plain_sha256 tells of")
		}
	}
	switch payload.GetContentType() {
	case "application/json":
		if !utf8.Valid(data) {
			return nil, unreadable("a payload of application/json is no UTF-8")
		}
		return readText(string(data))
	case "application/data", "application/octet-stream":
		return data, nil
	case "text/plain":
		if !utf8.Valid(data) {
			return nil, unreadable("a payload of text/plain is no UTF-8")
		}
		return string(data), nil
	}
	return nil, unreadable("this client reads JSON, text and bytes, not %.100q; have the other side write JSON", payload.GetContentType())
}

// readArguments gives the arguments of a task, written by a client library or by hand.
func readArguments(spec *carawaypb.TaskSpec) (args []any, kwargs map[string]any, err error) {
	if spec.GetPayload() == nil {
		return argumentsByHand(spec)
	}
	value, err := readPayload(spec.GetPayload())
	if err != nil || value == nil {
		return nil, nil, err
	}
	arguments, ok := value.(map[string]any)
	known := 0
	if given, has := arguments["args"]; has {
		args, has = given.([]any)
		ok, known = ok && has, known+1
	}
	if given, has := arguments["kwargs"]; has {
		kwargs, has = given.(map[string]any)
		ok, known = ok && has, known+1
	}
	if !ok || known != len(arguments) {
		return nil, nil, unreadable(`arguments are to be an object of "args", a list, and "kwargs", an object`)
	}
	return args, kwargs, nil
}

func argumentsByHand(spec *carawaypb.TaskSpec) (args []any, kwargs map[string]any, err error) {
	for _, value := range spec.GetArgs().GetValues() {
		arg, err := byHand(value)
		if err != nil {
			return nil, nil, err
		}
		args = append(args, arg)
	}
	kwargs, err = membersByHand(spec.GetKwargs())
	return args, kwargs, err
}

// byHand reads an argument written by hand: all its numbers are doubles, and those without a fraction mean integers.
func byHand(value *structpb.Value) (any, error) {
	switch kind := value.GetKind().(type) {
	case *structpb.Value_NumberValue:
		if number := kind.NumberValue; number == math.Trunc(number) && math.Abs(number) <= 1<<53 {
			return int64(number), nil
		}
		return kind.NumberValue, nil
	case *structpb.Value_StringValue:
		return kind.StringValue, nil
	case *structpb.Value_BoolValue:
		return kind.BoolValue, nil
	case *structpb.Value_StructValue:
		members, err := membersByHand(kind.StructValue)
		if err != nil {
			return nil, err
		}
		if tag, tagged := members[tagKey]; tagged {
			return untag(tag, members)
		}
		return members, nil
	case *structpb.Value_ListValue:
		items := make([]any, len(kind.ListValue.GetValues()))
		for i, each := range kind.ListValue.GetValues() {
			var err error
			if items[i], err = byHand(each); err != nil {
				return nil, err
			}
		}
		return items, nil
	}
	return nil, nil
}

func membersByHand(given *structpb.Struct) (map[string]any, error) {
	members := make(map[string]any, len(given.GetFields()))
	for key, each := range given.GetFields() {
		member, err := byHand(each)
		if err != nil {
			return nil, err
		}
		members[key] = member
	}
	return members, nil
}

// readInto reads a payload into what target points to.
func readInto(payload *carawaypb.Payload, target any) error {
	value, err := readPayload(payload)
	if err != nil {
		return err
	}
	if to := reflect.ValueOf(target); value == nil && to.Kind() == reflect.Pointer && !to.IsNil() && payload.GetBody() == nil {
		to.Elem().SetZero() // there is none: ignored, not kept, or nothing returned
		return nil
	}
	return assignTo(target, value)
}
