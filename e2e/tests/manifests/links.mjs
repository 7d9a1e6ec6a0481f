// The links in Kyma dashboard, evaluated as the dashboard evaluates them: JSONata, with each data source as a function.
import { createRequire } from "node:module";
import { execFileSync } from "node:child_process";
import test from "node:test";
import assert from "node:assert";

const require = createRequire(`${process.env.NODE_TOOLS}/`);
const jsonata = require("jsonata");
const yaml = require("js-yaml");

const manifest = execFileSync("kubectl", ["kustomize", "manifests/kyma-dashboard"], { encoding: "utf8" });
const extension = yaml.load(manifest);
const sources = Object.keys(yaml.load(extension.data.dataSources));
const links = yaml.load(extension.data.general).externalNodes.flatMap((node) => node.children);

const evaluate = (link, apiurl) => {
  const expression = jsonata(link);
  const secret = apiurl === undefined ? undefined : { data: { apiurl: Buffer.from(apiurl).toString("base64") } };
  for (const source of sources) expression.registerFunction(source, () => secret, "<:o>");
  return expression.evaluate({});
};

test("every link leads to the environment, without /api", async () => {
  assert.strictEqual(links.length, 4);
  for (const { label, link } of links) {
    const saas = await evaluate(link, "https://abc12345.live.dynatrace.com/api");
    assert.match(saas, /^https:\/\/abc12345\.live\.dynatrace\.com\/ui\/[a-z/]+$/, label);
    const managed = await evaluate(link, "https://dt.example.com/e/some-id/api");
    assert.match(managed, /^https:\/\/dt\.example\.com\/e\/some-id\/ui\/[a-z/]+$/, label);
  }
});

test("whoever may not read the Secret gets no address", async () => {
  for (const { link } of links) {
    const address = await evaluate(link, undefined);
    assert.ok(!String(address).startsWith("http"), address);
  }
});
