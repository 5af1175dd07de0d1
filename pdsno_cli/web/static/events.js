// The record of events, as `pdsno events` has it; the newest first, live.
const EVENTS = [
  { title: "Time", kind: "time", value: (row) => row.time, cell: (row) => moment(row.time) },
  { title: "Event", kind: "id", value: (row) => row.event, cell: (row) => row.severity === "info" ? row.event : ({ text: row.event, note: row.severity }) },
  { title: "Subject", kind: "text", value: (row) => row.subject, cell: (row) => row.detail?.address ? ({ text: row.subject, href: deviceLink(row.detail.address, row.detail.controller) }) : row.subject },
  { title: "What", kind: "middle text", value: (row) => row.why },
  { title: "Region", kind: "far", value: (row) => row.region },
  { title: "From", kind: "far id", value: (row) => row.sender },
];
