package io.caraway.worker;

import io.caraway.errors.CarawayException;
import io.caraway.internal.Backoff;
import io.caraway.internal.Caller;
import io.caraway.internal.Protos;
import io.caraway.internal.Refusals;
import io.caraway.v1.CancelLeases;
import io.caraway.v1.CommandReply;
import io.caraway.v1.DrainRequest;
import io.caraway.v1.Goaway;
import io.caraway.v1.Heartbeat;
import io.caraway.v1.HeartbeatAck;
import io.caraway.v1.Hello;
import io.caraway.v1.LeaseTasksRequest;
import io.caraway.v1.LeaseTasksResponse;
import io.caraway.v1.TaskLease;
import io.caraway.v1.Welcome;
import io.caraway.v1.WorkerCommand;
import io.caraway.v1.WorkerServiceGrpc;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The lease stream: opened, kept alive, and opened again, for as long as the worker lives. In the supervisor's thread only. */
final class LeaseStream {
  /** Who is told what comes over the stream. */
  interface Owner {
    /** Makes the message that opens a stream, without credit. */
    Hello hello();

    /** All that is to be renewed. */
    Collection<String> heldTokens();

    /** A stream is up. */
    void onConnected();

    /** Work came. */
    void onLeases(List<TaskLease> leases);

    /** These leases are held no longer. */
    void onLost(List<String> tokens);

    /** The cancellation of these is asked for. */
    void onCancel(List<CancelLeases.Item> items);

    /** An operator wants something. */
    CommandReply onCommand(WorkerCommand command);
  }

  private static final Logger LOG = LoggerFactory.getLogger("io.caraway.worker");
  private static final Duration WELCOME = Duration.ofSeconds(5);
  private static final Duration LEAVE = Duration.ofSeconds(1);
  private static final Duration DEFAULT_INTERVAL = Duration.ofSeconds(5);

  private final Caller caller;
  private final Owner owner;
  private final Loop loop;
  private final Renewal renewal;
  private final Backoff backoff = new Backoff(0.05, 1.5, 0.5);
  private final CompletableFuture<Void> drained = new CompletableFuture<>();
  private Session session;
  private boolean draining;
  private boolean complained;
  private boolean closed;

  LeaseStream(Caller caller, Owner owner, Loop loop, Renewal renewal) {
    this.caller = caller;
    this.owner = owner;
    this.loop = loop;
    this.renewal = renewal;
  }

  void open() {
    if (!closed) {
      session = new Session();
      session.begin();
    }
  }

  /** Allows the gateway to send what is missing to {@code wanted} leases. */
  void offer(int wanted, int held, long heldBytes) {
    if (session != null && session.welcomed && !draining) {
      session.offer(wanted, held, heldBytes);
    }
  }

  /** Asks for no more leases; completes when surely none is on its way, or the stream has broken. */
  CompletableFuture<Void> drain() {
    draining = true;
    if (session == null || !session.welcomed) {
      drained.complete(null);
    } else {
      session.drain();
    }
    return drained;
  }

  void close() {
    closed = true;
    if (session != null) {
      session.end();
    }
  }

  /** Once an outage: the tries go on several times a second. */
  private void complain(String why) {
    if (!complained && !closed) {
      complained = true;
      LOG.warn("the gateway can't be reached, trying again until it can: {}", why);
    }
  }

  private void reopen() {
    if (!closed) {
      caller.reconnect();
      loop.schedule(backoff.next(), this::open);
    }
  }

  /** One stream. What comes of it once it has ended is ignored. */
  private final class Session implements StreamObserver<LeaseTasksResponse> {
    private final Credit credit = new Credit();
    /** Heartbeats by sequence number, and when they were sent. */
    private final TreeMap<Long, Long> unanswered = new TreeMap<>();
    private final ClientCall<LeaseTasksRequest, LeaseTasksResponse> call =
        caller.channel().newCall(WorkerServiceGrpc.getLeaseTasksMethod(), CallOptions.DEFAULT);
    private StreamObserver<LeaseTasksRequest> requests;
    private Duration interval = DEFAULT_INTERVAL;
    private long helloSent;
    private long sequence;
    private boolean welcomed;
    private boolean drainSent;
    private boolean ended;

    void begin() {
      helloSent = System.nanoTime();
      requests = ClientCalls.asyncBidiStreamingCall(call, this);
      send(LeaseTasksRequest.newBuilder().setHello(owner.hello()));
      loop.schedule(WELCOME, () -> {
        if (!welcomed) {
          fail("no welcome within " + WELCOME.toSeconds() + " s");
        }
      });
    }

    private void send(LeaseTasksRequest.Builder message) {
      if (!ended) {
        requests.onNext(message.build());
      }
    }

    void offer(int wanted, int held, long heldBytes) {
      if (!drainSent && credit.grow(wanted, held, heldBytes)) {
        send(LeaseTasksRequest.newBuilder().setCredit(credit.toProto()));
      }
    }

    void drain() {
      if (!drainSent) {
        drainSent = true;
        send(LeaseTasksRequest.newBuilder().setDrain(DrainRequest.getDefaultInstance()));
      }
    }

    void end() {
      if (!ended) {
        ended = true;
        call.cancel("the worker ends this stream", null);
        if (draining) {
          drained.complete(null);
        }
      }
    }

    private void fail(String why) {
      if (!ended) {
        end();
        complain(why);
        reopen();
      }
    }

    @Override
    public void onNext(LeaseTasksResponse message) {
      if (ended) {
        return;
      }
      if (!welcomed && !message.hasWelcome()) {
        fail("the stream did not begin with a welcome");
        return;
      }
      switch (message.getMessageCase()) {
        case WELCOME -> welcome(message.getWelcome());
        case LEASES -> leases(message.getLeases().getLeasesList());
        case HEARTBEAT_ACK -> acknowledged(message.getHeartbeatAck());
        case CANCEL -> owner.onCancel(message.getCancel().getItemsList());
        case COMMAND ->
            send(LeaseTasksRequest.newBuilder().setCommandReply(owner.onCommand(message.getCommand())));
        case DRAIN_ACK -> drainAcknowledged();
        case GOAWAY -> goaway(message.getGoaway());
        default -> LOG.debug("a message of the gateway is not known here");
      }
    }

    @Override
    public void onError(Throwable failure) {
      CarawayException error = Refusals.of(failure);
      fail(error.getMessage());
    }

    @Override
    public void onCompleted() {
      if (!ended) {
        LOG.debug("the lease stream ended; a new one is opened");
        end();
        reopen();
      }
    }

    private void welcome(Welcome welcome) {
      Duration told = Protos.read(welcome.getHeartbeatInterval());
      Duration lasts = Protos.read(welcome.getLeaseDuration());
      interval = told.isZero() ? DEFAULT_INTERVAL : told;
      if (!lasts.isZero()) {
        renewal.setLeaseDuration(lasts);
      }
      renewal.confirm(helloSent);
      welcomed = true;
      backoff.reset();
      if (complained) {
        complained = false;
        LOG.warn("the gateway is back (session {})", welcome.getSessionId());
      }
      beatLater();
      owner.onLost(welcome.getLostLeaseTokensList());
      if (draining) {
        drain();
      }
      owner.onConnected();
    }

    private void leases(List<TaskLease> leases) {
      long size = 0;
      for (TaskLease lease : leases) {
        size += lease.getSerializedSize();
      }
      credit.receive(leases.size(), size);
      owner.onLeases(leases);
    }

    private void acknowledged(HeartbeatAck ack) {
      Long sent = unanswered.get(ack.getSequence());
      if (sent != null) {
        renewal.confirm(sent);
        unanswered.headMap(ack.getSequence(), true).clear();
      }
      owner.onLost(ack.getLostLeaseTokensList());
    }

    private void beatLater() {
      double part = ThreadLocalRandom.current().nextDouble(0.8, 0.98);
      loop.schedule(Duration.ofNanos((long) (interval.toNanos() * part)), this::beat);
    }

    private void beat() {
      if (ended) {
        return;
      }
      long now = System.nanoTime();
      if (!unanswered.isEmpty() && now - unanswered.firstEntry().getValue() > interval.toNanos() * 3 / 2) {
        // A stream that is open but silent is a broken one: better a new one than leases that lapse.
        fail("no answer to heartbeats");
        return;
      }
      sequence++;
      unanswered.put(sequence, now);
      send(LeaseTasksRequest.newBuilder()
          .setHeartbeat(Heartbeat.newBuilder().setSequence(sequence).addAllLeaseTokens(owner.heldTokens())));
      beatLater();
    }

    private void drainAcknowledged() {
      if (draining) {
        drained.complete(null);
      } else {
        // The gateway leaves, and all that was on its way is here.
        end();
        reopen();
      }
    }

    private void goaway(Goaway goaway) {
      LOG.info("the gateway leaves ({}); a new stream is opened", goaway.getReason());
      drain();
      Duration within = Protos.read(goaway.getWithin());
      Duration wait = within.isZero() || within.compareTo(LEAVE) > 0 ? LEAVE : within;
      loop.schedule(wait, () -> {
        if (!ended) {
          end();
          reopen();
        }
      });
    }
  }
}
