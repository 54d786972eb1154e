package io.caraway.worker;

import io.caraway.TaskError;

/**
 * Stands where a value would: the node that was to hand it on has failed. The first argument of an errback.
 *
 * @param taskId which task failed
 * @param error why
 */
public record FailedInput(String taskId, TaskError error) {}
