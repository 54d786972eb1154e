// Command conformance is Go's program of the conformance suite: tests/conformance/README.md says what each language's does.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"sync"

	caraway "github.com/caraway-tasks/caraway/clients/go"
)

// request is a line of stdin, with all members that any request has.
type request struct {
	ID           int      `json:"id"`
	Do           string   `json:"do"`
	Client       string   `json:"client"`
	Worker       string   `json:"worker"`
	Target       string   `json:"target"`
	Token        string   `json:"token"`
	CA           string   `json:"ca"`
	Cert         string   `json:"cert"`
	Key          string   `json:"key"`
	Task         spec     `json:"task"`
	Tasks        []spec   `json:"tasks"`
	TaskID       string   `json:"task_id"`
	TaskIDs      []string `json:"task_ids"`
	Timeout      float64  `json:"timeout"`
	States       []string `json:"states"`
	Names        []string `json:"names"`
	Queues       []string `json:"queues"`
	PageSize     int      `json:"page_size"`
	Mode         string   `json:"mode"`
	Reason       string   `json:"reason"`
	Grace        float64  `json:"grace"`
	Signal       string   `json:"signal"`
	Canvas       canvas   `json:"canvas"`
	OnError      *spec    `json:"on_error"`
	Concurrency  int      `json:"concurrency"`
	HandlerNames []string `json:"handlers"`
}

type object = map[string]any

// role does what a request asks, and gives the members of `ok`.
type role interface {
	answer(request) (object, error)
}

var writing sync.Mutex

func say(line object) {
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	writing.Lock()
	defer writing.Unlock()
	_, _ = os.Stdout.Write(append(text, '\n'))
}

func main() {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})))
	roles := map[string]role{"client": newClientRole(), "worker": newWorkerRole()}
	if len(os.Args) != 2 || roles[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: conformance client|worker")
		os.Exit(2)
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			fmt.Fprintf(os.Stderr, "a request can't be read: %v\n", err)
			os.Exit(2)
		}
		go func() {
			ok, err := roles[os.Args[1]].answer(asked)
			if err != nil {
				say(object{"id": asked.ID, "error": failureOf(err)})
			} else {
				say(object{"id": asked.ID, "ok": ok})
			}
		}()
	}
}

// connect makes a client as a request says.
func connect(asked request) (*caraway.Client, error) {
	var options []caraway.ClientOption
	if asked.Token != "" {
		options = append(options, caraway.WithToken(asked.Token))
	}
	if asked.CA != "" {
		options = append(options, caraway.WithTLSFiles(caraway.TLSFiles{CA: asked.CA, Cert: asked.Cert, Key: asked.Key}))
	}
	return caraway.NewClient(asked.Target, options...)
}
