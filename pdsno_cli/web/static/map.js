// The physical map: the drawing and the script of `pdsno graph --format html`. A click on a device opens it.
function mapView() {
  const button = (text, label) => make("button", { type: "button", "aria-label": label }, text);
  const tools = {
    search: make("input", { type: "search", placeholder: "name, address, MAC, type …", "aria-label": "Search the map" }),
    found: make("span", { class: "soft", role: "status" }),
    all: button("Fold all"), farther: button("−", "Zoom out"), closer: button("+", "Zoom in"), whole: button("Fit"),
  };
  const note = make("span", { class: "soft note" });
  const again = make("button", { type: "button", hidden: true, onclick: () => draw() }, "The map has changed: draw it again");
  const canvas = make("div", { class: "canvas" }), problem = make("p", { class: "none", hidden: true });
  const bar = make("div", { class: "tools" }, note, tools.search, tools.found, ...[tools.all, tools.farther, tools.closer, tools.whole]);
  const owner = {};
  let latest = null, keys = null;
  // Buttons and box are made anew with the drawing: the script of the map has put its handlers on them.
  function draw() {
    keys?.abort();
    keys = new AbortController();
    const fresh = Object.fromEntries(Object.entries(tools).map(([name, one]) => [name, one.cloneNode(true)]));
    fresh.all.textContent = "Fold all";
    fresh.found.textContent = "";
    bar.replaceChildren(note, fresh.search, fresh.found, fresh.all, fresh.farther, fresh.closer, fresh.whole, again);
    const map = document.importNode(new DOMParser().parseFromString(latest.svg, "text/html").querySelector("svg"), true);
    const panel = make("aside", { hidden: true });
    canvas.replaceChildren(map, panel);
    const href = (number) => {
      const { address, local } = latest.devices[number];
      return address ? deviceLink(address, local) : null;
    };
    networkView({ map, panel, ...fresh }, latest.data, { href, signal: keys.signal });
    note.textContent = `${count(latest.devices.length, "device")}, ${count(latest.links, "link")}`;
    again.hidden = true;
  }
  return {
    title: "Map",
    full: true,
    node: make("div", {}, bar, problem, canvas),
    every: 5000,
    async read() {
      const news = await ask("map", { owner });
      if (!news) return;
      const first = !latest;
      latest = news;
      if (first) draw();
      else again.hidden = false;
    },
    fault(text) {
      problem.hidden = !text;
      problem.textContent = text;
    },
    leave() { keys?.abort(); },
  };
}
