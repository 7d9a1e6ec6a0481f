// On a rule's page: a link at each example that opens it in the playground, which lies beside the book.
const rule = /\/rules\/([a-z-]+)\.html$/.exec(location.pathname)?.[1];
if (rule) {
  const examples = ["accepted", "warned", "repaired", "rejected"].map((expected) => `pre > code.language-yaml.${expected}`);
  document.querySelectorAll(examples.join()).forEach((code, index) => {
    const link = document.createElement("a");
    link.href = `../playground/index.html#example=${rule}/${index + 1}`;
    link.className = "open-in-playground";
    link.textContent = "Try it in the browser";
    code.parentElement.after(link);
  });
}
