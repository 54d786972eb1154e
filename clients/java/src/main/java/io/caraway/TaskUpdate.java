package io.caraway;

import java.util.List;

/**
 * What a watch tells.
 *
 * @param task a task of the snapshot, or one that changed; null for a bookmark
 * @param snapshotComplete what follows are changes
 * @param gap changes were missed: states that came and went were not told; the latest are
 * @param missing ids of which there is no task, or no longer
 */
public record TaskUpdate(TaskInfo task, boolean snapshotComplete, boolean gap, List<String> missing) {}
