import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Conflict, Refused, Unreachable } from "../src/viewer/api";
import { type EditCommand } from "../src/viewer/model";
import { type Answer, EditQueue, type Pending, type SaveState } from "../src/viewer/sync";

const lesion: EditCommand = { type: "add_lesion", start_mm: 1, end_mm: 4 };

function make(post: (edit: Pending, version: number) => Promise<Answer<string>>) {
  const states: SaveState[] = [];
  const stored: string[] = [];
  const refused: string[] = [];
  const queue = new EditQueue<string>(
    {
      post,
      stored: (edit, answer) => stored.push(`${edit.vessel}:${answer.state}`),
      refused: (_edit, error) => refused.push(error.message),
      changed: (state) => states.push(state),
    },
    5,
  );
  return { queue, states, stored, refused };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("edits on their way", () => {
  it("go one at a time, each with the version that the last one made", async () => {
    const versions: number[] = [];
    const { queue, states, stored } = make((_edit, version) => {
      versions.push(version);
      return Promise.resolve({ state: `v${version + 1}`, version: version + 1 });
    });
    queue.add({ vessel: "LAD", command: lesion });
    queue.add({ vessel: "RCA", command: { type: "undo" } });
    expect(queue.pending("LAD")).toHaveLength(1);
    await queue.settled();
    expect(versions).toEqual([5, 6]);
    expect(stored).toEqual(["LAD:v6", "RCA:v7"]);
    expect(states.at(-1)?.kind).toBe("saved");
    expect(queue.length).toBe(0);
  });

  it("wait out a lost network, visibly not saved, and lose nothing", async () => {
    let down = true;
    const { queue, states, stored } = make((_edit, version) =>
      down ? Promise.reject(new Unreachable("gone")) : Promise.resolve({ state: "ok", version: version + 1 }),
    );
    queue.add({ vessel: "LAD", command: lesion });
    await vi.advanceTimersByTimeAsync(500);
    expect(states.at(-1)).toEqual({ kind: "offline", waiting: 1, retryInMs: 1000, reason: "network" });
    await vi.advanceTimersByTimeAsync(1000);
    expect(states.at(-1)).toEqual({ kind: "offline", waiting: 1, retryInMs: 2000, reason: "network" });
    expect(queue.pending("LAD")).toHaveLength(1);
    down = false;
    queue.retry();
    await queue.settled();
    expect(stored).toEqual(["LAD:ok"]);
    expect(states.at(-1)?.kind).toBe("saved");
  });

  it("wait while the person is signed out, and go on after", async () => {
    let signedIn = false;
    const { queue, states, refused, stored } = make((_edit, version) =>
      signedIn
        ? Promise.resolve({ state: "ok", version: version + 1 })
        : Promise.reject(new Refused("Authentication credentials were not provided.", 403)),
    );
    queue.add({ vessel: "LAD", command: lesion });
    await vi.advanceTimersByTimeAsync(100);
    expect(states.at(-1)).toMatchObject({ kind: "offline", reason: "session" });
    signedIn = true;
    await vi.advanceTimersByTimeAsync(1000);
    expect(stored).toEqual(["LAD:ok"]);
    expect(refused).toEqual([]);
  });

  it("stop at a conflict: what follows is never sent on a false base", async () => {
    const sent: Pending[] = [];
    const { queue, states } = make((edit) => {
      sent.push(edit);
      return Promise.reject(new Conflict("version 5 is stale"));
    });
    queue.add({ vessel: "LAD", command: lesion });
    queue.add({ vessel: "LAD", command: { type: "undo" } });
    await expect(queue.settled()).rejects.toThrow(Conflict);
    queue.add({ vessel: "LAD", command: lesion });
    await vi.advanceTimersByTimeAsync(20000);
    expect(sent).toHaveLength(1);
    expect(states.at(-1)).toEqual({ kind: "conflict", detail: "version 5 is stale" });
  });

  it("drop what the server refuses, say why, and go on", async () => {
    const { queue, refused, stored } = make((edit, version) =>
      edit.command.type === "undo"
        ? Promise.reject(new Refused("There is nothing to undo.", 400))
        : Promise.resolve({ state: "ok", version: version + 1 }),
    );
    queue.add({ vessel: "LM", command: { type: "undo" } });
    queue.add({ vessel: "LM", command: lesion });
    await queue.settled();
    expect(refused).toEqual(["There is nothing to undo."]);
    expect(stored).toEqual(["LM:ok"]);
    expect(queue.currentVersion).toBe(6);
  });
});
