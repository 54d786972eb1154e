// Command tracing shows one OpenTelemetry trace that goes from a caller through a task to what its handler calls.
//
//	go run . (in this folder: it is a module of its own, for it needs OpenTelemetry)
//
// The gateway is CARAWAY_TARGET's, or localhost:50051.
package main

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"
	apitrace "go.opentelemetry.io/otel/trace"

	caraway "github.com/caraway-tasks/caraway/clients/go"
)

const queue = "tracing-go"

func run(ctx context.Context) error {
	provider := trace.NewTracerProvider() // in earnest with an exporter: trace.WithBatcher(...)
	defer func() { _ = provider.Shutdown(ctx) }()
	tracer := provider.Tracer("tracing")
	propagator := propagation.TraceContext{}

	client, err := caraway.NewClient("", caraway.WithPropagation(caraway.Propagation{
		Inject: func(ctx context.Context, headers map[string]string) {
			propagator.Inject(ctx, propagation.MapCarrier(headers))
		},
		Extract: func(ctx context.Context, headers map[string]string) context.Context {
			return propagator.Extract(ctx, propagation.MapCarrier(headers))
		},
	}))
	if err != nil {
		return err
	}
	defer client.Close()

	worker := caraway.NewWorker(client, caraway.WithQueues(queue))
	caraway.Register(worker, "trace.of", func(ctx context.Context, _ struct{}) (string, error) {
		_, span := tracer.Start(ctx, "handler")
		defer span.End()
		return span.SpanContext().TraceID().String(), nil
	})
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(ctx) }()

	ctx, span := tracer.Start(ctx, "caller")
	there, err := caraway.Run[string](ctx, client, caraway.NewCall("trace.of"), caraway.WithQueue(queue))
	span.End()
	if err != nil {
		return err
	}
	fmt.Printf("one trace: %t\n", there == apitrace.SpanFromContext(ctx).SpanContext().TraceID().String())
	worker.Drain()
	return <-ended
}

func main() {
	slog.SetLogLoggerLevel(slog.LevelWarn)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}
