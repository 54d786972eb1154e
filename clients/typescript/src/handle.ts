/** A task that was submitted, or that is known by its id. */
import type { Client, RevokeSettings, WaitSettings } from "./client.js";
import type { CallSettings } from "./gateway.js";
import type { Task } from "./task.js";
import type { WatchEvent } from "./watch.js";

/** A task that was submitted, or that is known by its id. `R` is what it returns. */
export class Handle<R = unknown> {
  /** @internal */
  constructor(
    private readonly client: Client,
    /** The task's id. Of a unique task that was there already it is that one's. */
    readonly id: string,
    /** Whether the submit made a new task: false if the same id, or the unique key's holder, was there before. */
    readonly created: boolean = true,
  ) {}

  /** Reads the task as it stands. */
  get(settings: CallSettings = {}): Promise<Task<R>> {
    return this.client.get<R>(this.id, settings);
  }

  /** Waits until it has ended; see {@link Client.wait}. */
  wait(settings: WaitSettings = {}): Promise<Task<R>> {
    return this.client.wait<R>(this.id, settings);
  }

  /**
   * Waits until it has ended, and gives what it returned; of a group the list of its members' results.
   *
   * @throws TaskFailed when it ended without success; TimeoutError.
   */
  async result(settings: WaitSettings = {}): Promise<R> {
    return this.client.resultOf(await this.wait(settings), settings);
  }

  /** Tells of its changes until it has ended; see {@link Client.watch}. */
  watch(settings: CallSettings = {}): AsyncGenerator<WatchEvent, void, undefined> {
    return this.client.watch([this.id], settings);
  }

  /** Revokes it; see {@link Client.revoke}. */
  async revoke(settings: RevokeSettings = {}) {
    return (await this.client.revoke([this.id], settings))[0];
  }
}
