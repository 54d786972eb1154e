package io.caraway.payload;

import java.util.List;
import java.util.Map;

/**
 * The arguments of a task, as plain values.
 *
 * @param args positional ones
 * @param kwargs named ones
 */
public record Arguments(List<Object> args, Map<String, Object> kwargs) {}
