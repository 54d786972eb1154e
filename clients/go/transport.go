package caraway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

// The gateway sets the limit (4 MiB by default) and says so in its refusal; this only bounds a fault on either side.
const maxMessage = 64 << 20

// transport is how a gateway is reached: whether by TLS, and with what token.
type transport struct {
	tls   *tls.Config
	token *bearer
}

// WithToken sends a token with each call, for a gateway that asks for one. It is shown to whoever the connection ends at:
// use TLS beyond the own machine.
func WithToken(token string) ClientOption {
	return func(o *clientOptions) error {
		if !isToken(token) {
			return invalid("a token has no spaces and no control characters")
		}
		o.token = &bearer{text: token}
		return nil
	}
}

// WithTokenFile sends the token that a file holds, read again whenever it changes.
func WithTokenFile(path string) ClientOption {
	return func(o *clientOptions) error {
		o.token = &bearer{path: path}
		_, err := o.token.current()
		return err
	}
}

// WithTLS connects by TLS as the configuration says; nil takes the machine's authorities.
func WithTLS(config *tls.Config) ClientOption {
	return func(o *clientOptions) error {
		if config == nil {
			config = &tls.Config{}
		}
		o.tls = config.Clone()
		return nil
	}
}

// TLSFiles names files in PEM; each may be empty, but Cert and Key go together.
type TLSFiles struct {
	CA         string // authorities that sign the gateway's certificate; empty: the machine's
	Cert, Key  string // what to show to a gateway that asks for a client certificate
	ServerName string // in the gateway's certificate; empty: the target's host
}

// WithTLSFiles connects by TLS, with certificates from files.
func WithTLSFiles(files TLSFiles) ClientOption {
	return func(o *clientOptions) error {
		config := &tls.Config{ServerName: files.ServerName}
		if files.CA != "" {
			pem, err := os.ReadFile(files.CA)
			if err != nil {
				return fmt.Errorf("caraway: the file of authorities can't be read: %w", err)
			}
			config.RootCAs = x509.NewCertPool()
			if !config.RootCAs.AppendCertsFromPEM(pem) {
				return invalid("%s holds no certificates in PEM", files.CA)
			}
		}
		if (files.Cert == "") != (files.Key == "") {
			return invalid("a certificate and its key go together: name Cert and Key")
		}
		if files.Cert != "" {
			pair, err := tls.LoadX509KeyPair(files.Cert, files.Key)
			if err != nil {
				return fmt.Errorf("caraway: the client certificate can't be used: %w", err)
			}
			config.Certificates = []tls.Certificate{pair}
		}
		o.tls = config
		return nil
	}
}

// connect makes the connection. gRPC's defaults suit neither long waits (no keepalive) nor short outages (reconnects up to
// two minutes apart), so every option is said.
func (t *transport) connect(target string, more []grpc.DialOption) (*grpc.ClientConn, error) {
	address, secure, err := t.resolve(target)
	if err != nil {
		return nil, err
	}
	creds := insecure.NewCredentials()
	if secure {
		config := t.tls
		if config == nil {
			config = &tls.Config{}
		}
		creds = credentials.NewTLS(config)
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(creds),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
		// A wait lasts up to 60 s without a byte: a dead peer is noticed by pings. None are sent without calls.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}),
		// A restarted gateway is found again within two seconds.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
			MinConnectTimeout: 5 * time.Second,
		}),
		// Retries are the client's: it knows which calls are safe to repeat and until when.
		grpc.WithDisableRetry(),
	}
	if t.token != nil {
		options = append(options, grpc.WithPerRPCCredentials(t.token))
	}
	conn, err := grpc.NewClient(address, append(options, more...)...)
	if err != nil {
		return nil, invalid("the target %q: %v", target, err)
	}
	return conn, nil
}

func (t *transport) resolve(target string) (address string, secure bool, err error) {
	scheme, rest, found := strings.Cut(target, "://")
	switch {
	case found && (scheme == "http" || scheme == "https"):
		return "", false, invalid("the target %q: write HOST:PORT, or grpcs://HOST:PORT for TLS", target)
	case found && scheme == "grpcs":
		return rest, true, nil
	case found && scheme == "grpc":
		if t.tls != nil {
			return "", false, invalid("the target %q is without TLS, and TLS is asked for: write grpcs://", target)
		}
		return rest, false, nil
	}
	return target, t.tls != nil, nil
}

// bearer sends a token, of its own or from a file.
type bearer struct {
	text  string
	path  string
	mutex sync.Mutex
	stamp time.Time
	size  int64
}

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (b *bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	token, err := b.current()
	if err != nil {
		return nil, err
	}
	return map[string]string{"authorization": "Bearer " + token}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials. A gateway on the own machine may do without TLS.
func (b *bearer) RequireTransportSecurity() bool { return false }

func (b *bearer) current() (string, error) {
	if b.path == "" {
		return b.text, nil
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	info, err := os.Stat(b.path)
	if err == nil && info.ModTime().Equal(b.stamp) && info.Size() == b.size {
		return b.text, nil
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(b.path)
	}
	token := strings.TrimSpace(string(text))
	if err == nil && !isToken(token) {
		err = invalid("the file must hold a token and nothing else")
	}
	if err == nil {
		b.text, b.stamp, b.size = token, info.ModTime(), info.Size()
	} else if b.text == "" {
		return "", fmt.Errorf("caraway: the token's file %s: %w", b.path, err)
	}
	return b.text, nil // else it is being replaced: the one before may still do
}

func isToken(text string) bool {
	for _, c := range text {
		if c < '!' || c > '~' {
			return false
		}
	}
	return text != ""
}
