/** Where the client and its workers log to. `console` is one. */
export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

const write = (level: string) => (message: string) => {
  process.stderr.write(`${new Date().toISOString()} ${level} caraway: ${message}\n`);
};

/** Writes lines to stderr, but those of `debug`. */
export const logToStderr: Logger = { debug: () => {}, info: write("INFO"), warn: write("WARN"), error: write("ERROR") };
