"use strict";
// The pages are complete without this script: it only sorts and filters what is already there.

const number = /(-?\d+(?:\.\d+)?)(?:\s([kMBT])\b)?/;
const units = { k: 1e3, M: 1e6, B: 1e9, T: 1e12 };

function columnOf(head, wanted) {
  // A head cell's column, counting the cells that span rows and columns.
  const taken = [];
  for (const [r, row] of [...head.rows].entries()) {
    let c = 0;
    for (const cell of row.cells) {
      while (taken[r]?.[c]) c += 1;
      if (cell === wanted) return c;
      for (let down = r; down < r + cell.rowSpan; down += 1) {
        taken[down] ??= [];
        for (let right = c; right < c + cell.colSpan; right += 1) taken[down][right] = true;
      }
      c += cell.colSpan;
    }
  }
  return -1;
}

function sortKey(cell, kind) {
  if (kind === "text") return cell.textContent.trim().toLowerCase();
  const found = cell.textContent.replaceAll(",", "").match(number);
  // "incomplete" and dashes hold no score, whatever counts stand below them.
  if (!found || cell.querySelector(".incomplete, .none")) return NaN;
  return Number(found[1]) * (units[found[2]] ?? 1);
}

function tier(cell, key) {
  if (Number.isNaN(key) || key === "") return 2;
  return cell.classList.contains("part") ? 1 : 0;
}

function sortBy(table, header) {
  const kind = header.dataset.sort;
  const before = header.getAttribute("aria-sort");
  const first = kind === "text" ? "ascending" : "descending";
  const second = kind === "text" ? "descending" : "ascending";
  const order = before === first ? second : first;
  for (const other of table.tHead.querySelectorAll("[aria-sort]")) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", order);
  const at = columnOf(table.tHead, header);
  const sign = order === "ascending" ? 1 : -1;
  for (const body of table.tBodies) {
    const keyed = [...body.rows].map((row) => {
      const cell = row.cells[at];
      const key = sortKey(cell, kind);
      return { row, key, tier: tier(cell, key) };
    });
    keyed.sort((a, b) => {
      if (a.tier !== b.tier) return a.tier - b.tier;
      if (kind === "text") return sign * a.key.localeCompare(b.key, "en", { numeric: true });
      return Number.isNaN(a.key) ? 0 : sign * (a.key - b.key);
    });
    body.append(...keyed.map(({ row }) => row));
  }
}

for (const table of document.querySelectorAll("table")) {
  for (const header of table.querySelectorAll("th[data-sort]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    button.addEventListener("click", () => sortBy(table, header));
    header.append(button);
  }
}

for (const tools of document.querySelectorAll(".tools")) {
  const table = document.getElementById(tools.dataset.for);
  const rows = [...table.tBodies[0].rows];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const search = tools.querySelector("[type=search]");
  const whole = tools.querySelector("[type=checkbox]");
  const told = tools.querySelector("output");
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, at) => {
      const fits = words.every((word) => texts[at].includes(word));
      row.hidden = !fits || Boolean(whole?.checked && row.classList.contains("qualified"));
      shown += row.hidden ? 0 : 1;
    });
    told.value = shown < rows.length ? `${shown} of ${rows.length} ${table.dataset.noun}` : "";
  };
  tools.addEventListener("input", filter);
  tools.addEventListener("submit", (event) => event.preventDefault());
  tools.hidden = false;
}
