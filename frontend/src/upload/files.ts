/** What a person dropped or picked, as a flat list; names stay in this list and never reach the server. */
import { printed } from "../numbers";

export interface LocalFile {
  readonly index: number;
  readonly name: string;
  readonly file: File;
}

/** Names that systems leave in every folder and that are no data. */
const NOISE = new Set(["thumbs.db", "desktop.ini", ".ds_store"]);

export function isNoise(path: string): boolean {
  const name = path.split("/").pop()?.toLowerCase() ?? "";
  return NOISE.has(name) || name.startsWith("._") || path.includes("__MACOSX/");
}

/** Number the files in the order of their names, so that the same drop gives the same numbers. */
export function numbered(found: readonly { name: string; file: File }[]): LocalFile[] {
  return found
    .filter((each) => !isNoise(each.name))
    .toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .map((each, index) => ({ index, name: each.name, file: each.file }));
}

export function fromPicker(files: FileList): LocalFile[] {
  return numbered([...files].map((file) => ({ name: file.webkitRelativePath || file.name, file })));
}

/** Everything below what was dropped, folders opened. */
export async function fromDrop(items: DataTransferItemList): Promise<LocalFile[]> {
  const entries = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const found: { name: string; file: File }[] = [];
  for (const entry of entries) await walk(entry, found);
  return numbered(found);
}

async function walk(entry: FileSystemEntry, found: { name: string; file: File }[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed));
    found.push({ name: entry.fullPath.replace(/^\//, ""), file });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A folder is given in pieces of at most a hundred entries; an empty piece ends it.
    const piece = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (piece.length === 0) return;
    for (const each of piece) await walk(each, found);
  }
}

export function sizeOf(files: readonly LocalFile[]): number {
  return files.reduce((sum, each) => sum + each.file.size, 0);
}

export function readable(bytes: number): string {
  return bytes >= 2 ** 30 ? `${printed(bytes / 2 ** 30, 1)} GiB` : `${printed(bytes / 2 ** 20, 1)} MiB`;
}

/** What a file is called on this machine; the server knows numbers only. */
export function nameOf(index: number | null, files: readonly LocalFile[]): string {
  if (index === null) return "the upload";
  return files.find((each) => each.index === index)?.name ?? `file ${index}`;
}

/** The server's message with this machine's names where it says “file 12”. */
export function withNames(text: string, files: readonly LocalFile[]): string {
  return text.replaceAll(/\bfile (\d+)\b/g, (_, number: string) => nameOf(Number(number), files));
}
