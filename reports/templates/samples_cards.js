// What one region looks like. Texts come from models and files: they are only ever set as text.

const SVG = "http://www.w3.org/2000/svg";
const CELL = 140;

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function drawing(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function visible(text) {
  // Control characters as their pictures, lone surrogates as what stands for them.
  return text
    .replace(/[\0-\x08\x0b-\x1f]/g, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)))
    .replaceAll("\x7f", "\u2421")
    .replace(/[\x80-\x9f]/g, "\ufffd")
    .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd");
}

function points(score) {
  return (score / 100).toFixed(2).replace("-0.00", "0.00");
}

function words(identifier) {
  const spelled = identifier.replaceAll("_", " ").replace(/\biou\b/, "IoU");
  return spelled[0].toUpperCase() + spelled.slice(1);
}

function shownText(piece, known = null) {
  // The text in a bdi, words that `known` lacks marked; long ones are cut until asked for.
  const whole = visible(piece.text);
  const box = element("bdi");
  const fill = (text) => {
    box.replaceChildren(...text.split(/([\s_]+)/).map((word) => {
      const strange = known && /[^\s_]/.test(word) && !known.has(word.toLowerCase());
      return strange ? element("mark", { textContent: word }) : word;
    }));
  };
  if (whole.length <= CELL) {
    fill(whole);
    return [box];
  }
  const left = piece.length ? piece.length - piece.text.length : 0;
  const rest = left ? ` (${left.toLocaleString("en")} more characters in the CSV)` : "";
  const more = element("button", { type: "button", className: "more", textContent: "show all" });
  box.textContent = `${whole.slice(0, CELL)}…`;
  more.addEventListener("click", () => {
    box.textContent = whole;
    box.classList.add("full");
    more.replaceWith(element("small", { textContent: rest }));
    // The text takes the keyboard's place from the button, and scrolls with it.
    box.tabIndex = 0;
    box.focus();
  });
  return [box, " ", more];
}

const NONE = { sign: "–", level: "none" };
const LEVELS = [{ sign: "✗", level: "wrong" }, { sign: "≈", level: "near" }, { sign: "✓", level: "right" }];

function levelOf(score) {
  if (score === NO_SCORE) return NONE;
  return LEVELS[(score > MOST / 2) + (score >= MOST)];
}

function badge(score) {
  const { sign, level } = levelOf(score);
  const mark = element("span", { textContent: `${sign} ` });
  mark.setAttribute("aria-hidden", "true");
  const value = score === NO_SCORE ? "no score" : points(score);
  return element("span", { className: `badge ${level}` }, mark, value);
}

function line(term, ...content) {
  return element("div", {}, element("dt", {}, ...term), element("dd", {}, ...content));
}

function bounds(path) {
  const box = path.getBBox();
  return [box.x, box.y, box.x + box.width, box.y + box.height];
}

function picture(entry, region, image, folder) {
  // The thumbnail, dimmed but for the region; a press comes closer to it.
  const [width, height] = [entry.width * 10, entry.height * 10];
  const outline = entry.outlines[region] ?? "";
  const whole = `0 0 ${width} ${height}`;
  const svg = drawing("svg", { viewBox: whole, "aria-hidden": "true" });
  if (entry.file) {
    const href = `${folder}/${encodeURIComponent(entry.file)}`;
    svg.append(drawing("image", { href, width, height, preserveAspectRatio: "none" }));
  } else {
    svg.append(drawing("rect", { class: "blank", width, height }));
  }
  const edge = drawing("path", { class: "line", d: outline });
  svg.append(
    drawing("path", { class: "shade", d: `M0 0h${width}v${height}h-${width}z${outline}` }),
    drawing("path", { class: "halo", d: outline }),
    edge,
  );
  const button = element("button", { type: "button", className: "shot" }, svg);
  button.setAttribute("aria-label", `Picture ${visible(image)}, come closer to the region`);
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => {
    const close = button.getAttribute("aria-pressed") === "false" && outline !== "";
    button.setAttribute("aria-pressed", String(close));
    if (!close) return svg.setAttribute("viewBox", whole);
    const [left, top, right, bottom] = bounds(edge);
    const side = Math.max(right - left, bottom - top, 120) * 1.5;
    const [x, y] = [(left + right - side) / 2, (top + bottom - side) / 2];
    return svg.setAttribute("viewBox", `${x} ${y} ${side} ${side}`);
  });
  return button;
}

function shardOf(image, shards) {
  // FNV-1a of the id's UTF-16 units.
  let found = 0x811c9dc5;
  for (let at = 0; at < image.length; at += 1) found = Math.imul(found ^ image.charCodeAt(at), 0x01000193) >>> 0;
  return found % shards;
}

async function pictureOf(suite, found) {
  if (!suite.shards) return null;
  const number = String(shardOf(found.image, suite.shards)).padStart(4, "0");
  const shard = await load(`${suite.folder}/outlines-${number}.js`);
  const entry = shard.pictures[found.image];
  return entry ? picture(entry, found.region, found.image, suite.folder) : null;
}

function answerLine(run, at, found, term, known) {
  const status = run.statuses[run.status[at]];
  const said = status === "answered" ? shownText(found.answer, known) : [element("em", { textContent: status })];
  if (status !== "answered" && found.answer.text) said.push(" ", ...shownText(found.answer));
  const named = run.predicted ? run.categories[run.predicted[at]] : undefined;
  if (named !== undefined && named !== found.answer.text) {
    said.push(element("small", {}, " → ", element("bdi", { textContent: visible(named) })));
  }
  return line([term, " ", badge(run.scores[at])], ...said);
}

function furtherScores(run, found) {
  const told = run.metrics.slice(1).map((metric, at) => {
    const score = found.scores[at + 1];
    return `${words(metric)} ${score === null ? "–" : points(score)}`;
  });
  return told.join(" · ");
}

function place(found) {
  // Many region ids begin with their image's.
  const region = element("bdi", { textContent: visible(found.region) });
  if (found.region.startsWith(found.image)) return [region];
  return [region, " in ", element("bdi", { textContent: visible(found.image) })];
}

async function card(run, other, suite, at) {
  const [found, second] = await Promise.all([run.region(at), other ? other.region(at) : null]);
  const known = new Set(found.reference.text.toLowerCase().split(/[\s_]+/));
  const facts = element("dl", {}, line(["Reference"], ...shownText(found.reference)));
  facts.append(answerLine(run, at, found, other ? visible(run.model) : "Answer", known));
  if (other) facts.append(answerLine(other, at, second, visible(other.model), known));
  const frame = element("div", { className: "frame" });
  const made = element("article", { className: "card" }, frame, facts);
  const further = furtherScores(run, found);
  const whose = other ? `${visible(run.model)}: ` : "";
  if (further) made.append(element("p", { className: "meta", textContent: whose + further }));
  made.append(element("p", { className: "meta" }, ...place(found)));
  made.setAttribute("role", "listitem");
  pictureOf(suite, found).then(
    (drawn) => (drawn ? frame.replaceChildren(drawn) : frame.remove()),
    (error) => { frame.textContent = error.message; },
  );
  return made;
}
