package io.caraway.payload;

import com.github.luben.zstd.ZstdInputStream;
import com.github.luben.zstd.ZstdOutputStream;
import io.caraway.errors.PayloadException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Locale;
import java.util.Map;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.InflaterInputStream;

/** Content encodings of payloads: gzip and zlib are the JDK's, zstd needs com.github.luben:zstd-jni. */
final class Encodings {
  static final int MOST_BYTES = 64 * 1024 * 1024;
  private static final int CHUNK = 16 * 1024;

  private interface Reading {
    InputStream open(InputStream encoded) throws IOException;
  }

  private interface Writing {
    OutputStream open(OutputStream encoded) throws IOException;
  }

  private record Encoding(Reading reading, Writing writing) {}

  /** Loads zstd only when it is asked for. */
  private static final class Zstd {
    static InputStream reading(InputStream encoded) throws IOException {
      return new ZstdInputStream(encoded);
    }

    static OutputStream writing(OutputStream encoded) throws IOException {
      return new ZstdOutputStream(encoded);
    }
  }

  private static final Map<String, Encoding> KNOWN =
      Map.of(
          "gzip", new Encoding(GZIPInputStream::new, GZIPOutputStream::new),
          "zlib", new Encoding(InflaterInputStream::new, DeflaterOutputStream::new),
          "zstd", new Encoding(Zstd::reading, Zstd::writing));

  private Encodings() {}

  static byte[] encode(String name, byte[] plain) {
    ByteArrayOutputStream encoded = new ByteArrayOutputStream();
    try (OutputStream out = known(name).writing.open(encoded)) {
      out.write(plain);
    } catch (IOException error) {
      throw new PayloadException("a payload can't be written as " + name, error);
    } catch (NoClassDefFoundError error) {
      throw missing(name, error);
    }
    return encoded.toByteArray();
  }

  /** Undoes an encoding; refuses data that ends too early, that something follows, or that becomes larger than 64 MiB. */
  static byte[] decode(String name, byte[] encoded) {
    ByteArrayInputStream source = new ByteArrayInputStream(encoded);
    ByteArrayOutputStream plain = new ByteArrayOutputStream();
    // Byte by byte: a stream that reads ahead would hide what follows the data.
    try (InputStream in = known(name).reading.open(new OneByOne(source))) {
      byte[] chunk = new byte[CHUNK];
      for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
        plain.write(chunk, 0, count);
        if (plain.size() > MOST_BYTES) {
          throw new PayloadException("a payload has more than " + MOST_BYTES + " bytes when it is decoded");
        }
      }
    } catch (IOException error) {
      throw new PayloadException("a payload is not what " + name + " gives, or ends too early");
    } catch (NoClassDefFoundError error) {
      throw missing(name, error);
    }
    if (source.available() > 0) {
      throw new PayloadException("something follows the data of a payload that is encoded as " + name);
    }
    return plain.toByteArray();
  }

  private static Encoding known(String name) {
    Encoding encoding = KNOWN.get(name.toLowerCase(Locale.ROOT));
    if (encoding == null) {
      throw new PayloadException("the content encoding " + name + " is not known here; there are gzip, zlib and zstd");
    }
    return encoding;
  }

  private static PayloadException missing(String name, NoClassDefFoundError error) {
    return new PayloadException("the content encoding " + name + " needs com.github.luben:zstd-jni", error);
  }

  /** Gives what it reads from one byte at a time. */
  private static final class OneByOne extends InputStream {
    private final InputStream source;

    OneByOne(InputStream source) {
      this.source = source;
    }

    @Override
    public int read() throws IOException {
      return source.read();
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      return source.read(buffer, offset, Math.min(1, length));
    }

    @Override
    public int available() {
      // So that GZIPInputStream takes what follows for another member only where something does.
      return 0;
    }
  }
}
