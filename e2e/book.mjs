// Every link between the pages of the built book leads to a page, and to a heading that it has. With the playground in it, each
// example of a rule's page is one of its own.
import { readdirSync, readFileSync, existsSync, statSync } from "node:fs";
import { dirname, join, resolve, relative } from "node:path";

const book = resolve(process.argv[2]);
const pages = readdirSync(book, { recursive: true }).filter((file) => file.endsWith(".html"));
const ids = new Map(pages.map((page) => {
  const html = readFileSync(join(book, page), "utf8");
  return [join(book, page), new Set([...html.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]))];
}));
const playground = join(book, "playground/index.html");
const examples = new Set(JSON.parse(readFileSync(join(book, "playground/examples.json"), "utf8")).map(({ name }) => name));
let count = 0;
const broken = [];
for (const page of pages) {
  // The page of all pages, and the one that is shown anywhere, have links of their own making.
  if (["print.html", "404.html", "toc.html"].includes(page)) continue;
  const html = readFileSync(join(book, page), "utf8");
  for (const [, link] of html.matchAll(/ (?:href|src)="([^"]+)"/g)) {
    if (/^(https?:|data:|mailto:)/.test(link)) continue;
    const [path, anchor] = decodeURIComponent(link).split("#");
    const target = path ? resolve(book, dirname(page), path) : join(book, page);
    const file = existsSync(target) && statSync(target).isDirectory() ? join(target, "index.html") : target;
    const isThere = file === playground ? (name) => examples.has(name.replace(/^example=/, "")) : (id) => !ids.has(file) || ids.get(file).has(id);
    count += 1;
    if (!existsSync(file) || relative(book, file).startsWith("..")) broken.push(`${page}: ${link}`);
    else if (anchor && !isThere(anchor)) broken.push(`${page}: ${link}: no such heading`);
  }
}
// The links that docs/try.js makes.
let tried = 0;
for (const page of pages.filter((page) => page.startsWith("rules/"))) {
  const rule = page.slice("rules/".length, -".html".length);
  const found = [...readFileSync(join(book, page), "utf8").matchAll(/<code class="language-yaml (?:accepted|warned|repaired|rejected)"/g)];
  for (const index of found.keys()) {
    tried += 1;
    if (!examples.has(`${rule}/${index + 1}`)) broken.push(`${page}: example ${index + 1} is not in the playground`);
  }
}
if ([...examples].filter((name) => name.includes("/")).length !== tried) broken.push(`${tried} examples on the pages, not as many in the playground`);
console.log(`book: ${pages.length} pages, ${count} links between them and ${tried} to examples in the playground, ${broken.length} broken`);
for (const line of broken) console.error(line);
process.exit(broken.length || count < 100 || tried < 30 ? 1 : 0);
