// The views: each asks the API and returns the nodes to show. Everything from outside becomes text.

import { chart } from "./chart.js";
import { download, get, post, put, remove, Refused } from "./client.js";

const SERIES = [{ name: "hard", label: "hard" }, { name: "soft", label: "soft" },
  { name: "block", label: "blocked" }, { name: "delayed", label: "delayed" }];
const CLASSES = ["mailbox_unknown", "mailbox_inactive", "domain_invalid", "mailbox_full",
  "message_too_large", "throttled", "network", "remote_system", "expired", "reputation_block",
  "auth_failure", "content_block", "policy_refused", "protocol", "complaint", "auto_reply",
  "unclassified"];
const number = (value) => (value === null || value === undefined ? "–"
  : value.toLocaleString("en"));

/** A node; attributes that are functions listen. */
function el(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (typeof value === "function") node.addEventListener(key, value);
    else if (value !== undefined && value !== false) node.setAttribute(key, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/** A button that saves a file of the API, or tells `failed` why not. */
function saver(text, path, query, name, failed) {
  return el("button", { type: "button", click: () => download(path, query, name).catch(failed) },
    text);
}

function percent(rate) {
  if (rate.value === null) return "–";
  return `${(rate.value * 100).toFixed(rate.value > 0 && rate.value < 0.001 ? 3 : 2)} %`;
}

function ofWhat(rate) {
  return rate.denominator === null ? "sent is not known"
    : `${number(rate.numerator)} of ${number(rate.denominator)}`;
}

function when(text, tz) {
  return text ? new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium",
    timeZone: tz }).format(new Date(text)) : "–";
}

/** `columns`: [head, (row) => text or node, "number" or "long" or nothing]. */
function table(columns, rows, empty = "Nothing yet.") {
  if (!rows.length) return el("p", {}, empty);
  const head = columns.map(([name, , kind]) => el("th", { scope: "col", class: kind }, name));
  const body = rows.map((row) => el("tr", {}, columns.map(([, value, kind]) => {
    const found = value(row);
    return el("td", { class: kind }, found === null || found === undefined ? "–" : found);
  })));
  return el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, head)),
    el("tbody", {}, body)));
}

function tile(name, big, small) {
  return el("div", { class: "tile" }, el("dt", {}, name), el("dd", { class: "big" }, big),
    ...[small].flat().map((text) => el("dd", { class: "small" }, text)));
}

function against(now, before) {
  if (!before || before.value === null || now.value === null) return null;
  const points = (now.value - before.value) * 100;
  const sign = points > 0 ? "+" : "";
  return el("span", { class: points > 0 ? "worse" : "better" },
    `${sign}${points.toFixed(2)} points against the time before`);
}

function tiles(found, before) {
  const { counts, rates } = found;
  const one = (name, count, rate) => tile(name, number(count), [
    `${percent(rates[rate])} (${ofWhat(rates[rate])})`,
    before ? against(rates[rate], before.rates[rate]) || "" : ""]);
  return el("dl", { class: "tiles" },
    tile("Sent", number(found.sent), `${number(counts.delivered_presumed)} presumed delivered, `
      + `${number(counts.delivered_confirmed)} confirmed`),
    one("Failed", counts.failed, "failure_rate"),
    one("Delayed", counts.delayed, "delay_rate"),
    tile("Delayed now", number(counts.delay_open), `${number(counts.handed_off)} handed off`),
    one("Complaints", counts.complained, "complaint_rate"),
    tile("Proven", percent(found.coverage), `${ofWhat(found.coverage)} records`));
}

/** Points that are not there count nothing; they are shown nevertheless. A day has 23 to 25 hours. */
function filled(points, time) {
  const step = time.interval === "hour" ? 3600000 : 86400000;
  const all = [];
  for (const point of points) {
    const before = all.length ? Date.parse(all.at(-1).t) : Date.parse(point.t);
    const gap = Math.round((Date.parse(point.t) - before) / step);
    for (let n = 1; n < gap; n++)
      all.push({ t: new Date(before + n * step).toISOString(), empty: true });
    all.push(point);
  }
  return all;
}

function bars(points, time) {
  const hours = time.interval === "hour";
  const short = new Intl.DateTimeFormat("en-GB", hours
    ? { hour: "2-digit", minute: "2-digit", timeZone: time.tz }
    : { day: "numeric", month: "short", timeZone: time.tz });
  return filled(points, time).map((point) => ({
    label: when(point.t, time.tz),
    short: short.format(new Date(point.t)),
    values: point.empty ? { hard: 0, soft: 0, block: 0, delayed: 0 } : {
      hard: point.rates.hard_failure_rate.numerator,
      soft: point.rates.soft_failure_rate.numerator,
      block: point.rates.block_failure_rate.numerator, delayed: point.counts.delayed },
  }));
}

const EMPTY = { sent: null, coverage: { value: null, numerator: 0, denominator: 0 },
  counts: { failed: 0, delayed: 0, delay_open: 0, handed_off: 0, complained: 0,
    delivered_confirmed: 0, delivered_presumed: null },
  rates: Object.fromEntries(["failure_rate", "delay_rate", "complaint_rate"].map(
    (name) => [name, { value: null, numerator: 0, denominator: null }])) };

const COUNT_COLUMNS = [
  ["failed", (row) => number(row.counts.failed), "number"],
  ["delayed", (row) => number(row.counts.delayed), "number"],
  ["delayed now", (row) => number(row.counts.delay_open), "number"],
  ["complaints", (row) => number(row.counts.complained), "number"],
];
const DELAY_COLUMNS = [
  ["provider", (row) => row.provider],
  ["open", (row) => number(row.open), "number"],
  ["< 1 h", (row) => number(row.ages.under_1h), "number"],
  ["< 6 h", (row) => number(row.ages.under_6h), "number"],
  ["< 1 d", (row) => number(row.ages.under_1d), "number"],
  ["older", (row) => number(row.ages.older), "number"],
];
const INCIDENT_COLUMNS = (tz) => [
  ["provider", (row) => row.provider || "unknown"],
  ["class", (row) => row.class],
  ["refused", (row) => row.sender],
  ["since", (row) => when(row.started_at, tz)],
  ["last", (row) => when(row.last_at, tz)],
  ["records", (row) => el("a", { href: `#/statuses?incident=${row.id}` }, number(row.records)),
    "number"],
  ["campaigns", (row) => number(row.campaigns), "number"],
  ["blocklist", (row) => row.blocklist],
  ["what the host said", (row) => row.sample, "long"],
];
const byFailed = (a, b) => b.counts.failed - a.counts.failed || b.counts.delayed - a.counts.delayed;

async function overview({ time, failed }) {
  const whole = { from: time.from, to: time.to, tz: time.tz, interval: "none" };
  const [sum, series, providers, classes, delays, incidents] = await Promise.all([
    get("/v1/metrics", { ...whole, compare: "previous" }),
    get("/v1/metrics", time),
    get("/v1/metrics", { ...whole, group_by: "provider" }),
    get("/v1/metrics", { ...whole, group_by: "class" }),
    get("/v1/delays"),
    get("/v1/incidents", { state: "open", limit: 20 })]);
  return [
    el("h2", {}, "All campaigns"), tiles(sum.data[0] || EMPTY, sum.previous[0]),
    ...(incidents.data.length ? [el("h3", {}, "Open incidents"),
      table(INCIDENT_COLUMNS(time.tz), incidents.data)] : []),
    chart("Failures and delays", bars(series.data, time), SERIES, number),
    saver("Series as CSV", "/v1/metrics", { ...time, format: "csv" }, "series.csv", failed),
    el("div", { class: "columns" },
      el("section", {}, el("h3", {}, "Providers"), table([["provider", (row) => el("a",
        { href: `#/statuses?provider=${encodeURIComponent(row.dims.provider)}` },
        row.dims.provider)], ...COUNT_COLUMNS], providers.data.sort(byFailed))),
      el("section", {}, el("h3", {}, "Classes"), table([["class", (row) => (row.dims.class
        ? el("a", { href: `#/statuses?class=${row.dims.class}` }, row.dims.class) : "none")],
        ...COUNT_COLUMNS], classes.data.filter((row) => row.dims.class).sort(byFailed))),
      el("section", {}, el("h3", {}, "Stuck now"),
        table(DELAY_COLUMNS, delays.data.filter((row) => row.open), "Nothing is delayed."))),
  ];
}

async function campaigns({ rest, query, time }) {
  if (rest[0]) return campaign(rest[0], time);
  const page = await get("/v1/campaigns", { limit: 100, cursor: query.cursor });
  return [el("h2", {}, "Campaigns"), table([
    ["campaign", (row) => el("a", { href: `#/campaigns/${encodeURIComponent(row.key)}` },
      row.name || row.key)],
    ["made", (row) => when(row.created_at, time.tz)],
    ["sent", (row) => number(row.sent), "number"],
    ["failed", (row) => number(row.counts.failed), "number"],
    ["failure rate", (row) => percent(row.rates.failure_rate), "number"],
    ["delay rate", (row) => percent(row.rates.delay_rate), "number"],
    ["complaint rate", (row) => percent(row.rates.complaint_rate), "number"],
    ["last report", (row) => when(row.last_report_at, time.tz)],
  ], page.data, "No campaign yet."), more("campaigns", {}, page)];
}

function more(name, query, page) {
  const next = new URLSearchParams({ ...query, cursor: page.next_cursor });
  return page.next_cursor ? el("p", {}, el("a", { href: `#/${name}?${next}` }, "Older ones")) : null;
}

async function campaign(key, time) {
  const path = `/v1/campaigns/${encodeURIComponent(key)}`;
  const [found, series, timings] = await Promise.all([get(path),
    get("/v1/metrics", { ...time, campaign: key }), get(`${path}/timings`)]);
  const spans = new Map(timings.data.map((row) => [row.provider, row]));
  const span = (row, name, part) => number(spans.get(row[0])?.[name][part]);
  const rates = Object.entries(found.rates);
  return [
    el("h2", {}, found.name || found.key, " ", el("code", {}, found.key)), tiles(found),
    chart("Failures and delays in the chosen time", bars(series.data, time), SERIES, number),
    el("p", {}, el("a", { href: `#/statuses?campaign=${encodeURIComponent(key)}` }, "Its records")),
    el("div", { class: "columns" },
      el("section", {}, el("h3", {}, "Rates"), table([["rate", (row) => row[0].replaceAll("_", " ")],
        ["value", (row) => percent(row[1]), "number"], ["of", (row) => ofWhat(row[1]), "number"]],
      rates)),
      el("section", {}, el("h3", {}, "Classes of failures"), table([["class", (row) => row[0]],
        ["failed", (row) => number(row[1]), "number"]], Object.entries(found.classes)))),
    el("h3", {}, "Providers"), table([["provider", (row) => row[0]],
      ["failed", (row) => number(row[1].failed), "number"],
      ["delayed", (row) => number(row[1].delayed), "number"],
      ["delayed now", (row) => number(row[1].delay_open), "number"],
      ["complaints", (row) => number(row[1].complained), "number"],
      ["to failure p50, s", (row) => span(row, "time_to_failure", "p50_s"), "number"],
      ["p95, s", (row) => span(row, "time_to_failure", "p95_s"), "number"],
      ["delayed for p50, s", (row) => span(row, "time_delayed", "p50_s"), "number"],
      ["p95, s", (row) => span(row, "time_delayed", "p95_s"), "number"]],
    Object.entries(found.providers)),
  ];
}

function choice(name, values, chosen) {
  return el("label", {}, `${name} `, el("select", { name }, el("option", { value: "" }, "any"),
    values.map((value) => el("option", { value, selected: value === chosen }, value))));
}

function field(name, value, type = "text") {
  return el("label", {}, `${name} `, el("input", { name, type, value: value || "" }));
}

async function statuses({ query, time, failed }) {
  const { cursor, ...filter } = query;
  const submit = (event) => {
    event.preventDefault();
    const wanted = [...new FormData(event.target)].filter(([, value]) => value);
    location.hash = `#/statuses?${new URLSearchParams(wanted)}`;
  };
  const page = await get("/v1/statuses", { ...filter, cursor, limit: 50 });
  return [
    el("h2", {}, "Records"),
    el("form", { submit }, field("campaign", filter.campaign), field("recipient", filter.recipient),
      field("provider", filter.provider), choice("class", CLASSES, filter.class),
      choice("action", ["failed", "delayed", "delivered", "relayed", "expanded"], filter.action),
      el("button", {}, "Show"), saver("All as CSV", "/v1/statuses", { ...filter, format: "csv" },
        "records.csv", failed)),
    table([
      ["received", (row) => when(row.received_at, time.tz)], ["campaign", (row) => row.campaign],
      ["recipient", (row) => row.recipient, "long"], ["action", (row) => row.action],
      ["class", (row) => row.class], ["provider", (row) => row.provider],
      ["evidence", (row) => row.evidence], ["what the host said", (row) => row.diagnostic, "long"],
      ["", (row) => el("a", { href: `#/reports/${row.report_id}` }, "why")],
    ], page.data, "No record fits."), more("statuses", filter, page)];
}

async function reports({ rest, time, failed }) {
  const path = `/v1/reports/${encodeURIComponent(rest[0])}`;
  const [report, why] = await Promise.all([get(path), get(`${path}/explain`)]);
  const decided = ["action", "status", "smtp_code", "smtp_status", "class", "cause", "permanence",
    "fault", "provider", "rule", "matched", "rules_version", "evidence", "evidence_because",
    "proven_recipient", "diagnostic"];
  return [
    el("h2", {}, `Report ${report.id}`),
    el("p", {}, `Received ${when(report.received_at, time.tz)} from ${report.peer || "–"}, `
      + `kind ${report.kind}; campaign ${why.campaign || "none"}: ${why.attribution_because}.`),
    report.warnings.length ? el("p", {}, `Warnings: ${report.warnings.join(", ")}`) : null,
    report.has_raw ? saver("The message as received", `${path}/raw`, {}, `${report.id}.eml`, failed)
      : null,
    ...why.recipients.flatMap((one) => [el("h3", {}, one.recipient || "nobody named"),
      table([["", (name) => name.replaceAll("_", " ")], ["", (name) => one[name], "long"]],
        decided.filter((name) => one[name] !== null))]),
  ].filter(Boolean);
}

async function lookUp(address) {
  try {
    return await get(`/v1/suppressions/${encodeURIComponent(address)}`);
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return null;
    throw error;
  }
}

function standing(address, entry, redraw, tz) {
  const path = `/v1/suppressions/${encodeURIComponent(address)}`;
  const act = (work) => async (event) => {
    event.target.disabled = true;
    await work().catch((error) => window.alert(error.message));
    redraw();
  };
  if (!entry) return el("p", {}, `${address} is not suppressed. `,
    el("button", { click: act(() => put(path, {})) }, "Suppress it"));
  return el("p", {}, `${address} is suppressed since ${when(entry.since, tz)}: `
    + `${entry.class || "by hand"}, evidence ${entry.evidence}, by ${entry.source}`
    + `${entry.expires_at ? `, until ${when(entry.expires_at, tz)}` : ""}. `,
  el("button", { click: act(() => remove(path)) }, "Lift it"));
}

/** What the guard holds: a person lets it take effect, or drops it. */
function waiting(held, redraw, tz) {
  const open = held.data.filter((row) => row.decided_at === null);
  if (!open.length) return [];
  const decide = (row, decision) => async (event) => {
    event.target.disabled = true;
    await post(`/v1/suppressions/held/${row.id}`, { decision })
      .catch((error) => window.alert(error.message));
    redraw();
  };
  return [el("h3", {}, "Held: too many at once from one text"), table([
    ["provider", (row) => row.provider], ["campaign", (row) => row.campaign],
    ["hour", (row) => when(row.hour, tz)], ["text", (row) => row.signature, "long"],
    ["failures", (row) => number(row.failures), "number"],
    ["of sent", (row) => number(row.sent), "number"],
    ["held", (row) => number(row.pending), "number"],
    ["", (row) => el("span", {}, el("button", { click: decide(row, "release") }, "Suppress them"),
      " ", el("button", { click: decide(row, "drop") }, "Drop them"))]], open)];
}

async function suppressions({ query, time, redraw, failed }) {
  const submit = (event) => {
    event.preventDefault();
    location.hash = `#/suppressions?${new URLSearchParams(new FormData(event.target))}`;
  };
  const [page, held, entry] = await Promise.all([
    get("/v1/suppressions", { limit: 50, cursor: query.cursor }), get("/v1/suppressions/held"),
    query.address ? lookUp(query.address) : null]);
  return [
    el("h2", {}, "Suppressions"),
    el("form", { submit }, field("address", query.address, "email"), el("button", {}, "Look up"),
      saver("All as CSV", "/v1/suppressions", { format: "csv" }, "suppressions.csv", failed)),
    query.address ? standing(query.address, entry, redraw, time.tz) : null,
    ...waiting(held, redraw, time.tz),
    table([
      ["address", (row) => (row.address ? el("a",
        { href: `#/suppressions?${new URLSearchParams({ address: row.address })}` }, row.address)
        : row.ref && `${row.campaign} / ${row.ref}`), "long"],
      ["class", (row) => row.class || "by hand"], ["evidence", (row) => row.evidence],
      ["since", (row) => when(row.since, time.tz)],
      ["until", (row) => (row.expires_at ? when(row.expires_at, time.tz) : "for good")],
      ["by", (row) => row.source + (row.pending ? ", held" : "")], ["note", (row) => row.note, "long"],
    ], page.data, "Nobody is suppressed."), more("suppressions", {}, page)].filter(Boolean);
}

const missing = async () => [el("p", {}, "There is no such view. "),
  el("a", { href: "#/" }, "Overview")];

export const views = { overview, campaigns, statuses, reports, suppressions, missing };
