"use strict";
// Everything that a device says of itself becomes a text node: nothing here parses HTML.
function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

function section(title, ...children) {
  return make("section", {}, make("h3", {}, title), ...children);
}

// A dl of [title, value, evidence]; what has no value is left out.
function facts(pairs, kind = "facts") {
  const list = make("dl", { class: kind });
  for (const [title, value, why] of pairs) {
    if (value === null || value === undefined || value === "") continue;
    list.append(make("div", {}, make("dt", {}, title), make("dd", {}, value, why ? make("small", {}, ` ${why}`) : "")));
  }
  return list;
}

const LEVELS = {
  ready: "good", alive: "good", up: "good", active: "good", running: "good",
  degraded: "warn", warning: "warn", silent: "warn", disconnected: "warn", restarting: "warn", starting: "warn",
  connecting: "warn", alone: "warn", heard: "good", inactive: "warn",
  down: "bad", failed: "bad", dead: "bad", error: "bad", "no answer": "bad",
};
function pill(text) {
  return make("span", { class: `pill ${LEVELS[text] || ""}` }, text);
}

// Seconds as people say them: the two largest units.
function age(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor(whole % 3600 / 60)} min`;
  return `${Math.floor(whole / 86400)} d ${Math.floor(whole % 86400 / 3600)} h`;
}

// Unix seconds, or RFC 3339, as local time: of today without the date.
function moment(at) {
  const when = typeof at === "number" ? new Date(at * 1000) : new Date(at);
  if (Number.isNaN(when.getTime())) return String(at);
  const two = (number) => String(number).padStart(2, "0");
  const clock = [when.getHours(), when.getMinutes(), when.getSeconds()].map(two).join(":");
  if (when.toDateString() === new Date().toDateString()) return clock;
  return `${when.getFullYear()}-${two(when.getMonth() + 1)}-${two(when.getDate())} ${clock}`;
}

function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

function deviceLink(address, local) {
  return `#/device/${encodeURIComponent(address)}${local ? `/${encodeURIComponent(local)}` : ""}`;
}
