"use strict";
(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const form = document.getElementById("filters");
  const text = document.getElementById("text");
  const task = document.getElementById("task");
  const boxes = all('input[name="verdict"]');
  const cards = all("details.promise");
  const unfold = document.getElementById("unfold");
  const rows = new Map(all("tr.row").map((row) => [row.dataset.for, row]));
  const words = new Map(cards.map((card) => {
    const row = rows.get(card.id);
    return [card, (card.textContent + " " + row.textContent).toLowerCase()];
  }));

  const visible = () => cards.filter((card) => !card.hidden);

  function apply() {
    const wanted = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const terms = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const card of cards) {
      const match = wanted.has(card.dataset.verdict) &&
        (task.value === "" || task.value === card.dataset.task) &&
        terms.every((term) => words.get(card).includes(term));
      card.hidden = !match;
      rows.get(card.id).hidden = !match;
    }
    for (const body of all("table.board tbody")) {
      body.hidden = [...body.querySelectorAll("tr.row")].every((row) => row.hidden);
    }
    const n = visible().length;
    document.getElementById("shown").textContent = n + " of " + cards.length + " shown";
    document.getElementById("none").hidden = n > 0;
  }

  function clear() {
    form.reset();
    apply();
  }

  function open(hash) {
    const card = hash.length > 1 && document.getElementById(hash.slice(1));
    if (card && card.matches("details.promise")) {
      if (card.hidden) { clear(); }
      card.open = true;
      card.querySelector("summary").focus();
      card.scrollIntoView();
    }
  }

  function step(by) {
    const list = visible();
    if (list.length === 0) { return; }
    const at = list.findIndex((card) => card.contains(document.activeElement));
    const next = at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(Math.max(at + by, 0), list.length - 1);
    list[next].querySelector("summary").focus();
  }

  function key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) { return; }
    if (event.key === "Escape") { clear(); return; }
    if (event.target.matches("input[type=search], select, textarea")) { return; }
    if (event.key === "/") { event.preventDefault(); text.focus(); }
    if (event.key === "j") { step(1); }
    if (event.key === "k") { step(-1); }
  }

  unfold.addEventListener("click", () => {
    const opening = visible().some((card) => !card.open);
    for (const card of visible()) { card.open = opening; }
    unfold.textContent = opening ? "Close all" : "Open all";
  });
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", key);
  window.addEventListener("hashchange", () => open(location.hash));

  // Paper shows everything; afterwards each card is as it was.
  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = all("details:not([open])");
    for (const one of closed) { one.open = true; }
  });
  window.addEventListener("afterprint", () => {
    for (const one of closed) { one.open = false; }
  });

  form.hidden = false;
  form.reset();
  apply();
  open(location.hash);
})();
