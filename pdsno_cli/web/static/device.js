// One device: what `pdsno device` shows, with its links and the events about it.
const GIGABIT = 1000;
function speed(value) {
  if (!value) return "";
  return value < GIGABIT ? `${value}M` : `${+(value / GIGABIT).toFixed(2)}G`;
}
const inUse = (row) => row.state === "up" || (row.addresses || []).length > 0 || Boolean(row.alias);
const otherEnd = (other) => ({ text: other.name, href: other.address ? deviceLink(other.address, other.local) : "" });

const INTERFACES = [
  { title: "Interface", kind: "id", value: (row) => row.name },
  { title: "State", value: (row) => row.shown, cell: (row) => ({ pill: row.shown }) },
  { title: "Speed", kind: "number middle", value: (row) => row.speed || "", cell: (row) => speed(row.speed) },
  { title: "Leads to", kind: "text", value: (row) => row.leads?.name, cell: (row) => row.leads ? otherEnd(row.leads) : "" },
  { title: "VLAN", kind: "number middle", value: (row) => row.vlan },
  { title: "Addresses", kind: "middle", value: (row) => (row.addresses || []).join(" ") },
  { title: "MAC", kind: "far time", value: (row) => row.mac },
  { title: "Alias", kind: "far text", value: (row) => row.alias },
];
const LINKS = [
  { title: "Port", kind: "id", value: (row) => row.port || "unknown" },
  { title: "Neighbour", kind: "text", value: (row) => row.other.name, cell: (row) => ({ ...otherEnd(row.other), note: row.other.address || "heard of only" }) },
  { title: "Its port", kind: "middle", value: (row) => row.other_port },
  { title: "Evidence", kind: "middle text", value: (row) => row.evidence.join("; ") },
];
const STATIONS = [
  { title: "MAC", kind: "id", value: (row) => row.mac },
  { title: "Device", kind: "text", value: (row) => row.known?.name, cell: (row) => row.known ? otherEnd(row.known) : "" },
  { title: "Interface", value: (row) => row.interface },
  { title: "VLAN", kind: "number", value: (row) => row.vlan },
];

function factsOf({ device, evidence, controller }) {
  const extra = device.extra || {};
  const of = (...names) => {
    const values = names.map((name) => extra[name]).filter(Boolean);
    return [values.join(" "), values.length ? [...new Set(names.map((name) => evidence[name]).filter(Boolean))].join(", ") : ""];
  };
  return facts([
    ["Type", ...of("type")],
    ["Vendor", ...of("vendor")],
    ["Model", ...of("model")],
    ["System", ...of("os", "version")],
    ["Serial", ...of("serial")],
    ["Location", ...of("location")],
    ["Addresses", device.addresses.join(", ")],
    ["MAC", device.mac, device.mac_vendor],
    ["Answers", device.protocols.join(", ")],
    ["Credential", ...of("credential")],
    ["Uptime", device.uptime === null ? "" : age(device.uptime)],
    ["Description", device.sys_descr],
    ["Object id", device.sys_object_id],
    ["Region", device.region],
    ["Local controller", device.local_id],
    ["Device id", device.device_id],
    ["First seen", moment(device.first_seen)],
    ["Last seen", moment(device.last_seen)],
    ["Record", `version ${device.version} in the store of ${controller}`],
  ], "list");
}

function historyOf(changes) {
  return make("ol", { class: "changes" }, ...changes.toReversed().map(({ at, kind, fields }) => make("li", {},
    make("span", { class: "time soft" }, moment(at)), " ", pill(kind),
    ...Object.entries(fields).map(([name, [before, after]]) => make("div", { class: "field" },
      `${name}: `, make("del", {}, before || "none"), " → ", make("ins", {}, after || "none"))))));
}

function deviceView(name, local) {
  const query = new URLSearchParams(local ? { name, local } : { name });
  const title = make("h2", {}, name), state = make("span"), about = make("div"), owner = {};
  const problem = make("p", { class: "none", hidden: true });
  const idle = make("input", { type: "checkbox", onchange: () => draw() });
  const idleLabel = make("label", { hidden: true }, idle, " ", make("span"));
  const interfaces = makeTable({ columns: INTERFACES, label: "interfaces", key: (row) => row.index, sort: -1, extra: [idleLabel] });
  const links = makeTable({ columns: LINKS, label: "neighbours", search: false });
  const stations = makeTable({ columns: STATIONS, label: "learned MACs", key: (row) => `${row.mac} ${row.vlan} ${row.interface}` });
  const events = makeTable({ columns: EVENTS, label: "events", key: (row) => row.id, search: false, sort: -1 });
  const history = make("div"), vlans = make("p", { class: "none" }), why = make("p", { class: "none", role: "status" });
  const noLinks = make("p", { class: "none" });
  const parts = {
    facts: make("section", {}, make("div", { class: "head" }, title, state), about),
    interfaces: section("Interfaces", why, interfaces.node),
    links: section("Neighbours", noLinks, links.node),
    vlans: section("VLANs", vlans),
    stations: section("Learned MACs", stations.node),
    history: section("History", history),
    events: section("Events", events.node),
  };
  const body = make("div", { hidden: true }, ...Object.values(parts));
  let found = null, asked = null, asking = "";
  function draw() {
    const { device } = found, detail = asked || found.detail || {};
    title.textContent = device.sys_name || device.addresses[0];
    state.replaceChildren(pill(device.state));
    about.replaceChildren(factsOf(found));
    const leads = new Map(found.links.map((link) => [link.port, link.other]));
    const all = (detail.interfaces || []).map((row) => ({ ...row, shown: row.admin === "down" ? "disabled" : row.state || "", leads: leads.get(row.name) }));
    const others = all.filter((row) => !inUse(row)).length;
    idleLabel.hidden = others === 0;
    idleLabel.lastChild.textContent = `${others.toLocaleString("en")} not in use, too`;
    interfaces.set(all.filter((row) => idle.checked || inUse(row)));
    interfaces.node.hidden = all.length === 0;
    why.hidden = all.length > 0;
    why.textContent = asking || "None are known: it does not serve them by SNMP, or they are not read.";
    links.set(found.links);
    links.node.hidden = found.links.length === 0;
    noLinks.hidden = found.links.length > 0;
    noLinks.textContent = found.no_links || "No link of it is known.";
    vlans.textContent = (detail.vlans || []).map((row) => `${row.id} ${row.name || ""}`.trim()).join(", ");
    parts.vlans.hidden = !detail.vlans?.length;
    stations.set((detail.stations || []).map((row) => ({ ...row, known: found.stations[row.mac] })));
    parts.stations.hidden = !detail.stations?.length;
    history.replaceChildren(found.history.length ? historyOf(found.history) : make("p", { class: "none" }, "Nothing has changed since it was found."));
    events.set(found.events);
    parts.events.hidden = found.events.length === 0;
    body.hidden = false;
  }
  // The interfaces that only the device's local controller has: asked for once.
  async function askForInterfaces() {
    asking = `Asking ${found.device.local_id} for its interfaces …`;
    draw();
    try {
      asked = (await ask(`device/ask?${query}`, { method: "POST" })).detail;
      asking = asked ? "" : `${found.device.local_id} has none.`;
    } catch (error) {
      asking = `Its interfaces are at ${found.device.local_id}, which cannot be asked: ${error.message}`;
    }
    draw();
  }
  return {
    title: name,
    node: make("div", {}, problem, body),
    every: 3000,
    async read() {
      const news = await ask(`device?${query}`, { owner });
      if (!news) return;
      found = news;
      draw();
      if (found.brief && !asked && !asking) await askForInterfaces();
    },
    fault(text) {
      problem.hidden = !text;
      problem.textContent = text;
    },
  };
}
