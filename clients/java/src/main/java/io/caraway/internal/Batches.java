package io.caraway.internal;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;

/** Cuts items into batches that the gateway takes in one call: by count and by bytes. */
public final class Batches<T> {
  /** Items in a call. */
  public static final int MOST_ITEMS = 500;

  /** 3.5 MiB: below a message's 4 MiB, with room for what frames the items. */
  private static final int MOST_BYTES = 3_670_016;

  /** Bytes, at most, that an item costs beside its own. */
  private static final int FRAME = 8;

  private final Consumer<List<T>> full;
  private final ToIntFunction<T> size;
  private List<T> items = new ArrayList<>();
  private int bytes;

  /**
   * Begins with none.
   *
   * @param full takes each batch
   * @param size tells an item's bytes
   */
  public Batches(Consumer<List<T>> full, ToIntFunction<T> size) {
    this.full = full;
    this.size = size;
  }

  /** Cuts a list. */
  public static <T> List<List<T>> of(List<T> items, ToIntFunction<T> size) {
    List<List<T>> made = new ArrayList<>();
    Batches<T> batches = new Batches<>(made::add, size);
    items.forEach(batches::add);
    batches.flush();
    return made;
  }

  /** Adds an item to the batch, or begins a new one with it. */
  public void add(T item) {
    int more = size.applyAsInt(item) + FRAME;
    if (items.size() >= MOST_ITEMS || (!items.isEmpty() && bytes + more > MOST_BYTES)) {
      flush();
    }
    items.add(item);
    bytes += more;
  }

  /** Hands out what there is. */
  public void flush() {
    if (!items.isEmpty()) {
      full.accept(items);
      items = new ArrayList<>();
      bytes = 0;
    }
  }
}
