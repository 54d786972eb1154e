package io.caraway.internal;

import io.caraway.Connection;
import io.caraway.errors.InvalidOptionException;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.TlsChannelCredentials;
import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/** The one place where channels are made: every option said. */
public final class Channels {
  private static final int MOST_BYTES = 64 * 1024 * 1024;
  private static final int KEEPALIVE_SECONDS = 30;
  private static final int KEEPALIVE_TIMEOUT_SECONDS = 10;

  private Channels() {}

  /**
   * Makes a channel that connects at its first call. Raises InvalidOptionException if a file of TLS is wrong.
   *
   * @param executor runs callbacks; null: threads of gRPC's own
   */
  public static ManagedChannel open(Connection connection, Executor executor) {
    ManagedChannelBuilder<?> builder =
        Grpc.newChannelBuilder(connection.address(), credentials(connection))
            // The gateway sets the limit (4 MiB by default) and says so in its refusal; this only bounds a fault.
            .maxInboundMessageSize(MOST_BYTES)
            // A wait lasts up to 60 s without a byte: a dead peer is noticed by pings. None are sent without calls.
            .keepAliveTime(KEEPALIVE_SECONDS, TimeUnit.SECONDS)
            .keepAliveTimeout(KEEPALIVE_TIMEOUT_SECONDS, TimeUnit.SECONDS)
            .keepAliveWithoutCalls(false)
            // Retries are this library's: it knows which calls are safe to repeat and until when.
            .disableRetry()
            .intercept(authorizing(new Token(connection.token())));
    if (!connection.serverName().isEmpty()) {
      builder.overrideAuthority(connection.serverName());
    }
    return builder.executor(executor).build();
  }

  private static ChannelCredentials credentials(Connection connection) {
    if (!connection.isSecure()) {
      return InsecureChannelCredentials.create();
    }
    TlsChannelCredentials.Builder tls = TlsChannelCredentials.newBuilder();
    try {
      if (connection.ca() != null) {
        tls.trustManager(connection.ca().toFile());
      }
      if (connection.cert() != null) {
        tls.keyManager(connection.cert().toFile(), connection.key().toFile());
      }
      return tls.build();
    } catch (IOException error) {
      throw new InvalidOptionException("TLS: a file can't be read: " + error.getMessage(), error);
    }
  }

  private static ClientInterceptor authorizing(Token token) {
    return new ClientInterceptor() {
      @Override
      public <Q, R> ClientCall<Q, R> interceptCall(MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
        return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
          @Override
          public void start(Listener<R> listener, Metadata headers) {
            token.addTo(headers);
            super.start(listener, headers);
          }
        };
      }
    };
  }
}
