package io.caraway.worker;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArraySet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hears each SIGTERM and SIGINT, and then leaves it to whoever heard it before: to the JVM, which begins its shutdown at the
 * first one and is deaf to further ones.
 *
 * <p>By reflection: {@code sun.misc.Signal} is the one way, is open to all in every JDK (module jdk.unsupported), and can't be
 * named without a warning of javac.
 */
final class EndSignals {
  private static final Logger LOG = LoggerFactory.getLogger("io.caraway.worker");
  private static final List<String> NAMES = List.of("TERM", "INT");
  private static final Set<Runnable> LISTENERS = new CopyOnWriteArraySet<>();
  private static boolean installed;

  private EndSignals() {}

  /** From now on each of the signals calls {@code listener}, in a thread of its own. */
  static void listen(Runnable listener) {
    LISTENERS.add(listener);
    install();
  }

  static void forget(Runnable listener) {
    LISTENERS.remove(listener);
  }

  private static synchronized void install() {
    if (installed) {
      return;
    }
    installed = true;
    try {
      for (String name : NAMES) {
        new Relay(name).begin();
      }
    } catch (ReflectiveOperationException | RuntimeException why) {
      // Started with -Xrs, or without the module: the first signal does what it does, a second one nothing.
      LOG.info("a second signal can't hurry this worker's end: {}", String.valueOf(why.getCause() == null ? why : why.getCause()));
    }
  }

  /** Passes one signal on. */
  private static final class Relay {
    private final Object signal;
    private final Class<?> handler;
    private final Method handle;
    private volatile Object before;

    Relay(String name) throws ReflectiveOperationException {
      signal = Class.forName("sun.misc.Signal").getConstructor(String.class).newInstance(name);
      handler = Class.forName("sun.misc.SignalHandler");
      handle = handler.getMethod("handle", signal.getClass());
    }

    void begin() throws ReflectiveOperationException {
      Object ours = Proxy.newProxyInstance(EndSignals.class.getClassLoader(), new Class<?>[] {handler}, this::called);
      before = signal.getClass().getMethod("handle", signal.getClass(), handler).invoke(null, signal, ours);
    }

    private Object called(Object proxy, Method method, Object[] args) throws ReflectiveOperationException {
      if (method.getDeclaringClass() == Object.class) {
        return switch (method.getName()) {
          case "equals" -> proxy == args[0];
          case "hashCode" -> System.identityHashCode(proxy);
          default -> "EndSignals";
        };
      }
      LISTENERS.forEach(Runnable::run);
      if (before != null) {
        handle.invoke(before, signal);
      }
      return null;
    }
  }
}
