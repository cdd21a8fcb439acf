
// A family's table: rows by suite, protocol and size, columns to choose, and a copy for spreadsheets.
{
  const formula = /^[=+\-@＝＋－＠]/;
  const figure = /^-?\d[\d,]*(\.\d+)?( [kMBT])?$/;
  const interval = /^\[(-?[\d.]+), (-?[\d.]+)\]$/;
  const flat = (text) => text.replace(/\s+/g, " ").trim();

  // A number as a number; any other text so that no spreadsheet runs it, as in the CSV.
  const field = (text) => {
    const plain = flat(text);
    if (figure.test(plain)) {
      const [digits, unit] = plain.replaceAll(",", "").split(" ");
      return unit ? String(Math.round(Number(digits) * units[unit])) : digits;
    }
    const safe = formula.test(plain) ? `'${plain}` : plain;
    return safe.includes('"') ? `"${safe.replaceAll('"', '""')}"` : safe;
  };

  const columnsOf = (table) => {
    const groups = [...table.tHead.querySelectorAll("th.group")].map((head, at) => {
      const from = columnOf(table.tHead, head);
      const group = table.querySelectorAll("colgroup")[at + 1];
      return { head, group, from, to: from + head.colSpan, ...head.dataset };
    });
    for (const group of groups) {
      const alone = groups.every((other) => other === group || other.suite !== group.suite);
      group.called = flat((alone ? group.head.querySelector("bdi") : group.head).textContent);
    }
    return [...table.tHead.querySelectorAll("th[data-sort]")]
      .map((head) => {
        const at = columnOf(table.tHead, head);
        const own = groups.find((group) => group.from <= at && at < group.to);
        return { head, at, own, name: flat(head.textContent), chosen: true };
      })
      .sort((a, b) => a.at - b.at);
  };

  const showColumns = (table, columns, fits) => {
    for (const column of columns) {
      column.shown = column.chosen && fits(column.own);
      column.head.hidden = !column.shown;
    }
    for (const row of table.tBodies[0].rows) {
      for (const { at, shown } of columns) row.cells[at].hidden = !shown;
    }
    for (const own of new Set(columns.map((column) => column.own).filter(Boolean))) {
      const width = columns.filter((column) => column.own === own && column.shown).length;
      own.head.hidden = own.group.hidden = width === 0;
      own.head.colSpan = own.group.span = Math.max(1, width);
    }
  };

  const parts = (cell) => {
    const small = [...cell.querySelectorAll("small")].map((each) => flat(each.textContent));
    const lead = cell.cloneNode(true);
    for (const each of lead.querySelectorAll("small")) each.remove();
    const bounds = small.map((text) => text.match(interval)).find(Boolean);
    return {
      lead: lead.textContent,
      bounds: bounds ? bounds.slice(1) : ["", ""],
      remarks: small.filter((text) => !interval.test(text)).join("; "),
    };
  };

  const spreadsheet = (table, columns) => {
    const rows = [...table.tBodies[0].rows].filter((row) => !row.hidden);
    const fields = columns
      .filter(({ shown }) => shown)
      .flatMap(({ at, own, name }) => {
        const cells = rows.map((row) => parts(row.cells[at]));
        const called = own ? `${flat(own.head.textContent)}: ${name}` : name;
        const found = [[called, ...cells.map((cell) => cell.lead)]];
        if (cells.some((cell) => cell.bounds[0])) {
          found.push([`${called}, low`, ...cells.map((cell) => cell.bounds[0])]);
          found.push([`${called}, high`, ...cells.map((cell) => cell.bounds[1])]);
        }
        if (cells.some((cell) => cell.remarks)) {
          found.push([`${called}, remarks`, ...cells.map((cell) => cell.remarks)]);
        }
        return found;
      });
    const lines = [...Array(rows.length + 1).keys()];
    return lines.map((at) => fields.map((each) => field(each[at])).join("\t")).join("\n");
  };

  const copied = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Opened from a file, a page may have to copy the old way.
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      return done;
    }
  };

  const chooser = (menu, columns, changed) => {
    for (const column of columns.slice(1)) {
      const label = document.createElement("label");
      const box = document.createElement("input");
      const suite = column.own ? `${column.own.called}: ` : "";
      box.type = "checkbox";
      box.checked = true;
      box.addEventListener("change", () => {
        column.chosen = box.checked;
        changed();
      });
      label.append(box, ` ${suite}${column.name}`);
      menu.querySelector("fieldset").append(label);
    }
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
    document.addEventListener("click", (event) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  };

  for (const tools of document.querySelectorAll(".tools:has(.menu)")) {
    const table = document.getElementById(tools.dataset.for);
    const columns = columnsOf(table);
    const { suite, protocol, size, whole, published, copy } = tools.elements;
    const parameters = columns.find(({ head }) => head.dataset.is === "size");
    const picked = (own) =>
      (!suite?.value || own.suite === suite.value) &&
      (!protocol?.value || own.protocol === protocol.value);
    const arrange = () => {
      showColumns(table, columns, (own) => !own || picked(own));
      filterRows(tools);
    };
    rowTests.set(tools, (row) => {
      if (whole.checked && row.classList.contains("qualified")) return false;
      if (size.value) {
        const [least, most] = size.value.split(" ").map(Number);
        const has = sortKey(row.cells[parameters.at], "number");
        // 1 B and 4 B themselves stand in the middle.
        const under = most === 1e9 ? has < most : has <= most;
        const over = least === 4e9 ? has > least : has >= least;
        if (!(under && over)) return false;
      }
      return columns.some(({ own, at }) => own && picked(own) && row.cells[at].textContent.trim());
    });
    for (const select of [suite, protocol]) select?.addEventListener("input", arrange);
    published?.addEventListener("input", () => {
      document.getElementById("published").hidden = !published.checked;
    });
    copy.addEventListener("click", async () => {
      const rows = [...table.tBodies[0].rows].filter((row) => !row.hidden).length;
      const done = await copied(spreadsheet(table, columns));
      copy.focus();
      tools.querySelector("output").value = done
        ? `${rows} ${rows === 1 ? "row" : "rows"} copied, to paste into a spreadsheet`
        : "This browser does not let the page copy; take the CSV above";
    });
    chooser(tools.querySelector(".menu"), columns, arrange);
    arrange();
  }
}
