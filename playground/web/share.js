// A link that holds the panes: base64url of deflated JSON in the fragment, which browsers send to nobody.

/** Longer links are cut off by too many programs. */
const MAX_LINK = 16_000;
/** What a link may hold, unpacked. */
const MAX_TEXT = 1 << 20;

const VERSION = 1;
const PANES = ["pipelines", "settings", "stored", "mode", "mutating"];

/**
 * The fragment for the panes. Secrets are never in it.
 * @throws {Error} where it would be too long
 */
export async function encode(panes) {
  const kept = Object.fromEntries(PANES.map((name) => [name, panes[name]]).filter(([, value]) => value !== "" && value !== null));
  const bytes = await through(new Blob([JSON.stringify({ v: VERSION, ...kept })]), new CompressionStream("deflate-raw"), Infinity);
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  const fragment = `#s=${text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
  if (fragment.length > MAX_LINK) throw new Error(`The link would have ${fragment.length} characters, and many programs cut those over ${MAX_LINK}. Take something out first.`);
  return fragment;
}

/**
 * The panes in a fragment.
 * @throws {Error} that says what is wrong with the link
 */
export async function decode(fragment) {
  let bytes;
  try {
    const text = fragment.replace(/^#s=/, "").replaceAll("-", "+").replaceAll("_", "/");
    const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    bytes = await through(new Blob([packed]), new DecompressionStream("deflate-raw"), MAX_TEXT);
  } catch (error) {
    if (error instanceof RangeError) throw new Error("The link holds more than a mebibyte, which is too much for this page.");
    throw new Error("The link is broken: perhaps its end is missing.");
  }
  return panes(new TextDecoder().decode(bytes));
}

function panes(json) {
  let state;
  try {
    state = JSON.parse(json);
  } catch {
    throw new Error("The link is broken: what it holds cannot be read.");
  }
  if (state?.v !== VERSION) throw new Error("The link is of another version of this page.");
  const text = (name) => (typeof state[name] === "string" ? state[name] : "");
  return {
    pipelines: text("pipelines"),
    settings: text("settings"),
    stored: text("stored"),
    secrets: "",
    mode: ["repair", "validate"].includes(state.mode) ? state.mode : null,
    mutating: typeof state.mutating === "boolean" ? state.mutating : null,
  };
}

async function through(blob, transform, limit) {
  const chunks = [];
  let length = 0;
  for (const reader = blob.stream().pipeThrough(transform).getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > limit) {
      await reader.cancel();
      throw new RangeError("too long");
    }
    chunks.push(value);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}
