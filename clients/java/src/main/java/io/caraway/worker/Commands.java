package io.caraway.worker;

import com.google.rpc.Code;
import com.google.rpc.Status;
import io.caraway.payload.Payloads;
import io.caraway.v1.CommandReply;
import io.caraway.v1.WorkerCommand;
import java.util.Map;
import java.util.function.Supplier;

/** What operators may ask of a worker: ping, stats, shutdown. */
final class Commands {
  private final Map<String, Supplier<Map<String, Object>>> known;

  Commands(Supplier<Map<String, Object>> stats, Runnable shutdown) {
    known = Map.of(
        "ping", () -> Map.of("ok", "pong"),
        "stats", stats,
        "shutdown", () -> {
          shutdown.run();
          return Map.of("ok", "shutting down");
        });
  }

  CommandReply answer(WorkerCommand command) {
    CommandReply.Builder reply = CommandReply.newBuilder().setCommandId(command.getCommandId());
    Supplier<Map<String, Object>> action = known.get(command.getCommand());
    if (action == null) {
      String text = "a worker in Java knows " + String.join(", ", known.keySet().stream().sorted().toList());
      return reply.setStatus(Status.newBuilder().setCode(Code.UNIMPLEMENTED_VALUE).setMessage(text)).build();
    }
    return reply.setStatus(Status.getDefaultInstance()).setOutput(Payloads.write(action.get())).build();
  }
}
