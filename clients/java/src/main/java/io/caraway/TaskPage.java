package io.caraway;

import java.util.List;

/**
 * A page of a list.
 *
 * @param tasks what it holds; may be empty while more pages follow
 * @param nextToken for the next page; empty: there is none
 */
public record TaskPage(List<TaskInfo> tasks, String nextToken) {}
