// What the video is, what went wrong, where the numbers come from, and how far to trust them.

function buildHead(holder) {
  holder.append(
    el("p", { class: "brand" }, "emotrace"),
    el("h1", {}, DATA.title),
    el("p", { class: "facts" }, ...DATA.headline.map((fact) => el("span", {}, fact))));
  if (DATA.warnings.length) {
    holder.append(el("ul", { class: "warnings", "aria-label": "Warnings" }, ...DATA.warnings.map((warning) => el("li", {}, warning))));
  }
}

function buildAbout(holder) {
  holder.append(
    el("h2", {}, "How to read this"),
    el("ul", { class: "notes" }, ...DATA.notes.map((note) => el("li", {}, note))),
    el("h2", {}, "Where the numbers come from"),
    el("div", { class: "tables" }, ...DATA.tables.filter(({ rows }) => rows.length).map(buildTable)));
}

function buildTable({ title, head, rows }) {
  const caption = el("caption", {}, title);
  const header = head.length ? el("thead", {}, el("tr", {}, ...head.map((name) => el("th", { scope: "col" }, name)))) : null;
  const lines = rows.map((row) => el("tr", {}, ...row.map((cell, i) => (
    i === 0 ? el("th", { scope: "row" }, cell) : el("td", { class: /^[0-9a-f]{64}$/.test(cell) ? "hash" : "" }, cell)))));
  return el("div", { class: head.length ? "table wide" : "table" }, el("table", {}, caption, header, el("tbody", {}, ...lines)));
}
