// The inventory, as `pdsno devices` has it.
const fact = (name) => (row) => (row.extra || {})[name] || "";
const aside = (row) => [row.addresses.length > 1 ? `and ${row.addresses.length - 1} more` : "", row.state === "active" ? "" : row.state].filter(Boolean).join(", ");

const DEVICES = [
  { title: "Address", kind: "id", value: (row) => row.addresses[0], cell: (row) => ({ text: row.addresses[0], href: row.href, note: aside(row) }) },
  { title: "Name", kind: "text", value: (row) => row.sys_name },
  { title: "Type", value: fact("type") },
  { title: "Vendor", kind: "middle", value: fact("vendor") },
  { title: "Model", kind: "far text", value: fact("model") },
  { title: "MAC", kind: "middle time", value: (row) => row.mac, cell: (row) => ({ text: row.mac || "", note: row.mac_vendor }) },
  { title: "Region", kind: "wide", value: (row) => row.region },
  { title: "Controller", kind: "far id", value: (row) => row.local_id },
  { title: "Answers", kind: "wide", value: (row) => row.protocols.join(", ") },
  { title: "State", kind: "wide", value: (row) => row.state, cell: (row) => ({ pill: row.state }) },
  { title: "Last seen", kind: "wide time", value: (row) => row.last_seen, cell: (row) => moment(row.last_seen) },
];

// Kept while the page is open: the view is made anew at each visit.
const kept = { inactive: false, search: "" };

function devicesView() {
  const inactive = make("input", { type: "checkbox", onchange: () => { kept.inactive = inactive.checked; draw(); } });
  inactive.checked = kept.inactive;
  const note = make("span", { class: "soft" }), owner = {};
  const table = makeTable({
    columns: DEVICES,
    key: (row) => `${row.local_id} ${row.device_id}`,
    label: "devices",
    more: (row) => [...row.addresses, ...Object.values(row.extra || {}), row.sys_descr, row.device_id].join("\n"),
    extra: [make("label", {}, inactive, " inactive, too"), note],
    state: kept,
    empty: "No device is known yet.",
  });
  const problem = make("p", { class: "none", hidden: true });
  let found = null;
  function draw() {
    const times = new Map();
    for (const row of found.devices) times.set(row.addresses[0], (times.get(row.addresses[0]) || 0) + 1);
    for (const row of found.devices) row.href = deviceLink(row.addresses[0], times.get(row.addresses[0]) > 1 ? row.local_id : "");
    const absent = found.devices.filter((row) => row.state !== "active").length;
    note.textContent = [`inventory of ${found.controller}`, absent ? `${absent.toLocaleString("en")} inactive` : "", found.left_out ? `${found.left_out.toLocaleString("en")} more are left out` : ""].filter(Boolean).join("; ");
    table.set(found.devices.filter((row) => kept.inactive || row.state === "active"));
  }
  return {
    title: "Devices",
    node: make("section", {}, problem, table.node),
    every: 3000,
    async read() {
      const news = await ask("devices", { owner });
      if (news) {
        found = news;
        draw();
      }
    },
    fault(text) {
      problem.hidden = !text;
      problem.textContent = text;
    },
  };
}
