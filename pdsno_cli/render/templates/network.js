"use strict";
// The map: pans, zooms, searches and folds the SVG that the drawing holds.
//
// `parts` are elements: map (the SVG), panel, search, found, all (folds all), closer, farther, whole.
// `href` of a box's number is where a click on it leads; without one it shows the box in the panel.
// `signal` ends the keys of the page.
function networkView({ map, panel, search, found, all, closer, farther, whole }, data, { href = () => null, signal } = {}) {
  const { boxes, cables, regions, folded } = data;
  const scene = map.querySelector(".scene");
  const shapes = [...map.querySelectorAll(".box")].sort((a, b) => a.dataset.box - b.dataset.box);
  const frames = [...map.querySelectorAll(".region")];
  const lines = [];
  for (const path of map.querySelectorAll("path[data-cable]")) lines[path.dataset.cable] = path;
  const drawn = lines.map((path) => path.getAttribute("d"));
  const ends = boxes.map(() => []);
  cables.forEach((cable, number) => { ends[cable[0]].push(number); ends[cable[2]].push(number); });

  // The view: pixels = scale × drawing + (x, y).
  const everything = { width: +map.dataset.width, height: +map.dataset.height };
  let size = everything;
  let scale = 1, x = 0, y = 0;
  function show() {
    scene.setAttribute("transform", `translate(${x} ${y}) scale(${scale})`);
    map.classList.toggle("far", scale < 0.4);
    scene.style.setProperty("--title", `${Math.min(90, Math.max(15, 12 / scale))}px`);
  }
  let touched = false; // by a person: the view then stays as it is
  function zoom(factor, cx = map.clientWidth / 2, cy = map.clientHeight / 2) {
    touched = true;
    const next = Math.min(4, Math.max(0.02, scale * factor));
    x = cx - (cx - x) * next / scale;
    y = cy - (cy - y) * next / scale;
    scale = next;
    show();
  }
  function fit() {
    scale = Math.min(1.5, (map.clientWidth - 30) / size.width, (map.clientHeight - 30) / size.height);
    x = (map.clientWidth - size.width * scale) / 2;
    y = Math.max(15, (map.clientHeight - size.height * scale) / 2);
    show();
  }
  function centre(number) {
    touched = true;
    const [left, top] = place(number);
    scale = Math.max(scale, 0.9);
    x = map.clientWidth / 2 - (left + 66) * scale;
    y = map.clientHeight / 2 - (top + 17) * scale;
    show();
  }
  map.addEventListener("wheel", (event) => {
    event.preventDefault();
    const area = map.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY * 0.0015), event.clientX - area.left, event.clientY - area.top);
  }, { passive: false });

  // Dragging moves the view; a press that does not move is a click.
  const fingers = new Map();
  let moved = 0;
  map.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, event);
    moved = 0;
  });
  map.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const dx = event.clientX - before.clientX, dy = event.clientY - before.clientY;
    moved += Math.abs(dx) + Math.abs(dy);
    if (moved > 4 && !map.hasPointerCapture(event.pointerId)) map.setPointerCapture(event.pointerId);
    if (fingers.size === 2) {
      const other = [...fingers.values()].find((one) => one.pointerId !== event.pointerId);
      const was = Math.hypot(before.clientX - other.clientX, before.clientY - other.clientY);
      const now = Math.hypot(event.clientX - other.clientX, event.clientY - other.clientY);
      const area = map.getBoundingClientRect();
      zoom(now / Math.max(was, 1), (event.clientX + other.clientX) / 2 - area.left, (event.clientY + other.clientY) / 2 - area.top);
    } else {
      touched = true;
      x += dx;
      y += dy;
      map.classList.add("held");
      show();
    }
    fingers.set(event.pointerId, event);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    map.addEventListener(name, (event) => {
      fingers.delete(event.pointerId);
      map.classList.remove("held");
    });
  }

  // A folded region is its title alone. The others close up, and cables to its boxes end at the title.
  const FOLDED = [260, 40];
  const shift = regions.map(() => [0, 0]);
  const isFolded = (number) => frames[number].classList.contains("folded");
  function place(number) {
    const { at, region } = boxes[number];
    return [at[0] + shift[region][0], at[1] + shift[region][1]];
  }
  function arrange() {
    const sizes = regions.map((region, n) => isFolded(n) ? FOLDED : region.at.slice(2));
    const any = regions.some((_, n) => isFolded(n));
    const area = sizes.reduce((sum, [width, height]) => sum + (width + 36) * (height + 36), 0);
    const limit = Math.max(...sizes.map(([width]) => width), Math.sqrt(area * 2.4), 1000);
    let left = 0, top = 0, height = 0, right = 0;
    sizes.forEach((one, n) => {
      if (left && left + one[0] > limit) [left, top, height] = [0, top + height + 36, 0];
      shift[n] = any ? [left - regions[n].at[0], top - regions[n].at[1]] : [0, 0];
      right = Math.max(right, left + one[0]);
      height = Math.max(height, one[1]);
      left += one[0] + 36;
      frames[n].setAttribute("transform", `translate(${shift[n]})`);
    });
    size = any ? { width: right, height: top + height } : everything;
    cables.forEach((cable, index) => {
      const pair = [cable[0], cable[2]];
      const [one, other] = pair.map((number) => boxes[number].region);
      if (one === other) return;
      const [a, b] = pair.map((number) => {
        const { region } = boxes[number];
        const [x0, y0] = [regions[region].at[0] + shift[region][0], regions[region].at[1] + shift[region][1]];
        if (isFolded(region)) return [x0 + FOLDED[0] / 2, y0 + FOLDED[1] / 2];
        const [x1, y1] = place(number);
        return [x1 + 66, y1 + 17];
      });
      lines[index].setAttribute("d", any ? `M${a}L${b}` : drawn[index]);
    });
  }
  function fold(number, wanted = !isFolded(number)) {
    if (wanted === isFolded(number)) return;
    const frame = frames[number], rect = frame.querySelector(".frame");
    frame.classList.toggle("folded", wanted);
    rect.setAttribute("width", wanted ? FOLDED[0] : regions[number].at[2]);
    rect.setAttribute("height", wanted ? FOLDED[1] : regions[number].at[3]);
    frame.querySelector(".mark").textContent = wanted ? "▸" : "▾";
  }
  all.addEventListener("click", () => {
    const wanted = all.textContent === "Fold all";
    regions.forEach((_, number) => fold(number, wanted));
    arrange();
    fit();
    all.textContent = wanted ? "Unfold all" : "Fold all";
  });

  // The chosen box: its facts and its links in the panel.
  let chosen = -1;
  function element(name, text, parent) {
    const made = document.createElement(name);
    made.textContent = text;
    parent.append(made);
    return made;
  }
  function choose(number) {
    touched = true;
    if (chosen >= 0) {
      shapes[chosen].classList.remove("chosen");
      ends[chosen].forEach((cable) => lines[cable].classList.remove("lit"));
    }
    chosen = number;
    panel.hidden = number < 0;
    panel.replaceChildren();
    if (number < 0) return;
    shapes[number].classList.add("chosen");
    const box = boxes[number];
    const close = element("button", "×", panel);
    close.className = "close";
    close.ariaLabel = "Close";
    close.addEventListener("click", () => choose(-1));
    const title = element("h2", href(number) ? "" : box.name, panel);
    if (href(number)) element("a", box.name, title).href = href(number);
    const list = element("dl", "", panel);
    for (const [name, value] of [["type", box.kind], ["region", regions[box.region].name], ...box.facts]) {
      if (!value) continue;
      element("dt", name, list);
      element("dd", value, list);
    }
    const links = element("ul", "", panel);
    for (const index of ends[number]) {
      lines[index].classList.add("lit");
      const [one, port, two, otherPort, evidence] = cables[index];
      const [mine, theirs, other] = one === number ? [port, otherPort, two] : [otherPort, port, one];
      const item = element("li", `${mine || "a port"} – `, links);
      const link = element("a", boxes[other].name, item);
      link.tabIndex = 0;
      const go = () => { reveal(other); choose(other); };
      link.addEventListener("click", go);
      link.addEventListener("keydown", (event) => { if (event.key === "Enter") go(); });
      item.append(theirs ? ` ${theirs}` : "");
      element("small", evidence, item);
    }
  }
  function reveal(number) {
    fold(boxes[number].region, false);
    arrange();
    centre(number);
  }
  function toggle(title) {
    fold(+title.parentNode.dataset.region);
    arrange();
  }
  map.addEventListener("click", (event) => {
    if (moved > 4) return;
    const title = event.target.closest(".title"), shape = event.target.closest(".box");
    if (title) toggle(title);
    else if (shape && href(+shape.dataset.box)) location.assign(href(+shape.dataset.box));
    else choose(shape ? +shape.dataset.box : -1);
  });
  map.addEventListener("keydown", (event) => {
    const title = event.target.closest(".title");
    if (title && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      toggle(title);
    }
  });

  // Search: every word must occur in the name, the type, the region or a fact.
  const texts = boxes.map((box) => [box.name, box.kind, regions[box.region].name, ...box.facts.map((fact) => fact[1])].join("\n").toLowerCase());
  let hits = [], turn = 0;
  search.addEventListener("input", () => {
    hits.forEach((number) => shapes[number].classList.remove("hit"));
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    hits = words.length ? [...texts.keys()].filter((n) => words.every((word) => texts[n].includes(word))) : [];
    hits.forEach((number) => shapes[number].classList.add("hit"));
    found.textContent = words.length ? `${hits.length} found` : "";
    turn = 0;
    if (hits.length) reveal(hits[0]);
  });
  search.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !hits.length) return;
    turn = (turn + (event.shiftKey ? hits.length - 1 : 1)) % hits.length;
    reveal(hits[turn]);
    choose(hits[turn]);
  });
  document.addEventListener("keydown", (event) => {
    if (event.target === search) {
      if (event.key === "Escape") search.blur();
      return;
    }
    if (event.key === "/") { event.preventDefault(); search.focus(); }
    else if (event.key === "Escape") choose(-1);
    else if (event.key === "+") zoom(1.25);
    else if (event.key === "-") zoom(0.8);
    else if (event.key === "0") fit();
  }, { signal });
  closer.addEventListener("click", () => zoom(1.25));
  farther.addEventListener("click", () => zoom(0.8));
  whole.addEventListener("click", fit);
  if (folded) all.click();
  fit();
  const resized = new ResizeObserver(() => { if (!touched) fit(); });
  resized.observe(map);
  signal?.addEventListener("abort", () => resized.disconnect());
  return {
    map, panel, search, found, boxes, cables, regions, shapes, frames, lines, drawn, fold, arrange, isFolded, choose,
    get hits() { return hits; },
    get scale() { return scale; },
    get x() { return x; },
    get y() { return y; },
  };
}
