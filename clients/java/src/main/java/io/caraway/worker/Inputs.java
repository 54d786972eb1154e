package io.caraway.worker;

import io.caraway.TaskError;
import io.caraway.errors.PayloadException;
import io.caraway.payload.Arguments;
import io.caraway.payload.Payloads;
import io.caraway.v1.InputPart;
import io.caraway.v1.WorkflowNode.Edge.Pass;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the nodes before a task in its workflow handed on, put into its arguments. */
final class Inputs {
  private final List<Object> listed = new ArrayList<>();
  private final List<Object> first = new ArrayList<>();
  private final Map<String, Object> named = new LinkedHashMap<>();
  private final Deque<List<Object>> open = new ArrayDeque<>();
  private InputPart.Input begun;
  private boolean hasList;

  private Inputs() {}

  /**
   * PASS_LIST inputs go into one list, the first argument; PASS_FIRST_ARG inputs come next, before the task's own
   * arguments; PASS_KWARG inputs stand over its own.
   */
  static Arguments merge(Arguments own, List<InputPart> parts) {
    Inputs inputs = new Inputs();
    parts.forEach(inputs::read);
    if (inputs.begun != null || !inputs.open.isEmpty()) {
      throw new PayloadException("an input has no end");
    }
    List<Object> args = new ArrayList<>();
    if (inputs.hasList) {
      args.add(inputs.listed);
    }
    args.addAll(inputs.first);
    args.addAll(own.args());
    Map<String, Object> kwargs = new LinkedHashMap<>(own.kwargs());
    kwargs.putAll(inputs.named);
    return new Arguments(args, kwargs);
  }

  private void read(InputPart part) {
    switch (part.getPartCase()) {
      case INPUT -> begun = part.getInput();
      case LIST_BEGIN -> open.push(new ArrayList<>());
      case LIST_END -> {
        if (open.isEmpty()) {
          throw new PayloadException("an input ends a list that it did not begin");
        }
        take(open.pop());
      }
      case FAILURE ->
          take(new FailedInput(part.getFailure().getTaskId(), TaskError.of(part.getFailure().getError())));
      default -> take(Payloads.read(part.getPayload()));
    }
  }

  private void take(Object value) {
    if (!open.isEmpty()) {
      open.peek().add(value);
      return;
    }
    if (begun == null) {
      throw new PayloadException("an input has no beginning");
    }
    if (begun.getPassAs() == Pass.PASS_LIST) {
      hasList = true;
      listed.add(value);
    } else if (begun.getPassAs() == Pass.PASS_FIRST_ARG) {
      first.add(value);
    } else if (begun.getPassAs() == Pass.PASS_KWARG) {
      named.put(begun.getKwarg(), value);
    }
    begun = null;
  }
}
