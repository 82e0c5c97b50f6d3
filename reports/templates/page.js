"use strict";
(() => {
  const all = (query, from = document) => [...from.querySelectorAll(query)];
  const make = (name, values) => Object.assign(document.createElement(name), values);
  document.documentElement.classList.add("scripted");

  // Light, dark, or as the system has it; the choice is kept where the browser allows it.
  const memory = {
    get: () => { try { return localStorage.getItem("theme"); } catch { return null; } },
    set: (value) => { try { localStorage.setItem("theme", value); } catch { /* a file may not store */ } },
  };
  const themes = ["system", "light", "dark"];
  const button = make("button", { type: "button", className: "theme" });
  const show = (theme) => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.textContent = `Colours: ${theme}`;
    button.value = theme;
  };
  show(themes.includes(memory.get()) ? memory.get() : "system");
  button.addEventListener("click", () => {
    const next = themes[(themes.indexOf(button.value) + 1) % themes.length];
    memory.set(next);
    show(next);
  });
  (document.querySelector("header") || document.body).append(button);

  // The contents say where one is.
  const links = new Map(all("#toc li > a").map((link) => [link.hash.slice(1), link]));
  const targets = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
  const jump = document.querySelector(".to-contents");
  const place = () => {
    const above = targets.filter((target) => target.getBoundingClientRect().top < innerHeight * 0.35);
    const here = above.length ? links.get(above[above.length - 1].id) : null;
    for (const link of links.values()) {
      link.removeAttribute("aria-current");
      link.parentElement.classList.remove("here");
    }
    if (!here) { if (jump) jump.textContent = "Contents"; return; }
    here.setAttribute("aria-current", "location");
    const section = here.closest("#toc > ol > li");
    section.classList.add("here");
    if (jump) jump.textContent = `Contents: ${section.querySelector("a").textContent}`;
    const nav = document.getElementById("toc");
    if (nav.scrollHeight > nav.clientHeight) {
      const [box, at] = [nav.getBoundingClientRect(), here.getBoundingClientRect()];
      if (at.top < box.top || at.bottom > box.bottom) nav.scrollTop += at.top - box.top - box.height / 2;
    }
  };
  let waiting = false;
  const soon = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; place(); });
  };
  addEventListener("scroll", soon, { passive: true });
  addEventListener("resize", soon);
  place();

  // Tables: sorted by a click on a heading, filtered by a word.
  const number = (text) => {
    const found = /[-−+]?\d[\d,]*\.?\d*(?:e[-−+]?\d+)?/.exec(text);
    return found ? parseFloat(found[0].replace(/,/g, "").replace(/−/g, "-")) : NaN;
  };
  const compare = (a, b) => {
    const [x, y] = [number(a), number(b)];
    if (!Number.isNaN(x) && !Number.isNaN(y) && x !== y) return x - y;
    if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
    return a.localeCompare(b);
  };
  for (const table of all(".scroll table")) {
    const body = table.tBodies[0];
    if (!table.tHead || !body || body.rows.length < 3) continue;
    const cell = (row, k) => (row.cells[k] ? row.cells[k].textContent.trim() : "");
    [...table.tHead.rows[0].cells].forEach((head, k) => {
      if (!head.textContent.trim()) return;
      const sorter = make("button", { type: "button", textContent: head.textContent });
      head.replaceChildren(sorter);
      const named = [...body.rows].every((row) => !/^[▲▼◆]?\s*[-−+]?\d/.test(cell(row, k)) || k === 0);
      sorter.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        all("th", table.tHead).forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const order = named ? (a, b) => a.localeCompare(b) : compare;
        const rows = [...body.rows].sort((a, b) => order(cell(a, k), cell(b, k)));
        body.append(...(down ? rows.reverse() : rows));
      });
    });
    if (body.rows.length < 8) continue;
    const box = table.closest(".scroll");
    const filter = make("input", { type: "search", className: "filter", placeholder: "Only rows with …" });
    filter.setAttribute("aria-label", `Filter the rows of ${box.getAttribute("aria-label")}`);
    filter.addEventListener("input", () => {
      const word = filter.value.trim().toLowerCase();
      for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(word);
    });
    box.before(filter);
  }

  // Only a table that is wider than the screen says so.
  const fit = () => all(".scroll").forEach((box) => box.classList.toggle("fits", box.scrollWidth <= box.clientWidth));
  addEventListener("resize", fit);
  fit();

  // Values of a figure under the pointer: its curves are read off the drawing.
  const round = (value) => String(Number(value.toPrecision(3))).replace("-", "−");
  const points = (path) => {
    const found = path.getAttribute("d").match(/-?\d+(?:\.\d+)?/g) || [];
    return found.map(Number).reduce((list, v, k) => (k % 2 ? list[list.length - 1].push(v) : list.push([v]), list), []);
  };
  const height = (path, x) => {
    path.points ||= points(path);
    let best = null;
    for (let k = 1; k < path.points.length; k += 1) {
      const [[x0, y0], [x1, y1]] = [path.points[k - 1], path.points[k]];
      if (x0 === x1 || x < Math.min(x0, x1) || x > Math.max(x0, x1)) continue;
      const y = y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
      best = best === null ? y : Math.min(best, y);
    }
    return best;
  };
  const scale = (at, from, to, [low, high], log) => {
    const share = (at - from) / (to - from);
    return log ? low * (high / low) ** share : low + share * (high - low);
  };
  const told = (svg, x, y) => {
    const panel = svg.panels.find(({ box: [l, t, r, b] }) => x >= l && x <= r && y >= t && y <= b);
    if (!panel) return "";
    const [left, top, right, bottom] = panel.box;
    const lines = [];
    for (const [label, id] of panel.series) {
      const path = svg.querySelector(`[id$="-${id}"] path`);
      const at = path ? height(path, x) : null;
      if (at !== null) lines.push(`${label}: ${round(scale(at, bottom, top, panel.y, panel.log.includes("y")))}`);
    }
    if (!lines.length) return "";
    const here = scale(x, left, right, panel.x, panel.log.includes("x"));
    return [`${panel.label}: ${round(here)}`, ...lines, panel.unit].filter(Boolean).join("\n");
  };
  for (const figure of all("figure")) {
    const box = make("div", { className: "values", hidden: true });
    figure.append(box);
    for (const title of all("g > title", figure)) { // the browser's own, slower, is not shown beside
      title.parentElement.dataset.value = title.textContent;
      title.remove();
    }
    for (const svg of all("svg[data-panels]", figure)) {
      svg.panels = JSON.parse(svg.dataset.panels);
      svg.addEventListener("pointerleave", () => { box.hidden = true; });
      svg.addEventListener("pointermove", (event) => {
        const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
        const part = event.target.closest("g[data-value]");
        const text = part ? part.dataset.value : told(svg, point.x, point.y);
        box.hidden = !text;
        box.textContent = text;
        const frame = figure.getBoundingClientRect();
        const left = event.clientX - frame.left;
        box.style.left = `${Math.max(0, Math.min(left + 14, frame.width - box.offsetWidth))}px`;
        box.style.top = `${event.clientY - frame.top + 18}px`;
      });
    }
  }
})();
