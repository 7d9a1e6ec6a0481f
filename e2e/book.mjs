// Every link between the pages of the built book leads to a page, and to a heading that it has.
import { readdirSync, readFileSync, existsSync, statSync } from "node:fs";
import { dirname, join, resolve, relative } from "node:path";

const book = resolve(process.argv[2]);
const pages = readdirSync(book, { recursive: true }).filter((file) => file.endsWith(".html"));
const ids = new Map(pages.map((page) => {
  const html = readFileSync(join(book, page), "utf8");
  return [join(book, page), new Set([...html.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]))];
}));
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
    count += 1;
    if (!existsSync(file) || relative(book, file).startsWith("..")) broken.push(`${page}: ${link}`);
    else if (anchor && ids.has(file) && !ids.get(file).has(anchor)) broken.push(`${page}: ${link}: no such heading`);
  }
}
console.log(`book: ${pages.length} pages, ${count} links between them, ${broken.length} broken`);
for (const line of broken) console.error(line);
process.exit(broken.length || count < 100 ? 1 : 0);
