package io.caraway.worker;

/** What runs a task. Called by several threads at once. */
@FunctionalInterface
public interface TaskHandler {
  /**
   * Runs one attempt.
   *
   * @param task its arguments, and what it can tell and ask
   * @return the result, anything that docs/payload.md has a form for; a CompletionStage is waited for
   * @throws Exception ends the attempt as failed, which the task's retry policy may try again; those of {@link
   *     TaskOutcomeException} say otherwise
   */
  Object run(TaskContext task) throws Exception;

  /**
   * What runs a task of one argument.
   *
   * @param <A> the argument's type
   */
  @FunctionalInterface
  interface One<A> {
    /**
     * Runs one attempt.
     *
     * @param first the first argument
     * @return the result
     * @throws Exception ends the attempt as failed
     */
    Object run(A first) throws Exception;
  }

  /**
   * What runs a task of two arguments.
   *
   * @param <A> the first argument's type
   * @param <B> the second argument's type
   */
  @FunctionalInterface
  interface Two<A, B> {
    /**
     * Runs one attempt.
     *
     * @param first the first argument
     * @param second the second argument
     * @return the result
     * @throws Exception ends the attempt as failed
     */
    Object run(A first, B second) throws Exception;
  }
}
