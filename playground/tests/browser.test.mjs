// The built page in a real browser. CHROMIUM names the browser, NODE_TOOLS the folder of packages, BOOK the built book.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { deflateRawSync, gzipSync } from "node:zlib";

import { decode, encode } from "../web/share.js";
import { serve } from "./serve.mjs";

const { CHROMIUM = "/usr/bin/chromium", NODE_TOOLS, BOOK } = process.env;
const require = createRequire(join(resolve(NODE_TOOLS), "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const book = resolve(BOOK);
const built = (file) => readFileSync(join(book, "playground", file));
const pictures = join(book, "..", "playground", "pictures");
const TOKEN = `dt0c01.${"A".repeat(24)}.${"B".repeat(64)}`;

let browser;
let site;
before(async () => {
  mkdirSync(pictures, { recursive: true });
  site = await serve(book);
  // A container's root has no sandbox.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  browser = await chromium.launch({ executablePath: CHROMIUM, args });
});
after(async () => {
  await browser?.close();
  site?.server.close();
});

/** A page in which nothing may go wrong; `close` fails where something did. */
async function open(hash = "", options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const page = await context.newPage();
  const faults = [];
  page.on("console", (message) => message.type() !== "log" && faults.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => faults.push(error.message));
  context.on("request", (request) => new URL(request.url()).origin === site.base || request.url().startsWith("blob:") || faults.push(`asks ${request.url()}`));
  await page.goto(`${site.base}/playground/${hash}`);
  const close = async () => {
    await context.close();
    assert.deepEqual(faults, []);
  };
  return { page, context, close, faults };
}

/** Waits until the verdict is told, and gives it. */
async function verdict(page, expected) {
  await page.waitForFunction((text) => document.getElementById("summary").textContent.includes(text), expected, { timeout: 15_000 });
  return page.textContent("#summary");
}

const type = async (page, editor, text) => {
  await page.click(`#${editor}-editor .cm-content`);
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(text);
};

const said = (page, expected) => page.waitForFunction((text) => document.getElementById("said").textContent.includes(text), expected);

/** What the page shows of a case, as the command would say it. */
async function shown(page) {
  const shown = await page.evaluate(() => ({
    verdicts: [...document.querySelectorAll("#reviewed article")].map((one) => [one.querySelector("h3").textContent, one.querySelector(".verdict").className.split(" ")[1]]),
    findings: [...document.querySelectorAll("#reviewed li")].map((one) => [one.querySelector("strong + *").textContent, Number(one.querySelector("button").textContent.slice("line ".length))]),
    hasRepair: !document.getElementById("repair-bar").hidden,
  }));
  let repaired = null;
  if (shown.hasRepair) {
    await page.click("#copy");
    await said(page, "copied");
    repaired = await page.evaluate(() => navigator.clipboard.readText());
  }
  return { verdicts: shown.verdicts, findings: shown.findings, repaired };
}

test("shows what the command says, in a link for each of some cases", async () => {
  const groups = JSON.parse(readFileSync(join(book, "..", "playground", "cases.json"), "utf8"));
  const cases = groups.flatMap((group) => group.cases).filter(({ panes, expected }) => panes.secrets === "" && expected.unreadable === null && expected.verdicts.length > 0);
  assert.ok(cases.length > 200);
  const { page, close } = await open();
  await verdict(page, "1 pipeline");
  let count = 0;
  for (const { name, panes, expected } of cases.filter((_, index) => index % 12 === 0)) {
    await page.goto("about:blank");
    await page.goto(`${site.base}/playground/${await encode(panes)}`);
    await said(page, "panes of the link");
    await verdict(page, `${expected.verdicts.length} pipeline`);
    const { verdicts, findings, repaired } = await shown(page);
    assert.deepEqual(verdicts, expected.verdicts, name);
    assert.deepEqual(findings, expected.findings.map(({ rule, line }) => [rule || "policy", line]), name);
    assert.equal(repaired ?? panes.pipelines, expected.repaired, name);
    count += 1;
  }
  console.log(`browser: ${count} cases shown as the command says them`);
  assert.ok(count >= 12);
  await close();
});

test("runs the very module, and says which one", async () => {
  const { page, close } = await open();
  const sha256 = createHash("sha256").update(readFileSync(join(book, "../../annotated-policy.wasm"))).digest("hex");
  await page.waitForFunction((text) => document.getElementById("about").textContent.includes(text), sha256);
  const served = await page.evaluate(async () => (await (await fetch("policy.wasm")).arrayBuffer()).byteLength);
  assert.equal(served, readFileSync(join(book, "../../annotated-policy.wasm")).length);
  await close();
});

test("follows what is typed, and keeps the last verdict while the YAML is broken", async () => {
  const { page, close } = await open("#example=09-traces-without-prefix");
  await verdict(page, "1 pipeline: repaired, 1 finding.");
  const text = JSON.parse(built("examples.json")).find(({ name }) => name === "09-traces-without-prefix").pipelines;
  await type(page, "pipelines", text.replace("protocol: http", "protocol: grpc"));
  await verdict(page, "rejected");
  assert.equal(new URL(page.url()).hash, "", "the address still names the example");
  await type(page, "pipelines", text.replace("endpoint:", "endpoint: ["));
  await verdict(page, "The text cannot be read. The verdict below is the last one.");
  assert.match(await page.textContent("#troubles"), /^line \d+: not valid YAML/);
  assert.equal(await page.locator("#reviewed.stale .rejected").count(), 1);
  await page.waitForSelector("#pipelines .cm-lint-marker-error");
  await type(page, "pipelines", "# nothing");
  await verdict(page, "There is no pipeline that the policy reviews.");
  assert.equal(await page.locator("#reviewed article").count(), 0);
  await close();
});

test("shows what settings, mode, mutating, stored objects and Secrets change", async () => {
  const { page, close } = await open("#example=09-traces-without-prefix");
  await verdict(page, "repaired");
  await page.selectOption("#mode", "validate");
  await verdict(page, "rejected");
  await page.selectOption("#mode", "");
  await page.selectOption("#mutating", "false");
  await page.waitForFunction(() => document.getElementById("reviewed").textContent.includes("not allow mutations"));
  await page.selectOption("#mutating", "");
  await type(page, "settings", "mod: repair");
  await verdict(page, "The settings are not valid");
  assert.match(await page.textContent("#settings-trouble"), /unknown field mod, expected/);
  const policy = ["apiVersion: policies.kubewarden.io/v1", "kind: ClusterAdmissionPolicy", "spec: {mutating: false, settings: {mode: validate}}"];
  await type(page, "settings", policy.join("\n"));
  await verdict(page, "rejected");
  assert.equal(await page.textContent("#settings-trouble"), "");
  await page.click("#stored summary");
  await type(page, "stored", JSON.parse(built("examples.json")).find(({ name }) => name === "09-traces-without-prefix").pipelines);
  await verdict(page, "accepted");
  // Only what is accepted and changes something is looked at.
  await page.selectOption("#example", "01-traces-direct");
  await verdict(page, "accepted, 0 findings");
  assert.equal(await page.textContent("#settings-editor .cm-content"), "");
  await page.click("#secrets summary");
  await type(page, "secrets", "apiVersion: v1\nkind: Secret\nmetadata: {name: other, namespace: dynatrace}");
  await page.waitForFunction(() => document.getElementById("reviewed").textContent.includes("secret-not-found"));
  await type(page, "secrets", "kind: Secret\n- no");
  await page.waitForSelector("#secrets ul:not([hidden])");
  await close();
});

test("shares by a link that gives the panes back", async () => {
  const { page, context, close } = await open("#example=wrong-otlp-path");
  await verdict(page, "1 pipeline");
  await type(page, "settings", "mode: validate # 😀 ä");
  await page.selectOption("#mutating", "false");
  await page.click("#secrets summary");
  await type(page, "secrets", "apiVersion: v1\nkind: Secret\nmetadata: {name: geheim}\nstringData: {key: verborgen}");
  await page.waitForTimeout(400);
  const before = await page.textContent("#reviewed");
  await page.click("#share");
  await said(page, "The link is copied. The Secrets are not in it.");
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(link, await page.inputValue("#link"));
  assert.equal(link, page.url());
  const panes = await decode(new URL(link).hash);
  assert.doesNotMatch(JSON.stringify(panes), /geheim|verborgen/);
  const other = await context.newPage();
  await other.goto(link);
  await said(other, "panes of the link");
  assert.equal(await other.inputValue("#mutating"), "false");
  assert.equal(await other.textContent("#settings-editor .cm-content"), "mode: validate # 😀 ä");
  await verdict(other, "1 pipeline");
  assert.notEqual(before, "");
  await close();
});

test("refuses to share a token, and text of which nobody knows", async () => {
  const { page, close } = await open("#example=01-traces-direct");
  await verdict(page, "accepted");
  const text = JSON.parse(built("examples.json")).find(({ name }) => name === "01-traces-direct").pipelines;
  const refused = {
    "a token in a comment": `${text}# ${TOKEN}\n`,
    "a token, percent-encoded": `${text}# ${TOKEN.replaceAll(".", "%2e")}\n`,
    "a header's value": text.replace("headers:\n", "headers:\n        - {name: X-Other, value: something}\n"),
    "a Secret": `${text}---\napiVersion: v1\nkind: Secret\nmetadata: {name: a}\n`,
    "broken YAML": `${text}[\n`,
  };
  for (const [name, text] of Object.entries(refused)) {
    await type(page, "pipelines", text);
    await page.waitForTimeout(500);
    await page.click("#share");
    await said(page, "Not shared");
    assert.equal(new URL(page.url()).hash, "", name);
    assert.equal(await page.isHidden("#link"), true, name);
  }
  for (const editor of ["settings", "stored"]) {
    await type(page, "pipelines", text);
    if (editor === "stored") await page.click("#stored summary");
    await type(page, editor, `# ${TOKEN}`);
    await page.waitForTimeout(500);
    await page.click("#share");
    await said(page, "Not shared: a token");
    await type(page, editor, "");
  }
  // At once after typing: the verdict on it is not there yet.
  await type(page, "pipelines", `${text}# ${TOKEN}\n`);
  await page.evaluate(() => document.getElementById("share").click());
  await said(page, "Not shared");
  assert.doesNotMatch(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])), /dt0/);
  await close();
});

test("says what is wrong with a link", async () => {
  const link = (state) => `#s=${deflateRawSync(typeof state === "string" ? state : JSON.stringify(state)).toString("base64url")}`;
  const wrong = {
    [link({ v: 1, pipelines: "kind: X" }).slice(0, -9)]: "broken",
    "#s=%%%": "broken",
    "#s=!!!": "broken",
    "#s=": "broken",
    [link("no JSON")]: "cannot be read",
    [link("null")]: "another version",
    [link({ v: 99, pipelines: "x" })]: "another version",
    [link({ v: 1, pipelines: "a".repeat(2 << 20) })]: "too much",
    "#example=none": "There is no example",
  };
  for (const [hash, expected] of Object.entries(wrong)) {
    const { page, close } = await open(hash);
    await said(page, expected);
    await verdict(page, "1 pipeline");
    await close();
  }
  // What is in a link is text, and settings that are none are passed over.
  const { page, close } = await open(link({ v: 1, pipelines: "<img src=x onerror=alert(1)>", mode: "<b>", mutating: "x", settings: 3 }));
  await said(page, "panes of the link");
  assert.equal(await page.inputValue("#mode"), "");
  await close();
  const noise = Array.from({ length: 3000 }, (_, index) => createHash("sha256").update(String(index)).digest("hex")).join("\n");
  await assert.rejects(encode({ pipelines: noise }), /The link would have \d+ characters/);
});

test("works without a network from the second visit on", async () => {
  const { page, context, close } = await open("#example=09-traces-without-prefix");
  await verdict(page, "repaired");
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await context.setOffline(true);
  site.server.close();
  site.server.closeAllConnections();
  await page.reload();
  await verdict(page, "repaired");
  await type(page, "pipelines", "# nothing");
  await verdict(page, "no pipeline");
  await close();
  site = await serve(book);
});

test("is used by keyboard alone", async () => {
  const { page, close } = await open("#example=08b-metrics-endpoint-only");
  await verdict(page, "4 findings");
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.getAttribute("aria-label") || document.activeElement.textContent);
  const reach = async (wanted) => {
    for (let tries = 0; tries < 60; tries += 1) {
      if ((await focused()).startsWith(wanted)) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`Tab does not lead to ${wanted}`);
  };
  await page.evaluate(() => document.body.focus());
  await reach("Pipelines, as YAML");
  await page.keyboard.press("F8");
  await page.waitForSelector("#pipelines .cm-tooltip-lint, #pipelines .cm-panel-lint, #pipelines .cm-selectionBackground, #pipelines .cm-focused");
  await page.keyboard.type("# ");
  await page.keyboard.press("Control+z");
  await reach("Settings");
  const lines = await page.locator("#reviewed button").allTextContents();
  assert.equal(lines.length, 4);
  for (const _ of lines) {
    await reach("line ");
    await page.keyboard.press("Enter");
    assert.equal(await focused(), "Pipelines, as YAML");
    await page.keyboard.press("Tab");
  }
  await reach("take");
  await page.keyboard.press("Enter");
  await verdict(page, "accepted, 1 finding");
  await reach("example");
  await close();
});

test("has no violation that axe finds, in light and dark, wide and narrow", async () => {
  const states = {
    rejected: ["#example=04a-metrics-direct-istio"],
    repaired: ["#example=08b-metrics-endpoint-only"],
    looked: ["#example=secret-endpoint"],
    broken: ["#example=01-traces-direct", (page) => type(page, "pipelines", "a: [")],
    settings: ["#example=01-traces-direct", (page) => type(page, "settings", "mod: x")],
  };
  let count = 0;
  for (const colorScheme of ["light", "dark"]) {
    for (const [name, [hash, act]] of Object.entries(states)) {
      for (const width of [1280, 390]) {
        const { page, close } = await open(hash, { colorScheme, viewport: { width, height: 850 } });
        await verdict(page, "1 pipeline");
        for (const part of width === 390 ? ["policy", "verdict", "repair", "pipelines"] : [null]) {
          if (part) await page.click(`[data-shows=${part}]`);
          if (act && (part === null || part === { broken: "pipelines", settings: "policy" }[name])) {
            await act(page);
            await page.waitForTimeout(600);
          }
          await page.evaluate(axe);
          const { violations, passes } = await page.evaluate(() => window.axe.run());
          assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), [], `${name}, ${colorScheme}, ${width}, ${part}`);
          assert.ok(passes.length > 15);
          count += 1;
          const wide = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
          assert.ok(wide[0] <= wide[1], `${name}, ${part}: ${wide}`);
          await page.screenshot({ path: join(pictures, `${name}-${colorScheme}-${width}${part ? `-${part}` : ""}.png`), fullPage: true });
        }
        await close();
      }
    }
  }
  console.log(`browser: ${count} states without a violation`);
});

test("finds what axe is there to find", async () => {
  const { page, close } = await open();
  await verdict(page, "1 pipeline");
  await page.evaluate(() => document.getElementById("mode").closest("label").replaceWith(document.getElementById("mode")));
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run());
  assert.deepEqual(violations.map(({ id }) => id), ["select-name"]);
  await close();
});

test("can send nothing anywhere, the worker neither", async () => {
  const { page, context } = await open();
  await verdict(page, "1 pipeline");
  const asked = [];
  context.on("request", (request) => asked.push(request.url()));
  const send = () => fetch("https://example.com/").then(() => "sent", (error) => error.message);
  assert.match(await page.evaluate(send), /Failed to fetch/);
  const [worker] = page.workers();
  assert.match(await worker.evaluate(send), /Failed to fetch|violates/);
  // Refused before it was asked for, not for want of a network.
  assert.deepEqual(asked.filter((url) => !url.startsWith(site.base)), []);
  assert.equal(await worker.evaluate(() => fetch("http://localhost/").then(() => "sent", () => "refused")), "refused");
  await context.close();
});

test("is opened from each example on a rule's page", async () => {
  const { page, close } = await open();
  await verdict(page, "1 pipeline");
  await page.goto(`${site.base}/rules/cumulative-metrics.html`);
  const links = page.locator("a.open-in-playground");
  assert.equal(await links.count(), await page.locator("code.language-yaml").count());
  await links.nth(1).click();
  await verdict(page, "1 pipeline: rejected");
  assert.equal(await page.inputValue("#example"), "cumulative-metrics/2");
  await close();
});

test("keeps to its sizes, and tells the times", async () => {
  const size = (...files) => files.reduce((sum, file) => sum + gzipSync(built(file), { level: 9 }).length, 0);
  const sizes = { script: size("main.js", "worker.js", "sw.js"), page: size("index.html", "page.css"), policy: size("policy.wasm"), module: size("page.wasm"), examples: size("examples.json") };
  console.log(`browser: gzip bytes ${JSON.stringify(sizes)}, in all ${Object.values(sizes).reduce((sum, each) => sum + each)}`);
  assert.ok(sizes.script <= 125_000 && sizes.page <= 6_000 && sizes.module <= 340_000, JSON.stringify(sizes));
  const { page, close } = await open("#example=09-traces-without-prefix");
  await verdict(page, "repaired");
  const first = await page.evaluate(() => performance.getEntriesByName("check")[0]);
  for (let index = 0; index < 20; index += 1) {
    await page.click("#pipelines-editor .cm-content");
    await page.keyboard.press("Control+Home");
    await page.keyboard.type("#");
    await page.waitForFunction((count) => performance.getEntriesByName("check").length > count, index + 1);
  }
  const times = await page.evaluate(() => performance.getEntriesByName("check").slice(1).map(({ duration }) => duration));
  times.sort((one, other) => one - other);
  console.log(`browser: first verdict ${(first.startTime + first.duration).toFixed(0)} ms after the page was asked for, its check ${first.duration.toFixed(1)} ms; ${times.length} further ones, median ${times[times.length >> 1].toFixed(1)} ms, slowest ${times.at(-1).toFixed(1)} ms`);
  await close();
});
