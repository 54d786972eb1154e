package io.caraway;

import io.caraway.errors.InvalidOptionException;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Pattern;

/** How a gateway is reached: its address, whether by TLS, and the token that goes with each call. Immutable. */
public final class Connection {
  private static final String TLS = "grpcs://";
  private static final String PLAIN = "grpc://";
  private static final Pattern TOKEN = Pattern.compile("[!-~]+");

  private final String target;
  private final Builder options;

  private Connection(Builder builder) {
    this.target = builder.target;
    this.options = builder;
  }

  /**
   * Reaches a gateway without certificates and token of its own.
   *
   * @param target HOST:PORT; grpcs://HOST:PORT by TLS
   * @return the connection
   */
  public static Connection to(String target) {
    return builder(target).build();
  }

  /**
   * Reads CARAWAY_TARGET (else localhost:50051), CARAWAY_TOKEN (a token or @FILE), CARAWAY_TLS_CA, CARAWAY_TLS_CERT,
   * CARAWAY_TLS_KEY and CARAWAY_TLS_SERVER_NAME from the environment.
   *
   * @return the connection
   */
  public static Connection fromEnvironment() {
    return from(System.getenv());
  }

  static Connection from(Map<String, String> environment) {
    Builder builder = builder(environment.getOrDefault("CARAWAY_TARGET", "localhost:50051"));
    builder.token = environment.getOrDefault("CARAWAY_TOKEN", "");
    builder.ca = path(environment.get("CARAWAY_TLS_CA"));
    builder.cert = path(environment.get("CARAWAY_TLS_CERT"));
    builder.key = path(environment.get("CARAWAY_TLS_KEY"));
    builder.serverName = environment.getOrDefault("CARAWAY_TLS_SERVER_NAME", "");
    return builder.build();
  }

  private static Path path(String text) {
    return text == null || text.isEmpty() ? null : Path.of(text);
  }

  /**
   * Begins a connection with options.
   *
   * @param target HOST:PORT; grpcs://HOST:PORT by TLS
   * @return its builder
   */
  public static Builder builder(String target) {
    return new Builder(target);
  }

  /**
   * As it was given.
   *
   * @return the target
   */
  public String target() {
    return target;
  }

  /**
   * The target without its scheme.
   *
   * @return what gRPC connects to
   */
  public String address() {
    return target.startsWith(TLS) ? target.substring(TLS.length())
        : target.startsWith(PLAIN) ? target.substring(PLAIN.length()) : target;
  }

  /**
   * Whether it is by TLS.
   *
   * @return true: the target says so, or something about TLS is named
   */
  public boolean isSecure() {
    return target.startsWith(TLS) || options.namesTls();
  }

  /**
   * Authorities that sign the gateway's certificate.
   *
   * @return a file in PEM; null: those of Java
   */
  public Path ca() {
    return options.ca;
  }

  /**
   * The certificate to show to a gateway that asks for one.
   *
   * @return a file in PEM; null: none
   */
  public Path cert() {
    return options.cert;
  }

  /**
   * Its key.
   *
   * @return a file in PEM (PKCS 8), without a password; null: none
   */
  public Path key() {
    return options.key;
  }

  /**
   * The name in the gateway's certificate.
   *
   * @return the name; empty: the target's host
   */
  public String serverName() {
    return options.serverName;
  }

  /**
   * The token that goes with each call.
   *
   * @return the token, or @FILE; empty: none
   */
  public String token() {
    return options.token;
  }

  /** Builds a connection. */
  public static final class Builder {
    private final String target;
    private Path ca;
    private Path cert;
    private Path key;
    private String serverName = "";
    private String token = "";

    private Builder(String target) {
      this.target = target;
    }

    private boolean namesTls() {
      return ca != null || cert != null || key != null || !serverName.isEmpty();
    }

    /**
     * Trusts gateways whose certificate these authorities have signed.
     *
     * @param pem their certificates
     * @return this
     */
    public Builder ca(Path pem) {
      this.ca = pem;
      return this;
    }

    /**
     * Shows a certificate to the gateway (mutual TLS).
     *
     * @param certPem the certificate, with its chain
     * @param keyPem its key, without a password
     * @return this
     */
    public Builder certificate(Path certPem, Path keyPem) {
      this.cert = certPem;
      this.key = keyPem;
      return this;
    }

    /**
     * Expects this name in the gateway's certificate.
     *
     * @param name by default the target's host
     * @return this
     */
    public Builder serverName(String name) {
      this.serverName = name;
      return this;
    }

    /**
     * Sends a token with each call.
     *
     * @param token the token
     * @return this
     */
    public Builder token(String token) {
      this.token = token;
      return this;
    }

    /**
     * Sends the token that a file holds with each call; the file is read again when it changes.
     *
     * @param file it holds the token and nothing else
     * @return this
     */
    public Builder tokenFile(Path file) {
      this.token = "@" + file;
      return this;
    }

    /**
     * Makes the connection; nothing is connected yet.
     *
     * @return the connection
     * @throws InvalidOptionException where the options don't go together
     */
    public Connection build() {
      if (target.startsWith("http://") || target.startsWith("https://")) {
        throw new InvalidOptionException("target: write HOST:PORT, or grpcs://HOST:PORT for TLS, not " + target);
      }
      if (target.startsWith(PLAIN) && namesTls()) {
        throw new InvalidOptionException("target: it is without TLS, and files of TLS are named: write grpcs://");
      }
      if ((cert == null) != (key == null)) {
        throw new InvalidOptionException("certificate: a certificate and its key go together; name both");
      }
      if (!token.isEmpty() && !TOKEN.matcher(token).matches() && !token.startsWith("@")) {
        // It goes into a header; what stands there is not repeated.
        throw new InvalidOptionException("token: it has characters that no token has");
      }
      return new Connection(this);
    }
  }
}
