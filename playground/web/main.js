// The page: panes in, verdict, findings and repair out.
import { diff, editor } from "./editor.js";
import { reviewer } from "./reviewer.js";
import { decode, encode } from "./share.js";
import { element, located, reviewed, summary, words } from "./verdict.js";

/** What is shown first. */
const FIRST = "04a-metrics-direct-istio";
/** A pause in typing, in milliseconds, after which is checked. */
const PAUSE = 150;
/** Longer texts are not checked. */
const MAX_TEXT = 1 << 20;

const at = (id) => document.getElementById(id);
const say = (text) => { at("said").textContent = text; };

const editors = {
  pipelines: editor(at("pipelines-editor"), "Pipelines, as YAML", changed),
  settings: editor(at("settings-editor"), "Settings of the policy, as YAML", changed),
  stored: editor(at("stored-editor"), "What is stored already, as YAML", changed),
  secrets: editor(at("secrets-editor"), "Secrets, as YAML", changed),
};
const repair = diff(at("repair-editor"), "The repaired text, with what is changed");

let examples = [];
let latest = null;
let timer = 0;
let isFilling = false;

const panes = () => ({
  ...Object.fromEntries(Object.entries(editors).map(([name, { text }]) => [name, text])),
  mode: at("mode").value || null,
  mutating: at("mutating").value === "" ? null : at("mutating").value === "true",
});

const review = reviewer({
  ready({ sha256, bytes }) {
    at("about").textContent = `kyma-dynatrace-policy ${VERSION}, ${bytes} bytes, SHA-256 `;
    at("about").append(element("code", {}, sha256 || "(a page computes it over HTTPS only)"), ": the bytes of policy.wasm in the release, whose SHA256SUMS say the same.");
  },
  checked: show,
  failed: (message) => { at("summary").textContent = message; },
});

function changed() {
  if (isFilling) return;
  // What the address says is not what is in the panes any more.
  if (location.hash) history.replaceState(null, "", location.pathname);
  at("shared").hidden = true;
  at("example").value = "";
  say("");
  clearTimeout(timer);
  timer = setTimeout(check, PAUSE);
}

function check() {
  const input = panes();
  if (Object.values(editors).some(({ text }) => text.length > MAX_TEXT)) {
    at("summary").textContent = "A text is longer than a mebibyte, which is too much for this page. The command takes it.";
    at("reviewed").classList.add("stale");
    return;
  }
  review(input);
}

function show(output, input) {
  latest = { output, input };
  at("settings-trouble").replaceChildren(...words(output.unreadable ?? ""));
  for (const [name, troubles] of [["stored", output.storedTroubles], ["secrets", output.secretsTroubles]]) {
    const list = at(name).querySelector("ul");
    list.replaceChildren(...troubles.map((trouble) => element("li", {}, located(trouble))));
    list.hidden = troubles.length === 0;
  }
  const troubles = output.troubles.map((trouble) => element("li", { className: "trouble" }, located(trouble)));
  at("troubles").replaceChildren(...troubles);
  at("troubles").hidden = troubles.length === 0;
  const findings = output.pipelines.flatMap((pipeline) => pipeline.findings);
  const lines = output.troubles.filter(({ line }) => line).map((trouble) => ({ ...trouble, severity: "error" }));
  const places = findings.map(({ from, to, severity, rule, message, fix }) => (
    { from, to, severity: severity === "repair" ? "info" : severity, message: `${rule}: ${message}. Fix: ${fix}` }));
  editors.pipelines.mark([...lines, ...places]);
  showVerdict(output, findings);
  showRepair(output, input);
}

// While nothing can be read, the last verdict stays, marked as what it is.
function showVerdict(output, findings) {
  const isStale = output.unreadable !== null || (output.pipelines.length === 0 && output.troubles.length > 0);
  at("reviewed").classList.toggle("stale", isStale);
  const rest = at("reviewed").childElementCount > 0 ? " The verdict below is the last one." : "";
  const why = output.unreadable === null
    ? "The text cannot be read." : "The settings are not valid: in a cluster, the policy would not start.";
  at("summary").textContent = isStale ? why + rest : summary(output);
  if (isStale) return;
  const go = (from) => {
    showPart("pipelines");
    editors.pipelines.go(from);
  };
  at("reviewed").replaceChildren(...output.pipelines.map((pipeline) => reviewed(pipeline, go, declare)));
  document.querySelector('[data-shows="verdict"]').textContent = findings.length > 0 ? `Verdict (${findings.length})` : "Verdict";
}

/** Writes the settings in which an endpoint is declared as one of Dynatrace. */
function declare(settings) {
  editors.settings.text = settings;
  say("It is declared in the settings, as the policy's owner would do it in the cluster.");
}

function showRepair({ repaired, pipelines }, input) {
  const isWithheld = pipelines.some(({ verdict, findings }) => (
    verdict === "rejected" && findings.some(({ severity }) => severity === "repair")));
  const nothing = isWithheld
    ? "Fix the errors first: the policy repairs nothing in a pipeline that it rejects." : "There is nothing to repair.";
  at("repair-bar").hidden = repaired === null;
  at("repair-note").textContent = repaired === null
    ? nothing
    : "What the policy would set, and nothing else. In the cluster it does so by itself, where it is mutating and in repair mode.";
  document.querySelector('[data-shows="repair"]').textContent = repaired === null ? "Repair" : "Repair (1)";
  repair.show(input.pipelines, repaired);
}

/** Puts something else into all panes. */
function fill(next) {
  isFilling = true;
  for (const [name, pane] of Object.entries(editors)) pane.text = next[name] ?? "";
  isFilling = false;
  at("mode").value = next.mode ?? "";
  at("mutating").value = next.mutating === null || next.mutating === undefined ? "" : String(next.mutating);
  for (const name of ["stored", "secrets"]) at(name).open = editors[name].text !== "";
  at("shared").hidden = true;
  clearTimeout(timer);
  check();
}

/** The example with a name; for a rule, the first on its page that is not simply accepted. */
function example(name) {
  return examples.find((other) => other.name === name)
    ?? examples.find((other) => other.name.startsWith(`${name}/`) && other.expectation !== "accepted");
}

function fillExample(name) {
  const found = example(name);
  if (!found) return say(`There is no example “${name}”.`);
  fill(found);
  at("example").value = found.name;
  say("");
}

async function fillFromAddress() {
  const { hash } = location;
  if (hash.startsWith("#s=")) {
    try {
      fill(await decode(hash));
      at("example").value = "";
      say("These are the panes of the link.");
    } catch (error) {
      say(error.message);
      if (latest === null) fill(example(FIRST));
    }
  } else if (hash.startsWith("#example=")) {
    fillExample(hash.slice("#example=".length));
    if (editors.pipelines.text === "") fill(example(FIRST));
  } else if (latest === null) {
    fillExample(FIRST);
  }
}

async function share() {
  // The verdict on what is in the panes now: a token may have been typed a moment ago.
  const current = JSON.stringify(panes());
  if (latest === null || JSON.stringify(latest.input) !== current) return say("Not shared: the text is still being checked. Try again.");
  if (latest.output.unshareable) return say(`Not shared: ${latest.output.unshareable}.`);
  try {
    const fragment = await encode(panes());
    history.replaceState(null, "", fragment);
    at("link").value = location.href;
    at("shared").hidden = false;
    const left = editors.secrets.text === "" ? "" : " The Secrets are not in it.";
    const copied = await navigator.clipboard.writeText(location.href).then(() => true, () => false);
    say((copied ? "The link is copied." : "Copy the link from the field.") + left);
  } catch (error) {
    say(error.message);
  }
}

function showPart(name) {
  document.body.dataset.shown = name;
  for (const button of document.querySelectorAll("[data-shows]")) button.setAttribute("aria-pressed", button.dataset.shows === name);
}

function download() {
  const url = URL.createObjectURL(new Blob([latest.output.repaired], { type: "application/yaml" }));
  element("a", { href: url, download: "pipelines.yaml" }).click();
  URL.revokeObjectURL(url);
}

function offerExamples() {
  const option = ({ name, expectation }) => element("option", { value: name }, expectation ? `${name} (${expectation})` : name);
  const group = (label, list) => element("optgroup", { label }, ...list.map(option));
  at("example").replaceChildren(
    element("option", { value: "" }, "choose one"),
    group("Pipelines of the guide", examples.filter(({ expectation }) => expectation === null)),
    group("Pages of the rules", examples.filter(({ expectation }) => expectation !== null)));
}

function wire() {
  at("example").onchange = () => {
    if (at("example").value === "") return;
    history.replaceState(null, "", `#example=${at("example").value}`);
    fillExample(at("example").value);
  };
  at("mode").onchange = changed;
  at("mutating").onchange = changed;
  at("share").onclick = share;
  at("take").onclick = () => {
    editors.pipelines.text = latest.output.repaired;
    showPart("pipelines");
    editors.pipelines.go(0);
    say("The repaired text is in the editor.");
  };
  at("copy").onclick = () => navigator.clipboard.writeText(latest.output.repaired)
    .then(() => say("The repaired text is copied."), () => say("The browser does not allow copying: download it."));
  at("download").onclick = download;
  for (const button of document.querySelectorAll("[data-shows]")) button.onclick = () => showPart(button.dataset.shows);
  addEventListener("hashchange", fillFromAddress);
}

/** So that the page is there without a network from the second visit on. */
function keepOffline() {
  if (!navigator.serviceWorker) return;
  const hadOne = navigator.serviceWorker.controller !== null;
  navigator.serviceWorker.addEventListener("controllerchange", () => { at("newer").hidden = !hadOne; });
  // Some browsers refuse it in private windows, and everything but that works there.
  navigator.serviceWorker.register("sw.js").catch(() => {});
}

wire();
keepOffline();
examples = await (await fetch("examples.json")).json();
offerExamples();
await fillFromAddress();
