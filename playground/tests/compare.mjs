// Holds what the page says to what the command says: both wasm files in Node, without a browser.
//
//   node compare.mjs <cases.json> <policy.wasm> <folder of the page's own module>
//
// A case is what is in the panes and what is expected of it, made by cli/tests/playground.rs; those of a group differ in their
// pipelines alone, and the command has read them in one run.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { load } from "../web/host.js";

const [casesFile, policyFile, folder] = process.argv.slice(2).map((path) => resolve(path));
const page = await import(pathToFileURL(join(folder, "playground.js")).href);
page.initSync({ module: readFileSync(join(folder, "playground_bg.wasm")) });
const ask = await load(readFileSync(policyFile));

const groups = JSON.parse(readFileSync(casesFile, "utf8"));
const counts = { cases: 0, pipelines: 0, findings: 0, repairs: 0, troubles: 0, refused: 0 };
const failures = [];
for (const group of groups) {
  let passedOver = 0;
  for (const { name, panes, expected } of group.cases) {
    const output = JSON.parse(page.check(JSON.stringify(panes), ask));
    try {
      compare(panes, output, expected);
    } catch (error) {
      failures.push(`${name}: ${error.message}`);
    }
    passedOver += output.passedOver;
    counts.cases += 1;
    counts.pipelines += output.pipelines.length;
    counts.findings += output.pipelines.flatMap((pipeline) => pipeline.findings).length;
    counts.repairs += output.repaired === null ? 0 : 1;
    counts.troubles += output.troubles.length;
    counts.refused += output.unreadable === null ? 0 : 1;
  }
  if (passedOver !== group.passedOver) failures.push(`${group.cases[0].name} and more: ${passedOver} passed over, not ${group.passedOver}`);
}
console.log(`playground: ${Object.entries(counts).map(([what, count]) => `${count} ${what}`).join(", ")}; ${failures.length} differ from the command`);
for (const failure of failures) console.error(failure);
process.exit(failures.length > 0 || counts.cases < 100 ? 1 : 0);

function compare(panes, output, expected) {
  assert.equal(output.unreadable, expected.unreadable, "settings");
  if (expected.unreadable !== null) return;
  assert.deepEqual(output.pipelines.map((pipeline) => [pipeline.title, pipeline.verdict]), expected.verdicts, "verdicts");
  const findings = output.pipelines.flatMap((pipeline) => pipeline.findings);
  const own = ({ file, from, to, ...finding }) => finding;
  assert.deepEqual(findings.map(own), expected.findings.map(own), "findings");
  const unrecognized = output.pipelines.filter((pipeline) => pipeline.isUnrecognized);
  assert.deepEqual(unrecognized.map(({ title, declare }) => [title, declare]), expected.unrecognized, "not recognised");
  assert.deepEqual(output.troubles, expected.troubles, "troubles");
  assert.deepEqual(output.secretsTroubles, expected.secretsTroubles, "Secrets");
  assert.equal(output.repaired ?? panes.pipelines, expected.repaired, "repaired text");
  for (const finding of findings) placed(panes.pipelines, finding);
}

// The editor's place, in UTF-16 code units, is the same as the command's line and column, in characters.
function placed(text, finding) {
  const before = text.slice(0, finding.from);
  const line = before.split("\n").length;
  const column = [...before.split("\n").at(-1)].length + 1;
  assert.deepEqual([line, column], [finding.line, finding.column], `place of ${finding.rule}`);
  assert.ok(finding.from <= finding.to && finding.to <= text.length, `place of ${finding.rule}`);
}
