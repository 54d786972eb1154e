package io.caraway;

import io.caraway.errors.CarawayException;

/**
 * What became of one call of many that were submitted together.
 *
 * @param task the accepted task; null where it was refused
 * @param error why it was refused; null where it was accepted
 */
public record SubmitOutcome(SubmittedTask task, CarawayException error) {
  /**
   * Gives the task.
   *
   * @return the accepted task
   * @throws CarawayException where it was refused
   */
  public SubmittedTask get() {
    if (error != null) {
      throw error;
    }
    return task;
  }
}
