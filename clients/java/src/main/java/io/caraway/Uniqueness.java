package io.caraway;

import io.caraway.internal.Protos;
import io.caraway.v1.Uniqueness.OnConflict;
import java.time.Duration;
import java.util.Objects;

/**
 * At most one task at a time, or in a time, for a key.
 *
 * @param key one space for all tasks; 1 to 255 characters
 * @param window how long the key is held from acceptance, even when the task has ended; null: until the task has ended
 * @param conflict what happens to a submit while another task holds the key
 */
public record Uniqueness(String key, Duration window, Conflict conflict) {
  /** What happens to a submit while another task holds the key. */
  public enum Conflict {
    /** It is refused, by ConflictException with the reason UNIQUE_CONFLICT. */
    REJECT(OnConflict.ON_CONFLICT_REJECT),
    /** The holder is returned instead. */
    RETURN_EXISTING(OnConflict.ON_CONFLICT_RETURN_EXISTING),
    /** The holder is revoked where it has not started, and the new task takes the key. */
    REPLACE(OnConflict.ON_CONFLICT_REPLACE);

    private final OnConflict written;

    Conflict(OnConflict written) {
      this.written = written;
    }
  }

  /**
   * Checks that there is a key.
   *
   * @param key one space for all tasks
   * @param window how long the key is held; null: until the task has ended
   * @param conflict what happens to a submit while another task holds the key
   */
  public Uniqueness {
    Objects.requireNonNull(key, "key");
    Objects.requireNonNull(conflict, "conflict");
  }

  /**
   * Until the task has ended, others of its key are refused.
   *
   * @param key the key
   * @return the rule
   */
  public static Uniqueness of(String key) {
    return new Uniqueness(key, null, Conflict.REJECT);
  }

  /**
   * The contract's message.
   *
   * @return the same
   */
  public io.caraway.v1.Uniqueness toProto() {
    io.caraway.v1.Uniqueness.Builder made =
        io.caraway.v1.Uniqueness.newBuilder().setKey(key).setOnConflict(conflict.written);
    if (window != null) {
      made.setWindow(Protos.write(window));
    }
    return made.build();
  }
}
