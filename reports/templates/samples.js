// The page: choices in the form and in the address, a page of cards at a time.

const PER_PAGE = 60;
const NAMES = ["show", "category", "predicted", "against", "outcome", "order"];
const main = document.getElementById("main");
const form = document.getElementById("choices");
const cards = document.getElementById("cards");
const told = document.getElementById("told");
const warning = document.getElementById("unlike");
const bars = document.querySelectorAll(".pages");
const page = { run: null, others: new Map(), suite: { shards: 0, runs: [] }, regions: new Uint32Array(0), at: 0, drawn: 0 };

function choicesOf(text) {
  const given = new URLSearchParams(text.replace(/^#/, ""));
  const choices = Object.fromEntries(NAMES.map((name) => [name, given.get(name) ?? ""]));
  // What two runs differ in is looked at with the largest differences first.
  if (choices.against && !given.has("order")) choices.order = "difference";
  return { ...choices, page: Math.max(1, Number.parseInt(given.get("page") ?? "1", 10) || 1) };
}

function addressOf(choices) {
  const kept = new URLSearchParams();
  for (const name of NAMES) {
    const usual = name === "order" && choices.against ? "difference" : "";
    if (choices[name] !== usual) kept.set(name, choices[name]);
  }
  if (choices.page > 1) kept.set("page", choices.page);
  return `#${kept}`;
}

async function against(name) {
  const known = page.suite.runs.find((run) => run.stem === name);
  if (!known) return null;
  if (page.others.has(name)) return page.others.get(name);
  const other = await Run.open(`${main.dataset.root}${known.stem}.samples`);
  if (other.digest !== page.run.digest) throw new Error(`${known.run} was asked about other regions`);
  if (other.model === page.run.model) other.model += ` (${known.run.split("/").pop()})`;
  page.others.set(name, other);
  return other;
}

function scoredBy(run) {
  return `${visible(run.model)} by ${[words(run.metrics[0] ?? "no score"), run.protocol, run.encoder].filter(Boolean).map(visible).join(", ")}`;
}

function tell(from, to) {
  const total = page.regions.length;
  const count = (number) => number.toLocaleString("en");
  const all = total === page.run.count ? "" : `, ${count(page.run.count)} in all`;
  told.value = total
    ? `Regions ${count(from + 1)}–${count(to)} of ${count(total)}${all}`
    : "No region fits these choices.";
  for (const button of document.querySelectorAll("[data-go]")) {
    // Not disabled, which would drop the keyboard's place on the page.
    button.ariaDisabled = String(button.dataset.go === "1" ? to >= total : from === 0);
  }
}

async function show() {
  const choices = choicesOf(location.hash);
  const turn = (page.drawn += 1);
  cards.setAttribute("aria-busy", "true");
  for (const name of NAMES) form.elements[name].value = choices[name];
  try {
    const other = await against(choices.against);
    if (turn !== page.drawn) return;
    const apart = other ? unlike(page.run, other) : [];
    const comparable = other && apart.length === 0;
    document.getElementById("outcomes").hidden = !comparable;
    form.elements.order.querySelector("[value=difference]").hidden = !comparable;
    if (other && !comparable) form.elements.order.value = choices.order === "best" ? "best" : "";
    warning.hidden = apart.length === 0;
    warning.textContent = apart.length
      ? `Scored with another ${apart.join(" and ")}: ${scoredBy(page.run)}; ${scoredBy(other)}. The scores are not comparable; regions are shown where answers differ.`
      : "";
    page.regions = chosen(page.run, other, choices);
    const last = Math.max(1, Math.ceil(page.regions.length / PER_PAGE));
    page.at = Math.min(choices.page, last);
    const from = (page.at - 1) * PER_PAGE;
    const shown = page.regions.subarray(from, from + PER_PAGE);
    tell(from, from + shown.length);
    const made = await Promise.all(Array.from(shown, (at) => card(page.run, other, page.suite, at)));
    if (turn !== page.drawn) return;
    cards.replaceChildren(...made);
  } catch (error) {
    if (turn !== page.drawn) return;
    cards.replaceChildren(element("p", { className: "empty", textContent: error.message }));
  }
  cards.setAttribute("aria-busy", "false");
}

function choose(changes) {
  const choices = { ...choicesOf(location.hash), page: 1, ...changes };
  const address = addressOf(choices);
  if (address === (location.hash || "#")) return;
  history.replaceState(null, "", address);
  show();
}

function fillForm() {
  const { run, suite } = page;
  document.getElementById("categories").append(
    ...run.categories.map((name) => element("option", { value: name })),
  );
  document.getElementById("named").hidden = !run.predicted;
  const others = suite.runs.filter((known) => known.stem !== main.dataset.stem && known.regions === run.count);
  form.elements.against.append(
    ...others.map((known) => element("option", { value: known.stem, textContent: visible(`${known.model} (${known.run.split("/").pop()})`) })),
  );
  form.elements.against.disabled = others.length === 0;
  const licence = suite.licence ? `Pictures: ${suite.licence}. ` : "";
  document.getElementById("licence").textContent = visible(licence + (suite.note ?? ""));
  form.hidden = false;
  for (const bar of bars) bar.hidden = false;
}

async function begin() {
  const { index, suite } = main.dataset;
  try {
    const [run, shared] = await Promise.all([Run.open(index.replace(/\/index\.js$/, "")), suite ? load(suite) : null]);
    page.run = run;
    if (shared) page.suite = { ...shared, folder: suite.replace(/\/suite\.js$/, "") };
    fillForm();
    await show();
  } catch (error) {
    cards.replaceChildren(element("p", { className: "empty", textContent: error.message }));
    cards.setAttribute("aria-busy", "false");
  }
}

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("change", (event) => {
  const changes = { [event.target.name]: event.target.value };
  if (event.target.name === "against") Object.assign(changes, { outcome: "", order: event.target.value ? "difference" : "" });
  choose(changes);
});
let waiting = 0;
form.addEventListener("input", (event) => {
  if (event.target.type !== "search") return;
  clearTimeout(waiting);
  waiting = setTimeout(() => choose({ [event.target.name]: event.target.value }), 150);
});
for (const button of document.querySelectorAll("[data-go]")) {
  button.addEventListener("click", () => {
    if (button.ariaDisabled === "true") return;
    history.pushState(null, "", addressOf({ ...choicesOf(location.hash), page: page.at + Number(button.dataset.go) }));
    show();
    main.scrollIntoView();
  });
}
addEventListener("hashchange", show);
addEventListener("popstate", show);
begin();
