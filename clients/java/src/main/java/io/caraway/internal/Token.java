package io.caraway.internal;

import io.caraway.errors.InvalidOptionException;
import io.grpc.Metadata;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.regex.Pattern;

/** The token that goes with each call, as its file has it now. */
final class Token {
  private static final Metadata.Key<String> HEADER =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
  private static final Pattern FORM = Pattern.compile("[!-~]+");

  private record Stamp(long modified, long size, Object key) {}

  private final Path file;
  private volatile String token;
  private Stamp stamp;

  /** {@code named} is a token, @FILE, or empty. Raises InvalidOptionException where the file holds none. */
  Token(String named) {
    this.file = named.startsWith("@") ? Path.of(named.substring(1)) : null;
    this.token = file == null && !named.isEmpty() ? named : null;
    refresh();
  }

  void addTo(Metadata headers) {
    refresh();
    if (token != null) {
      headers.put(HEADER, "Bearer " + token);
    }
  }

  private synchronized void refresh() {
    if (file == null) {
      return;
    }
    String wrong = "it must hold a token and nothing else";
    try {
      BasicFileAttributes now = Files.readAttributes(file, BasicFileAttributes.class);
      Stamp seen = new Stamp(now.lastModifiedTime().toMillis(), now.size(), now.fileKey());
      if (seen.equals(stamp)) {
        return;
      }
      String read = Files.readString(file).strip();
      if (FORM.matcher(read).matches()) {
        stamp = seen;
        token = read;
        return;
      }
    } catch (IOException error) {
      wrong = "it can't be read: " + error.getMessage();
    }
    // One that is being replaced: the one before may still do.
    if (token == null) {
      throw new InvalidOptionException("token: @" + file + ": " + wrong);
    }
  }
}
