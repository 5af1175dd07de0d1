// A table with a search box, sortable columns and pages of 100 rows, so that thousands stay usable.
//
// A column is {title, value, cell, kind}: `value` of a row is sorted and searched, `cell` is what is shown
// (else the value): a text, or {text, href, pill, note}. `kind` is a class: id, number, time, text, and
// middle, far or wide for columns that only a window of some width has; narrow is for no other. A sparse
// column is shown if not every row has 0. `more` of a row is searched, too; `state` keeps the search for
// another table.
const PAGE = 100;
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

function makeTable({ columns, key, label, search = true, more = () => "", sort = 0, down = false, extra = [], empty = "None.", state = {} }) {
  let rows = [], page = 0, by = sort, reverse = down, words = [];
  const drawn = new Map(); // by key: the row, and of each cell what it shows
  const box = make("input", { type: "search", placeholder: `Search ${label} …`, "aria-label": `Search ${label}`, oninput: () => {
    state.search = box.value;
    split();
    page = 0;
    draw();
  } });
  const split = () => { words = box.value.toLowerCase().split(/\s+/).filter(Boolean); };
  box.value = state.search || "";
  split();
  const found = make("span", { class: "soft", role: "status" });
  const body = make("tbody"), none = make("p", { class: "none", hidden: true }, empty);
  const heads = columns.map((column, index) => make("th", { scope: "col", class: column.kind },
    make("button", { type: "button", onclick: () => {
      reverse = by === index && !reverse;
      by = index;
      page = 0;
      draw();
    } }, column.title)));
  const frame = make("div", { class: "scroll" }, make("table", {}, make("thead", {}, make("tr", {}, ...heads)), body));
  const turn = (step) => { page += step; draw(); node.scrollIntoView(); };
  const before = make("button", { type: "button", onclick: () => turn(-1) }, "Previous");
  const after = make("button", { type: "button", onclick: () => turn(1) }, "Next");
  const range = make("span", { class: "soft" });
  const pager = make("div", { class: "pager" }, before, after, range);
  const node = make("div", { hidden: true }, make("div", { class: "head" }, search ? box : "", ...extra, search ? found : ""), frame, none, pager);
  if (!search && !extra.length) node.firstChild.remove();

  const values = (row) => columns.map((column) => column.value(row) ?? "");
  function compare(one, other) {
    const [a, b] = [one.values[by], other.values[by]];
    if (by < 0 || a === b) return 0;
    if (a === "") return 1; // what is unknown comes last, whatever the order
    if (b === "") return -1;
    const order = typeof a === "number" && typeof b === "number" ? a - b : collator.compare(a, b);
    return reverse ? -order : order;
  }
  function draw() {
    const hits = rows.filter((row) => words.every((word) => row.text.includes(word))).sort(compare);
    const last = Math.max(0, Math.ceil(hits.length / PAGE) - 1);
    page = Math.min(Math.max(page, 0), last);
    const shown = hits.slice(page * PAGE, (page + 1) * PAGE);
    found.textContent = words.length ? `${hits.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")}` : rows.length.toLocaleString("en");
    const hidden = columns.map((column, index) => Boolean(column.sparse) && !rows.some((row) => row.values[index]));
    heads.forEach((head, index) => {
      head.hidden = hidden[index];
      if (index === by) head.setAttribute("aria-sort", reverse ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    // Rows that stay keep their nodes, so that a live table loses neither focus nor selection.
    const wanted = new Set(shown.map((row) => row.key));
    for (const [name, { line }] of drawn) if (!wanted.has(name)) { line.remove(); drawn.delete(name); }
    shown.forEach((row, index) => {
      const line = drawRow(row, hidden);
      if (body.children[index] !== line) body.insertBefore(line, body.children[index] ?? null);
    });
    none.hidden = rows.length > 0;
    frame.hidden = rows.length === 0;
    pager.hidden = last === 0;
    before.disabled = page === 0;
    after.disabled = page === last;
    range.textContent = `${page * PAGE + 1} to ${page * PAGE + shown.length} of ${hits.length.toLocaleString("en")}`;
  }
  function drawRow({ key: name, row }, hidden) {
    let kept = drawn.get(name);
    if (!kept) {
      kept = { line: make("tr", {}, ...columns.map((column) => make("td", { class: column.kind }))), cells: [] };
      drawn.set(name, kept);
    }
    columns.forEach((column, index) => {
      const shown = column.cell ? column.cell(row) : column.value(row);
      kept.line.children[index].hidden = hidden[index];
      const sign = JSON.stringify(shown ?? "");
      if (kept.cells[index] === sign) return;
      kept.cells[index] = sign;
      kept.line.children[index].replaceChildren(...parts(shown));
    });
    return kept.line;
  }
  function parts(shown) {
    if (shown === null || shown === undefined) return [];
    if (typeof shown !== "object") return [String(shown)];
    const { text = "", href, pill: level, note } = shown;
    const main = level ? pill(level) : href && text ? make("a", { href }, text) : String(text);
    return note ? [main, make("small", {}, note)] : [main];
  }
  return {
    node,
    set(found) {
      node.hidden = false;
      rows = found.map((row, index) => {
        const all = values(row);
        return { row, values: all, key: key ? key(row) : index, text: `${all.join("\n")}\n${more(row)}`.toLowerCase() };
      });
      draw();
    },
  };
}
