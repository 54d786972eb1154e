package io.caraway.payload;

import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.RandomAccess;

/** A list that came as a tuple from a language that has them, and is written as one again. It can't be changed. */
public final class Tuple extends AbstractList<Object> implements RandomAccess {
  private final List<Object> members;

  /**
   * Makes a tuple.
   *
   * @param members what it holds; may hold null
   */
  public Tuple(Collection<?> members) {
    this.members = Collections.unmodifiableList(new ArrayList<Object>(members));
  }

  @Override
  public Object get(int index) {
    return members.get(index);
  }

  @Override
  public int size() {
    return members.size();
  }
}
