// Routing, the live poll, and the banner that says what is gone and since when.
const banner = document.getElementById("banner"), content = document.getElementById("content");
const VIEWS = { "": overviewView, devices: devicesView, device: deviceView, map: mapView, events: eventsView };
const live = { overview: null, report: null, answered: null, clock: 0, refused: false, failed: "" };
let view = null;

class Fault extends Error {
  constructor(text, status) {
    super(text);
    this.status = status;
  }
}

// Return a document, or null if it is the one that `etags` knows already.
const etags = new WeakMap();
async function ask(path, { owner = null, method = "GET" } = {}) {
  const headers = owner && etags.has(owner) ? { "if-none-match": etags.get(owner) } : {};
  let response;
  try {
    response = await fetch(`api/${path}`, { method, headers, cache: "no-store", signal: AbortSignal.timeout(30000) });
  } catch {
    throw new Fault("pdsno web does not answer", 0);
  }
  live.refused = response.status === 403;
  if (live.refused) throw new Fault("this page's address is no longer valid", 403);
  live.answered = Date.now() / 1000;
  live.clock = Date.parse(response.headers.get("date")) / 1000; // the server's: this machine's may differ
  if (response.status === 304) return null;
  let found;
  try {
    found = await response.json();
  } catch {
    throw new Fault(`invalid answer (${response.status})`, response.status);
  }
  if (!response.ok) throw new Fault(found.error, response.status);
  if (owner) etags.set(owner, response.headers.get("etag"));
  return found;
}

const STATES = {
  stopped: (o) => `${o.topology} is stopped${o.since ? ` since ${moment(o.since)}` : ""}: start it with pdsno up ${o.file}`,
  dead: (o) => `${o.topology} is down: its supervisor was killed${o.seen_up ? `; last seen up at ${moment(o.seen_up)}` : ""}. Start it with pdsno up ${o.file}`,
  alone: (o) => `${o.topology} has no supervisor: its controllers run without one`,
  starting: (o) => `${o.topology} is starting`,
  "no answer": (o) => `The supervisor of ${o.topology} does not answer${o.seen_up ? ` since ${moment(o.seen_up)}` : ""}`,
  absent: (o) => `${o.topology} has no state on this machine${o.seen_up ? `: it was removed; last seen up at ${moment(o.seen_up)}` : ""}. Start it with pdsno up ${o.file}`,
};

function banners() {
  const { overview, answered, clock, refused, failed } = live;
  const found = [];
  if (refused) found.push(["bad", "This page's address is no longer valid: open the one that pdsno web has printed."]);
  else if (failed) found.push(["bad", `${failed}${answered ? ` since ${moment(answered)}: what is shown is as of then` : ""}.`]);
  if (overview && !failed && !refused) {
    if (overview.state in STATES) found.push(["warn", STATES[overview.state](overview)]);
    else if (!overview.status) found.push(["warn", overview.why]);
    if (overview.state === "heard") found.push(["warn", "No supervisor on this machine: the states are heard over the broker."]);
    if (overview.trouble) found.push(["warn", overview.trouble]);
    const lag = clock - overview.read_at;
    if (overview.status && overview.state === "up" && lag > 8) found.push(["warn", `The supervisor does not answer: the states are of ${moment(overview.read_at)}.`]);
  }
  const texts = found.map(([kind, text]) => `${kind}\n${text}`).join("\n");
  if (banner.dataset.texts === texts) return;
  banner.dataset.texts = texts;
  banner.replaceChildren(...found.map(([kind, text]) => make("p", { class: kind }, text)));
}

function show() {
  const { overview, report } = live;
  banners();
  if (!overview) return;
  const gone = live.refused || Boolean(live.failed);
  const name = document.getElementById("name"), state = document.getElementById("pill");
  name.textContent = overview.topology;
  const level = gone ? "unknown" : overview.status && overview.status.well === false ? "degraded" : overview.state;
  state.className = `pill ${LEVELS[level] || ""}`;
  state.textContent = level;
  document.title = `${view?.title ? `${view.title} · ` : ""}${overview.topology}`;
  view?.overview?.({ overview, report, old: gone || !overview.status });
}

async function poll() {
  try {
    const overview = await ask("overview");
    live.failed = "";
    live.overview = overview;
    if (overview.status) live.report = overview.status;
  } catch (error) {
    live.failed = error.message;
  }
  show();
}

// The views read again what is theirs, at their own pace; one that fails shows why.
async function refresh() {
  const now = Date.now();
  if (!view?.read || now < (view.next ?? 0)) return;
  const asked = view;
  asked.next = now + asked.every;
  try {
    await asked.read();
    asked.fault?.("");
  } catch (error) {
    if (!(error instanceof Fault)) console.error(error); // a mistake of this page: the next try may do
    asked.fault?.(error.message);
  }
}

const pause = (ms) => new Promise((resume) => setTimeout(resume, ms));
async function eachSecond(act) {
  for (;;) {
    if (!document.hidden) await act();
    await pause(1000);
  }
}

function route() {
  const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("/");
  const words = rest.map((word) => { try { return decodeURIComponent(word); } catch { return word; } });
  view?.leave?.();
  view = (VIEWS[name] ?? VIEWS[""])(...words);
  for (const link of document.querySelectorAll("nav a")) {
    const current = link.getAttribute("href") === `#/${name === "device" ? "devices" : name}`;
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  content.classList.toggle("full", Boolean(view.full));
  content.replaceChildren(view.node);
  content.scrollTop = 0;
  show();
  refresh();
}
addEventListener("hashchange", route);
document.addEventListener("visibilitychange", () => { if (!document.hidden) poll(); });
document.getElementById("skip").addEventListener("click", (event) => { event.preventDefault(); content.focus(); });
route();
eachSecond(poll);
eachSecond(refresh);
