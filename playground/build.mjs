// Builds the page: scripts bundled, everything else beside them.
//
//   node build.mjs <node_modules> <policy.wasm> <folder of the page's own module> <examples.json> <version> <output>
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const [modules, policy, page, examples, version, output] = process.argv.slice(2).map((path, index) => (index === 4 ? path : resolve(path)));
const web = join(dirname(fileURLToPath(import.meta.url)), "web");
const { build } = createRequire(join(modules, "package.json"))("esbuild");

rmSync(output, { recursive: true, force: true });
mkdirSync(output, { recursive: true });
const common = {
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  outdir: output,
  nodePaths: [modules],
  alias: { "page-module": join(page, "playground.js") },
  logLevel: "warning",
  legalComments: "none",
};
const { metafile } = await build({
  ...common,
  entryPoints: ["main.js", "worker.js", "page.css"].map((file) => join(web, file)),
  define: { VERSION: JSON.stringify(version) },
  metafile: true,
});
writeFileSync(join(output, "licences.txt"), licences(metafile));
copyFileSync(join(web, "index.html"), join(output, "index.html"));
copyFileSync(policy, join(output, "policy.wasm"));
copyFileSync(join(page, "playground_bg.wasm"), join(output, "page.wasm"));
copyFileSync(examples, join(output, "examples.json"));

const files = readdirSync(output).sort();
const hash = createHash("sha256");
for (const file of files) hash.update(file).update(readFileSync(join(output, file)));
const name = hash.digest("hex").slice(0, 16);
// The folder itself is the page.
await build({ ...common, entryPoints: [join(web, "sw.js")], format: "iife", define: { BUILD: JSON.stringify(name), FILES: JSON.stringify(["./", ...files]) } });
console.log(`playground: ${files.length + 1} files, build ${name}`);

// The licences of the packages in the scripts, which ask to go with them.
function licences({ inputs }) {
  const packages = Object.keys(inputs).map((input) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1]);
  const of = (name) => `${name}\n\n${readFileSync(join(modules, name, "LICENSE"), "utf8").trim()}\n`;
  return [...new Set(packages.filter(Boolean))].sort().map(of).join("\n\n");
}
