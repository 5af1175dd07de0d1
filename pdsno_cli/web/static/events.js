// The record of events, as `pdsno events` has it; the newest first, live.
const aboutOf = (row) => row.detail?.address ? deviceLink(row.detail.address, row.detail.controller) : "";
const EVENTS = [
  { title: "Time", kind: "time", value: (row) => row.time, cell: (row) => moment(row.time) },
  { title: "Event", kind: "narrow text", value: (row) => row.event, cell: (row) => ({ text: row.event, href: aboutOf(row), note: [row.severity === "info" ? "" : row.severity, row.subject, row.why].filter(Boolean).join(": ") }) },
  { title: "Event", kind: "middle id", value: (row) => row.event, cell: (row) => row.severity === "info" ? row.event : ({ text: row.event, note: row.severity }) },
  { title: "Subject", kind: "middle text", value: (row) => row.subject, cell: (row) => ({ text: row.subject, href: aboutOf(row) }) },
  { title: "What", kind: "middle text", value: (row) => row.why },
  { title: "Region", kind: "far", value: (row) => row.region },
  { title: "From", kind: "far id", value: (row) => row.sender },
];
const MOST_EVENTS = 2000; // kept in the page

function eventsView() {
  const serious = make("input", { type: "checkbox", onchange: () => draw() });
  const table = makeTable({
    columns: EVENTS,
    key: (row) => row.id,
    label: "events",
    sort: 0,
    down: true,
    more: (row) => row.severity,
    extra: [make("label", {}, serious, " warnings and errors only")],
    empty: "No event is recorded yet.",
  });
  const problem = make("p", { class: "none", hidden: true });
  let rows = [], last = 0;
  function draw() {
    table.set(rows.filter((row) => !serious.checked || row.severity !== "info"));
  }
  return {
    title: "Events",
    node: make("section", {}, problem, table.node),
    every: 1000,
    async read() {
      const news = await ask(`events?after=${last}`);
      if (news.reset) rows = [];
      if (!news.events.length && !news.reset && last) return;
      last = news.last;
      rows = [...news.events.toReversed(), ...rows].slice(0, MOST_EVENTS);
      draw();
    },
    fault(text) {
      problem.hidden = !text;
      problem.textContent = text;
    },
  };
}
