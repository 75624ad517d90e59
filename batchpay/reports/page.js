"use strict";
// Search, filter and sort over the rows that the page has anyway. Without this script the page is whole.
(() => {
  const byId = (name) => document.getElementById(name);
  const controls = byId("controls");
  if (!controls) return;
  const PAGE = 200;
  const parts = byId("parts"), found = byId("found"), told = byId("shown");
  const body = found.querySelector("tbody");
  const rows = Array.from(parts.querySelectorAll("tbody tr"));
  const numbers = new Set(["row", "amount"]);
  const keys = new Map();
  let texts = null, listed = rows, at = 0, sorted = null, rising = true;

  const cell = (row, column) => row.cells[column].textContent;
  const number = (amount) => amount.toLocaleString("en");

  function key(row, column, name) {
    if (name === "amount") return Number(row.dataset.a);
    if (name === "row") return Number(cell(row, column));
    return cell(row, column);
  }

  function choose() {
    const wanted = byId("search").value.trim().toLocaleLowerCase();
    const outcome = byId("outcome").value, party = byId("party").value;
    const whole = !wanted && !outcome && !party && sorted === null;
    if (wanted && !texts) texts = rows.map((row) => row.textContent.toLocaleLowerCase());
    listed = rows.filter((row, index) =>
      (!outcome || row.dataset.o === outcome)
      && (!party || cell(row, 7).trim() === party)
      && (!wanted || texts[index].includes(wanted)));
    if (sorted !== null) sort();
    at = 0;
    parts.hidden = !whole;
    found.hidden = whole;
    told.textContent = told.dataset.told
      .replace("{found}", number(listed.length)).replace("{rows}", number(rows.length));
    if (!whole) show();
  }

  function sort() {
    const [column, name] = sorted;
    if (!keys.has(name)) keys.set(name, new Map(rows.map((row) => [row, key(row, column, name)])));
    const of = keys.get(name);
    const compare = numbers.has(name)
      ? (a, b) => of.get(a) - of.get(b)
      : (a, b) => (of.get(a) < of.get(b) ? -1 : of.get(a) > of.get(b) ? 1 : 0);
    listed.sort((a, b) => (rising ? compare(a, b) : compare(b, a)));
  }

  function show() {
    body.replaceChildren(...listed.slice(at, at + PAGE).map((row) => row.cloneNode(true)));
    byId("previous").disabled = at === 0;
    byId("next").disabled = at + PAGE >= listed.length;
  }

  function turn(by) {
    at += by * PAGE;
    show();
    found.scrollIntoView();
  }

  function heading(th, column) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = th.textContent;
    button.addEventListener("click", () => {
      const name = th.dataset.name;
      rising = sorted !== null && sorted[1] === name ? !rising : true;
      sorted = [column, name];
      for (const other of document.querySelectorAll("#rows th[aria-sort]")) other.removeAttribute("aria-sort");
      for (const same of document.querySelectorAll(`#rows th[data-name="${name}"]`)) {
        same.setAttribute("aria-sort", rising ? "ascending" : "descending");
      }
      choose();
    });
    th.replaceChildren(button);
  }

  for (const head of document.querySelectorAll("#rows thead tr")) {
    Array.from(head.cells).forEach(heading);
  }
  // a link to a story opens it, in a row that was copied, too
  function open() {
    const aim = byId(location.hash.slice(1));
    const folded = aim && aim.closest("details");
    if (!folded) return;
    folded.open = true;
    aim.scrollIntoView();
  }
  addEventListener("hashchange", open);
  open();
  let waits = 0;
  byId("search").addEventListener("input", () => { clearTimeout(waits); waits = setTimeout(choose, 150); });
  byId("outcome").addEventListener("change", choose);
  byId("party").addEventListener("change", choose);
  byId("previous").addEventListener("click", () => turn(-1));
  byId("next").addEventListener("click", () => turn(1));
  controls.addEventListener("submit", (event) => event.preventDefault());
  controls.hidden = false;
  choose();
})();
