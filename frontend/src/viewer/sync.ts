/**
 * Edits on their way to the server: one at a time, in order, each with the version it builds on.
 *
 * What is not yet stored stays visible as "not saved"; a lost network is tried again, a conflict stops everything.
 */
import { Conflict, Refused, Unreachable } from "./api";
import { type EditCommand } from "./model";

export type SaveState =
  | { readonly kind: "saved"; readonly at: Date | null }
  | { readonly kind: "saving"; readonly waiting: number }
  | {
      readonly kind: "offline";
      readonly waiting: number;
      readonly retryInMs: number;
      /** the network is gone, or the person is signed out: both pass, and nothing is dropped meanwhile */
      readonly reason: "network" | "session";
    }
  | { readonly kind: "conflict"; readonly detail: string };

export interface Pending {
  readonly vessel: string;
  readonly command: EditCommand;
}

export interface Answer<State> {
  readonly state: State;
  readonly version: number;
}

export interface QueueHooks<State> {
  post(edit: Pending, version: number): Promise<Answer<State>>;
  stored(edit: Pending, answer: Answer<State>): void;
  refused(edit: Pending, error: Error): void;
  changed(state: SaveState): void;
}

const WAITS_MS = [1000, 2000, 4000, 8000];

export class EditQueue<State> {
  private readonly waiting: Pending[] = [];
  private running = false;
  private stopped = false;
  private attempt = 0;
  private wake: (() => void) | null = null;
  private idle: (() => void)[] = [];

  constructor(
    private readonly hooks: QueueHooks<State>,
    private version: number,
  ) {}

  /** Edits of a vessel that the server has not yet confirmed, oldest first. */
  pending(vessel: string): readonly Pending[] {
    return this.waiting.filter((edit) => edit.vessel === vessel);
  }

  get length(): number {
    return this.waiting.length;
  }

  get currentVersion(): number {
    return this.version;
  }

  /** A version heard by another way (a reload of the case). */
  sawVersion(version: number): void {
    if (this.waiting.length === 0) this.version = version;
  }

  add(edit: Pending): void {
    if (this.stopped) return;
    this.waiting.push(edit);
    void this.run();
  }

  /** Resolves when nothing waits; rejects when a conflict stopped the queue. */
  async settled(): Promise<void> {
    if (this.stopped) throw new Conflict("This read was changed elsewhere.");
    if (this.waiting.length === 0) return;
    await new Promise<void>((resolve) => this.idle.push(resolve));
    if (this.stopped) throw new Conflict("This read was changed elsewhere.");
  }

  /** Try again now (the browser says that the network is back). */
  retry(): void {
    this.wake?.();
  }

  private async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    while (this.waiting.length > 0 && !this.stopped) {
      const edit = this.waiting[0];
      if (this.attempt === 0) this.hooks.changed({ kind: "saving", waiting: this.waiting.length });
      try {
        const answer = await this.hooks.post(edit, this.version);
        this.attempt = 0;
        this.version = answer.version;
        this.waiting.shift();
        this.hooks.stored(edit, answer);
      } catch (error) {
        const signedOut = error instanceof Refused && (error.status === 401 || error.status === 403);
        if (error instanceof Unreachable || signedOut) {
          const retryInMs = WAITS_MS[Math.min(this.attempt++, WAITS_MS.length - 1)];
          this.hooks.changed({ kind: "offline", waiting: this.waiting.length, retryInMs, reason: signedOut ? "session" : "network" });
          await this.pause(retryInMs);
        } else if (error instanceof Conflict) {
          this.stopped = true;
          this.hooks.changed({ kind: "conflict", detail: error.message });
        } else {
          this.attempt = 0;
          this.waiting.shift();
          this.hooks.refused(edit, error instanceof Error ? error : new Error(String(error)));
        }
      }
    }
    this.running = false;
    if (!this.stopped) this.hooks.changed({ kind: "saved", at: new Date() });
    for (const resolve of this.idle.splice(0)) resolve();
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms);
      const wake = () => {
        clearTimeout(timer);
        done();
      };
      this.wake = wake;
      function done() {
        resolve();
      }
    });
  }
}
