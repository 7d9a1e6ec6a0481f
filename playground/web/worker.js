// Both modules, beside the page, so that typing stays smooth whatever is pasted.
import { check, initSync } from "page-module";

import { load } from "./host.js";

const read = async (name) => {
  const response = await fetch(new URL(name, import.meta.url));
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return response.arrayBuffer();
};

async function start() {
  const [policy, page] = await Promise.all([read("policy.wasm"), read("page.wasm")]);
  initSync({ module: page });
  const ask = await load(policy);
  // Only over HTTPS and on localhost can a page compute it.
  const digest = crypto.subtle ? new Uint8Array(await crypto.subtle.digest("SHA-256", policy)) : [];
  const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  self.onmessage = ({ data: input }) => {
    const begin = performance.now();
    const output = JSON.parse(check(JSON.stringify(input), ask));
    self.postMessage({ output, milliseconds: performance.now() - begin });
  };
  self.postMessage({ ready: { sha256, bytes: policy.byteLength } });
}

start().catch((error) => self.postMessage({ failed: error.message }));
