// What is said of the pipelines, as elements.

/** An element with attributes and children; texts become text, never markup. */
export function element(name, attributes = {}, ...children) {
  const made = Object.assign(document.createElement(name), attributes);
  made.append(...children.filter((child) => child !== null));
  return made;
}

const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

/** All verdicts in a sentence, for those who listen too. */
export function summary({ pipelines, passedOver, troubles }) {
  const findings = pipelines.flatMap((pipeline) => pipeline.findings);
  const of = (verdict) => pipelines.filter((pipeline) => pipeline.verdict === verdict).length;
  const verdicts = ["rejected", "repaired", "accepted"].filter((verdict) => of(verdict) > 0);
  const told = pipelines.length === 1 ? verdicts.join() : verdicts.map((verdict) => `${of(verdict)} ${verdict}`).join(", ");
  const parts = [];
  if (pipelines.length > 0) parts.push(`${count(pipelines.length, "pipeline")}: ${told || "no verdict"}, ${count(findings.length, "finding")}.`);
  else if (troubles.length === 0) parts.push("There is no pipeline that the policy reviews.");
  const unrecognized = pipelines.filter((pipeline) => pipeline.isUnrecognized).length;
  if (unrecognized > 0) parts.push(`${unrecognized === pipelines.length ? "Not" : `${unrecognized} of them not`} recognised as shipping to Dynatrace.`);
  if (passedOver > 0) parts.push(`${count(passedOver, "other object")} passed over.`);
  if (troubles.length > 0) parts.push(`${count(troubles.length, "problem")} with the text, below.`);
  return parts.join(" ");
}

const VERDICTS = {
  accepted: "accepted as it is",
  repaired: "accepted, and repaired by the policy",
  rejected: "rejected",
};

/**
 * A pipeline with its findings.
 * @param {object} pipeline
 * @param {(from: number) => void} go called to show a place
 * @param {(settings: string) => void} declare called to write settings
 */
export function reviewed(pipeline, go, declare) {
  const hasWarning = pipeline.verdict === "accepted" && pipeline.findings.length > 0;
  const isUnjudged = pipeline.verdict === "accepted" && pipeline.isUnrecognized && !hasWarning;
  const accepted = isUnjudged ? "not recognised as a pipeline for Dynatrace: accepted, and not checked as one" : VERDICTS[pipeline.verdict];
  const verdict = hasWarning ? "accepted, with a warning" : (accepted ?? "no verdict");
  const findings = pipeline.findings.map((finding) => item(finding, go));
  return element("article", {},
    element("h3", {}, pipeline.title),
    element("p", { className: `verdict ${pipeline.verdict}${isUnjudged ? " unjudged" : ""}` }, verdict),
    pipeline.isUnrecognized ? unrecognized(pipeline, declare) : null,
    findings.length > 0 ? element("ul", {}, ...findings) : null,
    pipeline.omitted > 0 ? element("p", {}, `${count(pipeline.omitted, "more finding")} not listed.`) : null);
}

// What to declare, and a button that does it.
function unrecognized({ declare: endpoint, settings }, declare) {
  const what = endpoint?.secret
    ? [" the Secret ", element("code", {}, `${endpoint.secret.namespace}/${endpoint.secret.name}`), " with its key ", element("code", {}, endpoint.secret.endpointKey)]
    : endpoint?.host ? [" the host ", element("code", {}, endpoint.host)] : [" its host or Secret"];
  const button = settings
    ? element("button", { type: "button", className: "declare", onclick: () => declare(settings) }, "Declare it in the settings") : null;
  return element("p", { className: "unrecognized" },
    "If it ships to Dynatrace, declare", ...what, " in the policy's settings (",
    element("a", { href: "../recognised.html" }, "how pipelines are recognised"), "). ", button);
}

function item(finding, go) {
  const line = element("button", { type: "button", onclick: () => go(finding.from) }, `line ${finding.line}`);
  const page = { href: `../rules/${finding.rule}.html`, textContent: finding.rule };
  const rule = finding.link ? element("a", page) : element("span", { textContent: finding.rule || "policy" });
  const word = finding.severity;
  return element("li", {},
    element("strong", { className: word }, word), " ", rule, " ", line, " ", ...words(finding.message),
    finding.fix ? element("span", { className: "fix" }, "Fix: ", ...words(finding.fix)) : null);
}

/** A text whose words in backticks are code, as in the documentation. */
export const words = (text) => text.split(/`([^`]*)`/).map((part, index) => (index % 2 === 1 ? element("code", {}, part) : part));

/** A sentence with the line it is about. */
export const located = ({ line, message }) => (line ? `line ${line}: ${message}` : message);
