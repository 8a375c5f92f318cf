"use strict";
(() => {
  const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const levels = [2, 3, 4, 5, 6, 7, 8, 16, 32];

  for (const element of all(".js")) element.hidden = false;

  // --- dark and light
  byId("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark"
                                    : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    if (live) live.redraw();
  });

  // --- hover: the <title> of a mark, at once and in full
  const tip = byId("tip");
  const titles = new WeakMap();
  const titleOf = (element) => {
    const mark = element.closest && element.closest("svg *");
    if (!mark) return "";
    const title = mark.querySelector(":scope > title") ||
      (mark.parentElement && mark.parentElement.querySelector(":scope > title"));
    if (title) {
      titles.set(mark, title.textContent);
      title.remove();
      mark.setAttribute("aria-label", titles.get(mark));
    }
    const text = titles.get(mark) || "";
    return text && mark.matches(".cell") ? data.names[mark.parentElement.dataset.i] + " at " + text : text;
  };
  document.addEventListener("mousemove", (event) => {
    const text = titleOf(event.target);
    tip.hidden = !text;
    if (!text) return;
    tip.textContent = text;
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - box.width - 6)) + "px";
    tip.style.top = (event.clientY + 18 + box.height > innerHeight ? event.clientY - box.height - 10
                                                                  : event.clientY + 18) + "px";
  });
  document.addEventListener("mouseleave", () => { tip.hidden = true; });

  // --- tables: sort by any column
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.v !== undefined ? Number(cell.dataset.v) : cell.textContent.toLowerCase();
  };
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b
                                                                          : String(a).localeCompare(String(b)));
  for (const table of all("table.sortable")) {
    all("th", table).forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.textContent = "";
      head.append(button);
      button.addEventListener("click", () => {
        const rows = Array.from(table.tBodies[0].rows);
        const text = rows.length > 0 && typeof valueOf(rows[0], column) === "string";
        const before = head.getAttribute("aria-sort");
        const rising = before ? before === "descending" : text;
        for (const other of all("th", table)) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", rising ? "ascending" : "descending");
        rows.sort((a, b) => compare(valueOf(a, column), valueOf(b, column)) * (rising ? 1 : -1));
        table.tBodies[0].append(...rows);
      });
    });
  }

  // --- search: every word must stand somewhere in the row
  const search = byId("search");
  if (search) {
    search.addEventListener("input", () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const rows = Array.from(byId("layers").tBodies[0].rows);
      let shown = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        if (!row.hidden) shown += 1;
      }
      byId("found").textContent = words.length ? shown + " of " + rows.length + " layers" : "";
    });
  }

  // --- live charts, where the page carries the library
  let live = null;
  let chosen = [null, null];
  const showLive = (...choice) => {
    chosen = choice;
    if (live) live.show(...chosen);
  };
  if (byId("library")) {
    loadLibrary().then(() => {
      live = liveCharts(data, (index) => choose(index));
      live.show(...chosen);
    }, () => {});
  }

  // --- what if: a point of the frontier, its widths and its command
  if (data.points.length < 2) {
    for (const panel of all(".whatif")) panel.hidden = true;
    return;
  }
  const { count } = figures;
  const own = new Map(all("#layers tbody tr").map((row) => {
    const keep = (selector) => {
      const cell = row.querySelector(selector);
      return cell ? { cell, nodes: Array.from(cell.childNodes), v: cell.dataset.v } : null;
    };
    return [row.dataset.i, { form: keep(".form"), after: keep(".after"), share: keep(".share") }];
  }));
  const columns = all(".depth");
  const setCell = (kept, text, value, changed, key) => {
    if (!kept) return;
    kept.cell.textContent = text;
    if (key) {
      const mark = document.createElement("span");
      mark.className = "key " + key;
      kept.cell.prepend(mark);
    }
    kept.cell.dataset.v = value;
    kept.cell.classList.toggle("changed", changed);
  };
  const showWidths = (choice, total) => {
    for (const column of columns) {
      const i = Number(column.dataset.i);
      const candidate = data.layers[i] && data.layers[i][choice[i]];
      if (!candidate) continue;
      const height = 200 * (levels.indexOf(candidate[1]) + 1) / 9;
      column.setAttribute("class", "depth b" + candidate[1]);
      column.setAttribute("y", 214 - height);
      column.setAttribute("height", height);
      const text = titleOf(column).split("\n")[0];
      titles.set(column, text + "\n" + candidate[0] + ", " + count(candidate[2]) + " bytes");
    }
    for (const bar of all(".bar")) {
      const candidate = data.layers[bar.dataset.i] && data.layers[bar.dataset.i][choice[bar.dataset.i]];
      if (candidate) bar.setAttribute("class", "bar b" + candidate[1]);
    }
    for (const cell of all(".cell")) {
      const i = cell.parentElement.dataset.i;
      const candidate = data.layers[i] && data.layers[i][choice[i]];
      if (candidate) cell.classList.toggle("pickedcell", candidate[1] === Number(cell.dataset.b));
    }
    for (const [index, kept] of own) {
      const i = Number(index);
      const candidate = data.layers[i] && data.layers[i][choice[i]];
      if (!candidate) continue;
      const changed = data.own.length > 0 && data.own[i] !== choice[i];
      setCell(kept.form, candidate[0], candidate[1], changed, "b" + candidate[1]);
      setCell(kept.after, count(candidate[2]), candidate[2], changed);
      const share = total > 0 ? candidate[3] / total : 0;
      setCell(kept.share, total > 0 ? (100 * share).toFixed(share < 0.1 ? 1 : 0) + " %" : "", share, changed);
    }
  };
  const showMix = (choice) => {
    const bytes = new Map();
    choice.forEach((c, i) => {
      const candidate = data.layers[i][c];
      if (candidate) bytes.set(candidate[1], (bytes.get(candidate[1]) || 0) + candidate[2]);
    });
    const mix = byId("mix");
    mix.textContent = "";
    const whole = Array.from(bytes.values()).reduce((a, b) => a + b, 0) || 1;
    for (const bits of levels.filter((b) => bytes.has(b))) {
      const part = document.createElement("span");
      part.className = "b" + bits;
      part.style.width = (100 * bytes.get(bits)) / whole + "%";
      part.textContent = bits === 32 ? "float" : bits === 16 ? "half" : bits + " bit";
      part.title = part.textContent + ": " + count(bytes.get(bits)) + " bytes";
      mix.append(part);
    }
  };
  const slider = byId("slider");
  const dots = new Map(all(".pick").map((dot) => [Number(dot.dataset.p), dot]));
  const describe = (index, mark) => {
    const point = data.points[index];
    slider.value = index;
    const share = data.whole > 0 ? " = " + ((100 * point.bytes) / data.whole).toFixed(1) + " % of the model" : "";
    byId("point").textContent = point.bits.toFixed(3) + " bits per weight, a file of " + count(point.bytes) + " bytes" + share +
      ", predicted damage " + figures.short(point.damage);
    byId("command").textContent = data.before + "--budget " + point.budget + data.after;
    showMix(point.choice);
    const dot = dots.get(index);
    const picked = byId("picked");
    picked.setAttribute("visibility", mark && dot ? "visible" : "hidden");
    if (dot) for (const at of ["cx", "cy"]) picked.setAttribute(at, dot.getAttribute(at));
  };
  const choose = (index) => {
    describe(index, true);
    showWidths(data.points[index].choice, data.points[index].damage);
    showLive(data.points[index].choice, index);
  };
  const reset = () => {
    describe(data.start, false);
    showLive(data.own.length > 0 ? data.own : null, null);
    if (data.own.length === 0) return;
    const total = data.own.reduce((sum, c, i) => sum + (data.layers[i][c] ? data.layers[i][c][3] : 0), 0);
    showWidths(data.own, total);
    for (const kept of own.values()) {
      for (const k of [kept.form, kept.after, kept.share]) if (k) {
        k.cell.replaceChildren(...k.nodes);
        k.cell.dataset.v = k.v;
        k.cell.classList.remove("changed");
      }
    }
  };
  for (const [index, dot] of dots) {
    dot.setAttribute("tabindex", "0");
    dot.setAttribute("role", "button");
    dot.addEventListener("click", () => choose(index));
    dot.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(index); }
    });
  }
  slider.addEventListener("input", () => choose(Number(slider.value)));
  if (byId("reset")) byId("reset").addEventListener("click", reset);
  byId("copy").addEventListener("click", () => {
    const range = document.createRange();
    range.selectNodeContents(byId("command"));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    if (navigator.clipboard) navigator.clipboard.writeText(byId("command").textContent).catch(() => {});
    else document.execCommand("copy");
  });
  reset();
})();
