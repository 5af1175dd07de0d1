// The overview: the controllers of the plane, as `pdsno status` has them.
const ROLES = ["global", "regional", "local"];

function whyNot(row) {
  const next = row.next_start_in ? `next start in ${age(row.next_start_in)}` : "";
  const tries = Object.values(row.transports || {}).filter((one) => !one.up && one.next_try_in !== null);
  const again = tries.length ? `next try in ${age(tries[0].next_try_in)}` : "";
  return [row.health === "ready" ? "" : row.reason, row.warning, next || again].filter(Boolean).join("; ");
}

function transportOf(row) {
  const state = (row.transports || {})[row.transport];
  return { text: row.transport || "", note: state ? `${state.up ? "up" : "away"} for ${age(state.for)}` : "" };
}

function cycleOf(row) {
  if (!row.cycle) return "";
  const outcome = row.outcome && row.outcome !== "complete" ? ` ${row.outcome}` : "";
  return { text: `${row.cycle}${outcome}`, note: row.last_cycle_age === null ? "" : `${age(row.last_cycle_age)} ago` };
}

const total = (object) => Object.values(object || {}).reduce((sum, one) => sum + one, 0);

const CONTROLLERS = [
  { title: "Controller", kind: "id", value: (row) => row.id },
  { title: "State", kind: "text", value: (row) => `${row.level} ${whyNot(row)}`, cell: (row) => ({ pill: row.level, note: whyNot(row) }) },
  { title: "Role", kind: "middle", value: (row) => row.role },
  { title: "Region", kind: "middle time", value: (row) => row.region },
  { title: "Transport", kind: "middle time", value: (row) => row.transport, cell: transportOf },
  { title: "Last status", kind: "middle time", value: (row) => row.last_status_age, cell: (row) => row.last_status_age === undefined || row.last_status_age === null ? "" : `${age(row.last_status_age)} ago` },
  { title: "Cycle", kind: "middle time", value: (row) => row.cycle, cell: cycleOf },
  { title: "Devices", kind: "number", value: (row) => row.devices },
  { title: "Outbox", kind: "number middle", value: (row) => row.waiting },
  { title: "Committed", kind: "number far", value: (row) => row.committed },
  { title: "Quarantined", kind: "number far", sparse: true, value: (row) => row.quarantined },
  { title: "Duplicates", kind: "number far", sparse: true, value: (row) => row.duplicates },
  { title: "Refused", kind: "number far", sparse: true, value: (row) => total(row.refused) },
  { title: "Restarts", kind: "number far", sparse: true, value: (row) => row.restarts },
];
const SUPERVISED_ONLY = ["Transport", "Cycle", "Devices", "Outbox", "Committed", "Quarantined", "Duplicates", "Refused", "Restarts"];

function overviewView() {
  const head = make("section"), list = make("section");
  let table = null, source = "";
  function rowsOf(overview, report) {
    if (!report) return overview.declared.map((row) => ({ ...row, level: overview.state === "absent" ? "never up" : "not up" }));
    return report.controllers.map((row) => ({ ...row, level: !row.state || row.state === "ready" ? row.health : row.state }));
  }
  function summary(overview, report, rows, old) {
    const good = rows.filter((row) => row.level === "ready" || row.level === "alive").length;
    const top = rows.find((row) => row.role === "global");
    const now = old ? null : report;
    const broker = now?.broker_state;
    const number = (value) => make("b", {}, value.toLocaleString("en"));
    return facts([
      ["Controllers ready", make("b", {}, `${now ? good : "–"}/${rows.length}`)],
      ["Devices", typeof top?.devices === "number" ? number(top.devices) : ""],
      ["Waiting in outboxes", now?.source === "supervisor" ? number(rows.reduce((sum, row) => sum + (row.waiting || 0), 0)) : ""],
      ["Broker", now?.broker, broker ? `${broker.up ? "up" : "away"} for ${age(broker.for)}${broker.reason ? `: ${broker.reason}` : ""}` : ""],
      ["Up since", now && overview.since ? moment(overview.since) : ""],
      ["As of", old && report && overview.seen_up ? moment(overview.seen_up) : ""],
      ["File", overview.file],
    ]);
  }
  return {
    title: "Overview",
    node: make("div", {}, head, list),
    overview({ overview, report, old }) {
      const rows = rowsOf(overview, report);
      head.replaceChildren(summary(overview, report, rows, old));
      const now = report ? report.source : "none";
      if (now !== source) {
        source = now;
        const columns = CONTROLLERS.filter((column) => now === "supervisor" ? column.title !== "Last status" : !SUPERVISED_ONLY.includes(column.title) && (report || column.title !== "Last status"));
        table = makeTable({ columns, key: (row) => row.id, label: "controllers", sort: -1 });
        list.replaceChildren(table.node);
      }
      list.classList.toggle("old", old);
      table.set(rows.sort((a, b) => ROLES.indexOf(a.role) - ROLES.indexOf(b.role)));
    },
  };
}
