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

function sortBy(table, header, at) {
  const kind = header.dataset.sort;
  const before = header.getAttribute("aria-sort");
  const [first, second] =
    kind === "number" ? ["descending", "ascending"] : ["ascending", "descending"];
  const order = before === first ? second : first;
  for (const other of table.tHead.querySelectorAll("[aria-sort]")) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", order);
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
    const at = columnOf(table.tHead, header);
    button.type = "button";
    button.append(...header.childNodes);
    button.addEventListener("click", () => sortBy(table, header, at));
    header.append(button);
  }
}

// What else a page's own script asks of a row before it is shown, by the form that filters it.
const rowTests = new WeakMap();

function filterRows(tools) {
  const table = document.getElementById(tools.dataset.for);
  const rows = [...table.tBodies[0].rows];
  const words = tools.querySelector("[type=search]").value.toLowerCase().split(/\s+/).filter(Boolean);
  const test = rowTests.get(tools) ?? (() => true);
  let shown = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !(words.every((word) => text.includes(word)) && test(row));
    shown += row.hidden ? 0 : 1;
  }
  const told = shown < rows.length ? `${shown} of ${rows.length} ${table.dataset.noun}` : "";
  tools.querySelector("output").value = told;
}

for (const tools of document.querySelectorAll(".tools")) {
  tools.addEventListener("input", () => filterRows(tools));
  tools.addEventListener("submit", (event) => event.preventDefault());
  tools.hidden = false;
}
