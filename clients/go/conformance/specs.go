package main

import (
	"time"

	caraway "github.com/caraway-tasks/caraway/clients/go"
)

// spec is a task to be submitted, as requests have it.
type spec struct {
	Name         string            `json:"name"`
	Args         string            `json:"args"`
	Kwargs       string            `json:"kwargs"`
	TaskID       string            `json:"task_id"`
	Queue        string            `json:"queue"`
	Priority     *int              `json:"priority"`
	Delay        *float64          `json:"delay"`
	ScheduleTime *time.Time        `json:"schedule_time"`
	TTL          *float64          `json:"ttl"`
	ExpireTime   *time.Time        `json:"expire_time"`
	Headers      map[string]string `json:"headers"`
	IgnoreResult bool              `json:"ignore_result"`
	ResultTTL    *float64          `json:"result_ttl"`
	AckMode      string            `json:"ack_mode"`
	TimeLimits   *struct {
		Soft float64 `json:"soft"`
		Hard float64 `json:"hard"`
	} `json:"time_limits"`
	Unique *struct {
		Key        string  `json:"key"`
		Window     float64 `json:"window"`
		OnConflict string  `json:"on_conflict"`
	} `json:"unique"`
	RetryPolicy *struct {
		MaxAttempts       int      `json:"max_attempts"`
		InitialBackoff    float64  `json:"initial_backoff"`
		MaxBackoff        float64  `json:"max_backoff"`
		BackoffMultiplier float64  `json:"backoff_multiplier"`
		JitterRatio       float64  `json:"jitter_ratio"`
		RetryOn           []string `json:"retryable_error_types"`
		NeverRetryOn      []string `json:"non_retryable_error_types"`
	} `json:"retry_policy"`
}

func seconds(number float64) time.Duration { return time.Duration(number * float64(time.Second)) }

// call makes the library's call of it.
func (s spec) call() (caraway.Call, error) {
	var args []any
	var kwargs map[string]any
	if s.Args != "" {
		if err := caraway.Unmarshal([]byte(s.Args), &args); err != nil {
			return caraway.Call{}, err
		}
	}
	if s.Kwargs != "" {
		if err := caraway.Unmarshal([]byte(s.Kwargs), &kwargs); err != nil {
			return caraway.Call{}, err
		}
	}
	return caraway.NewCall(s.Name, args...).Kwargs(kwargs).With(s.options()...), nil
}

func (s spec) options() []caraway.CallOption {
	var options []caraway.CallOption
	add := func(given bool, make func() caraway.CallOption) {
		if given {
			options = append(options, make())
		}
	}
	add(s.TaskID != "", func() caraway.CallOption { return caraway.WithID(s.TaskID) })
	add(s.Queue != "", func() caraway.CallOption { return caraway.WithQueue(s.Queue) })
	add(s.Priority != nil, func() caraway.CallOption { return caraway.WithPriority(*s.Priority) })
	add(s.Delay != nil, func() caraway.CallOption { return caraway.WithDelay(seconds(*s.Delay)) })
	add(s.ScheduleTime != nil, func() caraway.CallOption { return caraway.WithStartAt(*s.ScheduleTime) })
	add(s.TTL != nil, func() caraway.CallOption { return caraway.WithTTL(seconds(*s.TTL)) })
	add(s.ExpireTime != nil, func() caraway.CallOption { return caraway.WithExpiry(*s.ExpireTime) })
	add(s.IgnoreResult, caraway.WithIgnoreResult)
	add(s.ResultTTL != nil, func() caraway.CallOption { return caraway.WithResultTTL(seconds(*s.ResultTTL)) })
	add(s.AckMode == "ON_START", caraway.WithAtMostOnce)
	add(s.AckMode == "ON_FINISH", caraway.WithAtLeastOnce)
	add(s.TimeLimits != nil, func() caraway.CallOption {
		return caraway.WithTimeLimits(seconds(s.TimeLimits.Soft), seconds(s.TimeLimits.Hard))
	})
	add(s.Unique != nil, func() caraway.CallOption {
		conflicts := map[string]caraway.OnConflict{
			"RETURN_EXISTING": caraway.OnConflictReturnExisting, "REPLACE": caraway.OnConflictReplace,
		}
		return caraway.WithUnique(s.Unique.Key, seconds(s.Unique.Window), conflicts[s.Unique.OnConflict])
	})
	add(s.RetryPolicy != nil, func() caraway.CallOption {
		p := s.RetryPolicy
		return caraway.WithRetries(caraway.RetryPolicy{
			MaxAttempts: p.MaxAttempts, InitialBackoff: seconds(p.InitialBackoff), MaxBackoff: seconds(p.MaxBackoff),
			BackoffMultiplier: p.BackoffMultiplier, JitterRatio: p.JitterRatio, RetryOn: p.RetryOn, NeverRetryOn: p.NeverRetryOn,
		})
	})
	for key, value := range s.Headers {
		options = append(options, caraway.WithHeader(key, value))
	}
	return options
}

// canvas is a workflow, as requests have it.
type canvas struct {
	Task  *spec    `json:"task"`
	Chain []canvas `json:"chain"`
	Group []canvas `json:"group"`
	Chord *struct {
		Header []canvas `json:"header"`
		Body   canvas   `json:"body"`
	} `json:"chord"`
}

// workflow makes the library's workflow of it.
func (c canvas) workflow() (caraway.Workflow, error) {
	switch {
	case c.Task != nil:
		call, err := c.Task.call()
		return caraway.Chain(call), err
	case c.Chain != nil:
		steps, err := stepsOf(c.Chain)
		return caraway.Chain(steps...), err
	case c.Chord != nil:
		header, err := stepsOf(c.Chord.Header)
		if err != nil {
			return caraway.Workflow{}, err
		}
		body, err := c.Chord.Body.workflow()
		return caraway.Chord(header, body), err
	}
	steps, err := stepsOf(c.Group)
	return caraway.Group(steps...), err
}

func stepsOf(members []canvas) ([]caraway.Step, error) {
	steps := make([]caraway.Step, len(members))
	for i, member := range members {
		step, err := member.workflow()
		if err != nil {
			return nil, err
		}
		steps[i] = step
	}
	return steps, nil
}
