// The little of Markdown that answers mostly use: fenced code, inline code, bold. It makes elements and text nodes,
// never HTML from text, so an answer can't bring markup of its own.

const FENCE = /```[^\n]*\n([\s\S]*?)(?:```|$)/g;
const INLINE = /`([^`\n]+)`|\*\*([^*\n]+)\*\*/g;

export function render(text) {
  return split(text, FENCE, renderInline, (match) => {
    const block = document.createElement("pre");
    block.append(element("code", match[1].replace(/\n$/, "")));
    return block;
  });
}

function renderInline(text) {
  const plain = (rest) => [document.createTextNode(rest)];
  return split(text, INLINE, plain, (match) =>
    match[1] === undefined ? element("strong", match[2]) : element("code", match[1]),
  );
}

function split(text, pattern, between, inside) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > end) nodes.push(...between(text.slice(end, match.index)));
    nodes.push(inside(match));
    end = match.index + match[0].length;
  }
  if (end < text.length) nodes.push(...between(text.slice(end)));
  return nodes;
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
