// Finds the view that the address names, and draws it again when time, zone or address change.

import { Away, Refused, token } from "./client.js";
import { views } from "./views.js";

const REFRESH_MS = 30000;

const place = (id) => document.getElementById(id);
const range = place("range");
let drawing = 0;

function zones() {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const known = Intl.supportedValuesOf ? Intl.supportedValuesOf("timeZone") : [];
  for (const name of new Set([own, "UTC", ...known]))
    range.tz.add(new Option(name.replaceAll("_", " "), name, name === own, name === own));
}

/** Text that is not percent-encoded stays as it is. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** "#/campaigns/a%20b?x=1" as {name: "campaigns", rest: ["a b"], query}. */
function route() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name = "", ...rest] = path.split("/").map(decoded);
  return { name: name || "overview", rest, query: Object.fromEntries(new URLSearchParams(query)) };
}

function frame() {
  const to = new Date();
  to.setSeconds(0, 0);
  const from = new Date(to.getTime() - Number(range.days.value) * 86400000);
  return { from: from.toISOString(), to: to.toISOString(), tz: range.tz.value,
    interval: Number(range.days.value) <= 1 ? "hour" : "day" };
}

function notice(text) {
  place("notice").textContent = text;
}

function ask(shown) {
  place("enter").hidden = !shown;
  place("leave").hidden = shown;
  if (shown) place("view").replaceChildren();
}

function markNavigation(name) {
  for (const link of document.querySelectorAll("nav a")) {
    const target = link.getAttribute("href").replace(/^#\//, "") || "overview";
    if (target === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function explain(error) {
  if (error instanceof Refused && error.status === 401) {
    token.forget();
    ask(true);
  }
  const known = error instanceof Refused || error instanceof Away;
  notice(known ? error.message : `The dashboard has failed: ${error.message}`);
}

async function draw(quiet) {
  const { name, rest, query } = route();
  const mine = ++drawing;
  const view = Object.hasOwn(views, name) ? views[name] : views.missing;
  markNavigation(name);
  if (!token.get()) {
    ask(true);
    return;
  }
  ask(false);
  if (!quiet) place("view").setAttribute("aria-busy", "true");
  try {
    const nodes = await view({ rest, query, time: frame(), redraw: draw, failed: explain });
    if (mine !== drawing) return;
    place("view").replaceChildren(...nodes);
    notice("");
  } catch (error) {
    if (mine === drawing) explain(error);
  } finally {
    if (mine === drawing) place("view").removeAttribute("aria-busy");
  }
}

place("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  token.set(event.target.token.value.trim());
  event.target.reset();
  draw();
});
place("leave").addEventListener("click", () => {
  token.forget();
  draw();
});
range.addEventListener("change", () => draw());
window.addEventListener("hashchange", () => {
  draw();
  place("main").focus();
});
setInterval(() => {
  // Not while somebody types, or looks elsewhere.
  if (!document.hidden && !document.activeElement.closest("#view form")) {
    if (["overview", "campaigns"].includes(route().name)) draw(true);
  }
}, REFRESH_MS);
zones();
draw();
