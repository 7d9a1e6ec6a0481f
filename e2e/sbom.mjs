import { readFileSync } from "node:fs";

// The bill of materials names every crate that Cargo builds the module of, in its version and with a licence, and no other but
// these two: `slog` can be built with them, is not, and what `cargo metadata` says of features is not that fine.
const TOO_MANY = ["anyhow", "log"];

const [file, tree] = process.argv.slice(2);
const { components, metadata } = JSON.parse(readFileSync(file, "utf8"));
const own = metadata.component.name;
const listed = new Set(components.map(({ name, version }) => `${name} v${version}`));
const built = new Set(readFileSync(tree, "utf8").split("\n").filter(Boolean).map((line) => line.split(" ").slice(0, 2).join(" ")));
built.delete(`${own} v${metadata.component.version}`);
const problems = [
  ...[...built].filter((crate) => !listed.has(crate)).map((crate) => `${crate} is built, and not listed`),
  ...[...listed].filter((crate) => !built.has(crate) && !TOO_MANY.includes(crate.split(" ")[0])).map((crate) => `${crate} is listed, and not built`),
  ...components.filter(({ licenses }) => !licenses?.length).map(({ name }) => `${name} has no licence`),
  ...components.filter(({ hashes }) => !hashes?.length).map(({ name }) => `${name} has no hash`),
];
console.log(`sbom: ${own} stands on ${listed.size} crates, ${problems.length} problems`);
for (const problem of problems) console.error(problem);
process.exit(problems.length > 0 || listed.size < 10 ? 1 : 0);
