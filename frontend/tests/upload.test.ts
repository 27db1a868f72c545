import { describe, expect, it } from "vitest";
import { isNoise, numbered, readable, withNames } from "../src/upload/files";
import { fileUrl } from "../src/upload/transport";

const file = (size: number): File => ({ size }) as File;

describe("files of an upload", () => {
  it("numbers files by name and leaves out what systems put into folders", () => {
    const found = numbered([
      { name: "case/b.dcm", file: file(2) },
      { name: "case/Thumbs.db", file: file(9) },
      { name: "case/a.dcm", file: file(1) },
      { name: "__MACOSX/case/._a.dcm", file: file(9) },
    ]);
    expect(found.map((each) => [each.index, each.name])).toEqual([
      [0, "case/a.dcm"],
      [1, "case/b.dcm"],
    ]);
  });

  it("puts names back into the server's messages", () => {
    const files = numbered([{ name: "case/a.dcm", file: file(1) }, { name: "case/b.dcm", file: file(1) }]);
    expect(withNames("missing between file 0 and file 1; member 3 of file 1; file 7", files)).toBe(
      "missing between case/a.dcm and case/b.dcm; member 3 of case/b.dcm; file 7",
    );
  });

  it("keeps files that merely look like noise", () => {
    expect(isNoise("case/thumbs.db.dcm")).toBe(false);
    expect(isNoise("case/.DS_Store")).toBe(true);
  });

  it("says sizes in the unit that fits", () => {
    expect(readable(3 * 2 ** 20)).toBe("3.0 MiB");
    expect(readable(1.5 * 2 ** 30)).toBe("1.5 GiB");
  });
});

describe("addresses", () => {
  it("puts the file's number in the place of the nought, whatever the session's name holds", () => {
    const urls = { file: "/studies/s/upload/sessions/0/files/0/", complete: "", abort: "", status: "" };
    expect(fileUrl({ id: "0", urls }, 12)).toBe("/studies/s/upload/sessions/0/files/12/");
  });
});
