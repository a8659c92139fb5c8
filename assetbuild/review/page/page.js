"use strict";
// The page of `assetbuild watch --serve`. Everything that comes from a project is put in as text, never as HTML.

const $ = (id) => document.getElementById(id);
const store = (() => { try { return window.sessionStorage; } catch { return null; } })();
let token = "";
{
  const found = /(?:^#|&)t=([\w-]+)/.exec(location.hash);
  if (found) { token = found[1]; store?.setItem("token", token); history.replaceState(null, "", location.pathname); }
  else token = store?.getItem("token") ?? "";
}

let room = null;             // the last snapshot
let cards = new Map();       // id → card
let order = [];
let users = new Map();       // id → ids made from it
const shown = new Map();     // id → {item, key}
let chosen = null;           // id
let filter = "all";
let view = "cards";
let detail = null;           // what is known of the chosen one
let detailOf = "";
let blink = null;
let asking = false;

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null && child !== false));
  return element;
}

// ── what a card says ──

const KIND = { "up to date": "is-good", "not needed": "is-good", "to buy": "is-wait", held: "is-wait", waiting: "is-wait", failed: "is-bad", skipped: "is-bad", making: "is-work", "to draw": "is-work" };
const WORD = { held: "waiting for you", "to draw": "free, next", "not needed": "not here, not needed" };
const DOING = { buy: "buying", draw: "drawing", fetch: "fetching", compose: "composing", cut: "cutting" };
const FILTERS = [
  ["all", "All", () => true],
  ["buy", "To buy", (card) => Boolean(card.buy)],
  ["changed", "Changed", (card) => Boolean(card.before)],
  ["choice", "To choose", (card) => card.choice],
  ["you", "Waiting", (card) => ["held", "waiting", "skipped"].includes(card.state)],
  ["failed", "Failed", (card) => card.state === "failed"],
  ["good", "Up to date", (card) => card.state === "up to date" || card.state === "not needed"],
];

function matches(card) {
  const words = $("search").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const text = [card.id, card.state, card.reason, card.model, ...card.tags.map((tag) => `tag:${tag}`), ...card.outputs].join(" ").toLowerCase();
  return FILTERS.find(([name]) => name === filter)[2](card) && words.every((word) => text.includes(word));
}

function wordOf(card) { return card.state === "making" ? DOING[card.busy] ?? "making" : WORD[card.state] ?? card.state; }

function shot(card, size = 320) {
  const frame = make("div", { class: "shot" });
  const stale = Boolean(card.buy || card.state === "making");
  const picture = stale && card.draft ? card.draft : card.picture ?? card.draft;
  if (picture) {
    const image = make("img", { src: `/thumb/${picture.digest}?s=${size}`, alt: "", loading: "lazy", decoding: "async" });
    image.addEventListener("error", () => image.replaceWith(make("span", { class: "none" }, "no preview")));
    frame.append(image);
    if (picture === card.draft) frame.append(make("span", { class: "flag" }, "draft"));
  } else frame.append(make("span", { class: "none" }, "no picture yet"));
  return frame;
}

function drawCard(card) {
  const price = card.buy ? (card.buy.unknown ? "price unknown" : card.price) : "";
  return make("li", { class: `card${card.id === chosen ? " chosen" : ""}` },
    make("button", { type: "button", "data-id": card.id, "aria-label": `${card.id}, ${wordOf(card)}${price ? `, ${price}` : ""}`, onclick: () => choose(card.id, true) },
      shot(card),
      make("div", { class: "says" },
        make("span", { class: "id" }, card.id),
        make("span", { class: `state ${KIND[card.state] ?? ""}` }, make("b", {}, wordOf(card)), price && make("span", { class: "price" }, price)),
        card.reason && card.state !== "up to date" && make("span", { class: "why" }, card.reason),
        card.tags.length > 0 && make("span", { class: "tags" }, ...card.tags.map((tag) => make("span", {}, tag))))));
}

function drawCards() {
  const list = $("cards");
  const visible = order.filter((id) => matches(cards.get(id)));
  for (const [id, one] of shown) if (!visible.includes(id) && !cards.has(id)) { one.item.remove(); shown.delete(id); }
  const wanted = new Set(visible);
  const focused = document.activeElement?.dataset?.id;
  let before = null;
  for (const id of visible) {
    const card = cards.get(id);
    const key = JSON.stringify([card, id === chosen]);
    let one = shown.get(id);
    if (!one || one.key !== key) {
      let item = drawCard(card);
      if (one) { one.item.className = item.className; one.item.replaceChildren(...item.children); item = one.item; }
      one = { item, key };
      shown.set(id, one);
    }
    one.item.hidden = false;
    const place = before ? before.nextSibling : list.firstChild;
    if (place !== one.item) list.insertBefore(one.item, place);
    before = one.item;
  }
  for (const [id, one] of shown) if (!wanted.has(id)) one.item.hidden = true;
  if (focused && document.activeElement === document.body) list.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  const empty = $("empty");
  empty.hidden = visible.length > 0 || view !== "cards";
  empty.textContent = !room ? "" : order.length === 0 ? (room.broken ? "There was no plan yet." : room.planning ? "Planning …" : "The spec has no assets yet.") : "Nothing fits this search.";
  return visible;
}

function drawFilters() {
  const counts = FILTERS.map(([, , test]) => order.reduce((sum, id) => sum + (test(cards.get(id)) ? 1 : 0), 0));
  const box = $("filters");
  const key = JSON.stringify([counts, filter]);
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  const focused = box.contains(document.activeElement) ? document.activeElement.dataset.name : null;
  box.replaceChildren(...FILTERS.flatMap(([name, label], n) => (counts[n] || name === "all" || name === filter)
    ? [make("button", { type: "button", "data-name": name, "aria-pressed": String(name === filter), onclick: () => { filter = name; draw(); } }, label, make("span", { class: "n" }, String(counts[n])))]
    : []));
  if (focused) box.querySelector(`[data-name="${focused}"]`)?.focus();
}

function drawFrame() {
  document.title = room.pending.count ? `(${room.pending.count}) ${room.project} · assetbuild` : `${room.project} · assetbuild`;
  $("project").textContent = room.profile ? `${room.project} · ${room.profile}` : room.project;
  const making = order.filter((id) => cards.get(id).state === "making").length;
  const [is, text] = room.broken ? ["broken", "the spec has a mistake"]
    : room.mode.paused ? ["paused", "paused"]
    : making ? ["planning", `making ${making}`]
    : room.planning ? ["planning", "planning …"]
    : room.mode.waits ? ["waits", room.mode.waits]
    : ["good", `${order.length.toLocaleString("en")} assets, live`];
  $("status").dataset.is = is;
  if ($("status").textContent !== text) $("status").textContent = text;
  $("broken").hidden = !room.broken;
  $("broken").querySelector("pre").textContent = room.broken;
  const pending = room.pending;
  $("pending").textContent = pending.count ? `${pending.count.toLocaleString("en")} to buy, ${pending.unknown ? "at least " : pending.most ? "at most " : ""}${pending.price}` : "Nothing to buy";
  $("spend").textContent = room.money.sentence + (room.setup ? ` · ${room.setup}` : "");
  $("buy").hidden = !pending.count || !token;
  $("buy").textContent = `Buy all · ${pending.unknown ? "price unknown" : pending.price}`;
  $("buy").disabled = asking || Boolean(room.broken) || room.mode.paused;
  $("pause").hidden = !token;
  $("pause").textContent = room.mode.paused ? "Go on" : "Pause";
  if (!token) notice("This page only shows: open it with the address that the terminal prints to buy, choose or pause.");
}

function draw() {
  if (!room) return;
  drawFrame();
  drawFilters();
  $("cards").hidden = view !== "cards";
  $("graph").hidden = view !== "graph";
  $("as-cards").setAttribute("aria-pressed", String(view === "cards"));
  $("as-graph").setAttribute("aria-pressed", String(view === "graph"));
  drawCards();
  if (view === "graph") drawGraph();
  if (chosen && !cards.has(chosen)) choose(null);
  if (chosen) drawPanel();
}

// ── the graph ──

const NODE = { w: 190, h: 60, gapX: 60, gapY: 14 };
const MOST = 300;

function drawGraph() {
  const box = $("graph");
  let ids = order.filter((id) => matches(cards.get(id)) && (cards.get(id).bases.length || users.has(id)));
  const around = new Set(ids);
  for (const id of ids) for (const base of cards.get(id).bases) if (cards.has(base)) around.add(base);
  ids = order.filter((id) => around.has(id));
  let cut = false;
  if (ids.length > MOST) {
    cut = true;
    const near = new Set(chosen && around.has(chosen) ? [chosen] : ids.slice(0, 1));
    for (const id of near) { if (near.size > MOST) break; for (const next of [...cards.get(id).bases, ...(users.get(id) ?? [])]) if (cards.has(next)) near.add(next); }
    if (near.size < MOST) for (const id of ids) { if (near.size >= MOST) break; near.add(id); }
    ids = ids.filter((id) => near.has(id));
  }
  const level = new Map();
  const levelOf = (id, trail = new Set()) => {
    if (level.has(id)) return level.get(id);
    if (trail.has(id)) return 0;
    trail.add(id);
    const found = Math.max(-1, ...cards.get(id).bases.filter((base) => ids.includes(base)).map((base) => levelOf(base, trail))) + 1;
    level.set(id, found);
    return found;
  };
  const columns = [];
  for (const id of ids) (columns[levelOf(id)] ??= []).push(id);
  const place = new Map();
  columns.forEach((column, x) => {
    const wish = (id) => { const rows = cards.get(id).bases.map((base) => place.get(base)?.[1]).filter((row) => row != null); return rows.length ? rows.reduce((a, b) => a + b) / rows.length : 0; };
    if (x) column.sort((a, b) => wish(a) - wish(b));
    column.forEach((id, y) => place.set(id, [x * (NODE.w + NODE.gapX), y * (NODE.h + NODE.gapY)]));
  });
  const svgNs = "http://www.w3.org/2000/svg";
  const svg = (tag, attributes, ...children) => { const e = document.createElementNS(svgNs, tag); for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v); e.append(...children); return e; };
  const width = Math.max(1, columns.length) * (NODE.w + NODE.gapX), height = Math.max(1, ...columns.map((column) => column.length)) * (NODE.h + NODE.gapY);
  const edges = [], nodes = [];
  for (const id of ids) {
    const [x, y] = place.get(id), card = cards.get(id);
    for (const base of card.bases) {
      if (!place.has(base)) continue;
      const [bx, by] = place.get(base), x0 = bx + NODE.w, y0 = by + NODE.h / 2, y1 = y + NODE.h / 2, middle = (x0 + x) / 2;
      edges.push(svg("path", { class: `edge${[id, base].includes(chosen) ? " lit" : ""}`, d: `M${x0} ${y0}C${middle} ${y0} ${middle} ${y1} ${x} ${y1}` }));
    }
    const label = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
    const picture = card.buy && card.draft ? card.draft : card.picture ?? card.draft;
    const node = svg("g", { class: `node${id === chosen ? " chosen" : ""}`, transform: `translate(${x} ${y})`, "data-node": id },
      svg("rect", { width: NODE.w, height: NODE.h, rx: 9 }),
      ...(picture ? [svg("image", { href: `/thumb/${picture.digest}?s=320`, x: 4, y: 4, width: 52, height: 52, preserveAspectRatio: "xMidYMid slice" })] : []),
      svg("text", { x: 64, y: 26 }, label(id, 16)), svg("text", { x: 64, y: 44, class: "sub" }, label(wordOf(card), 20)), svg("title", {}, id));
    node.addEventListener("click", () => choose(id));
    nodes.push(node);
  }
  const [left, top] = [box.scrollLeft, box.scrollTop];
  box.replaceChildren(ids.length
    ? svg("svg", { width, height, viewBox: `-4 -4 ${width + 8} ${height + 8}`, role: "img", "aria-label": `${ids.length} assets, bases on the left; arrow keys walk` }, ...edges, ...nodes)
    : make("p", { class: "empty" }, "Nothing here is made from another picture."));
  if (cut) box.prepend(make("p", { class: "why" }, `${ids.length} of ${around.size} are drawn, around the chosen one: search to see others.`));
  box.scrollTo(left, top);
}

function walk(key) {
  const card = cards.get(chosen);
  if (!card) return order.find((id) => cards.get(id).bases.length || users.has(id));
  if (key === "ArrowLeft") return card.bases.find((id) => cards.has(id));
  if (key === "ArrowRight") return (users.get(chosen) ?? [])[0];
  const peers = card.bases.length ? users.get(card.bases[0]) ?? [] : order.filter((id) => !cards.get(id).bases.length && users.has(id));
  return peers[peers.indexOf(chosen) + (key === "ArrowDown" ? 1 : -1)];
}

// ── the panel ──

async function choose(id, open = false) {
  const before = chosen;
  chosen = id;
  if (!id) { stopBlink(); $("panel").hidden = true; draw(); if (before) focusCard(before); return; }
  draw();
  if (before !== id) load(id);
  if (open) { $("panel").hidden = false; $("panel-close").focus({ preventScroll: true }); drawPanel(); }
}

function focusCard(id) { document.querySelector(`.card [data-id="${CSS.escape(id)}"]`)?.focus({ preventScroll: true }); }

async function load(id) {
  if (!cards.has(id)) return;
  const asked = detailOf = `${id} ${JSON.stringify([cards.get(id)?.picture, cards.get(id)?.state, cards.get(id)?.reason])}`;
  try {
    const answer = await fetch(`/asset?id=${encodeURIComponent(id)}`);
    const found = answer.ok ? await answer.json() : null;
    if (detailOf === asked) { detail = found; drawPanel(); }
  } catch { /* the stream says when the watch is gone */ }
}

let drawn = "";
function drawPanel() {
  const card = cards.get(chosen);
  if (!card || $("panel").hidden) return;
  const now = `${chosen} ${JSON.stringify([card.picture, card.state, card.reason])}`;
  if (detailOf !== now) { load(chosen); }
  const about = detail && detail.id === chosen ? detail : null;
  const key = JSON.stringify([card, about, room.pending.token, asking, room.mode.paused]);
  if (key === drawn) return;
  drawn = key;
  $("panel-title").textContent = card.id;
  const body = $("panel-body"), scroll = $("panel").scrollTop;
  const focus = body.contains(document.activeElement) ? document.activeElement.dataset.does : null;
  stopBlink();
  const before = card.before ?? about?.before?.[0]?.digests?.[0];
  const parts = [];
  const now_ = card.picture;
  const stale = Boolean(card.buy);
  if (stale && card.draft) parts.push(make("section", {}, make("h3", {}, "Draft, free"), big(card.draft, `draft of ${card.id}`)));
  if (now_ && before && before !== now_.digest) parts.push(make("section", {}, make("h3", {}, "Before and now"), pair(before, now_.digest)));
  else if (now_) parts.push(make("section", {}, make("h3", {}, stale ? "As it is now" : "Picture"), big(now_, card.id)));
  if (about?.takes?.length) parts.push(make("section", {}, make("h3", {}, about.takes.length > 1 ? "Takes: arrows walk, a approves, r rejects, n goes to the next to choose" : "Take"), takes(card, about)));
  const facts = make("dl", { class: "facts" });
  const fact = (name, ...values) => facts.append(make("dt", {}, name), make("dd", {}, ...values));
  fact("State", wordOf(card) + (card.reason ? `: ${card.reason}` : ""));
  if (card.hint) fact("Way out", card.hint);
  fact("Model", `${card.provider} · ${card.model}`);
  if (card.bases.length) fact("Made from", ...links(card.bases));
  if (users.get(card.id)?.length) fact("Used by", ...links(users.get(card.id)));
  fact("File", card.outputs.join(", "));
  if (card.exports.length) fact("Exports", card.exports.map((one) => one.path).join(", "));
  if (about?.place) fact("Spec", `${about.place.file}:${about.place.line}`);
  parts.push(make("section", {}, facts));
  const does = make("div", { class: "does" });
  if (card.buy && token) does.append(make("button", { type: "button", class: "buy", "data-does": "buy", disabled: asking || room.mode.paused || Boolean(room.broken), onclick: () => buy([card.id], card.buy.most, card.buy.unknown ? "an unknown price" : card.buy.price) },
    `Buy · ${card.buy.unknown ? "price unknown" : card.buy.price}${card.buy.with ? ` with ${card.buy.with} that it needs` : ""}`));
  if (does.children.length) parts.push(make("section", {}, does));
  if (about) {
    const step = about.steps?.[about.steps.length - 1];
    const prompt = make("div", { class: "prompt", tabindex: "0" });
    if (about.words) for (const [kind, text] of about.words) prompt.append(kind === "gone" ? make("del", {}, text) : kind === "new" ? make("ins", {}, text) : text, " ");
    else prompt.append(step?.prompt ?? "");
    if (step?.prompt || about.words) parts.push(make("section", {}, make("h3", {}, about.words ? "Prompt, with what changed" : "Prompt as it is sent"), prompt));
    if (about.error) parts.push(make("section", {}, make("p", {}, about.error)));
  } else parts.push(make("section", {}, make("p", { class: "why" }, "…")));
  body.replaceChildren(...parts);
  $("panel").scrollTop = scroll;
  if (focus) body.querySelector(`[data-does="${focus}"]`)?.focus({ preventScroll: true });
}

function links(ids) {
  return ids.flatMap((id, n) => [n ? ", " : "", make("button", { type: "button", class: "quiet", onclick: () => choose(id, true) }, id)]).filter(Boolean);
}

function big(picture, alt) {
  const image = make("img", { src: `/picture/${picture.digest}`, alt, decoding: "async" });
  image.addEventListener("error", () => image.replaceWith(make("span", { class: "none" }, "no preview")));
  return make("div", { class: "big" }, image);
}

let slid = { of: "", at: "50" };
function pair(before, after) {
  const of = `${before} ${after}`;
  if (slid.of !== of) slid = { of, at: "50" };
  const box = make("div", { class: "pair" }, make("img", { src: `/picture/${before}`, alt: "before" }), make("img", { class: "after", src: `/picture/${after}`, alt: "now" }));
  const slider = make("input", { type: "range", min: "0", max: "100", value: slid.at, "aria-label": "Before on the left, now on the right", "data-does": "slide", oninput: () => { slid.at = slider.value; box.style.setProperty("--at", `${slid.at}%`); } });
  box.style.setProperty("--at", `${slid.at}%`);
  const button = make("button", { type: "button", "aria-pressed": "false", "data-does": "blink", onclick: () => {
    if (blink) { stopBlink(); box.classList.remove("blinks", "now"); button.setAttribute("aria-pressed", "false"); slider.disabled = false; return; }
    box.classList.add("blinks"); button.setAttribute("aria-pressed", "true"); slider.disabled = true;
    blink = setInterval(() => box.classList.toggle("now"), 600);
  } }, "Blink");
  return make("div", {}, box, make("div", { class: "pair-does" }, slider, button));
}

function stopBlink() { clearInterval(blink); blink = null; }

let take = 0;
function takes(card, about) {
  take = Math.min(take, about.takes.length - 1);
  return make("ul", { class: "takes" }, ...about.takes.map((one, n) => {
    const word = one.rejected != null ? `rejected${one.rejected ? `: ${one.rejected}` : ""}` : one.approved ? "approved" : one.chosen ? "chosen" : one.lies_there ? "lies there" : "";
    const frame = make("div", { class: "shot" });
    if (one.here && one.digests[0]) frame.append(make("img", { src: `/thumb/${one.digests[0]}?s=320`, alt: `take ${one.take}`, loading: "lazy" }));
    else frame.append(make("span", { class: "none" }, "not here"));
    const does = make("div", { class: "does" });
    if (token && one.here) for (const [name, label] of [["choose", "Choose"], ["approve", "Approve"], ["reject", "Reject"]])
      if (!(name === "choose" && one.chosen) && !(name === "approve" && one.approved) && !(name === "reject" && one.rejected != null))
        does.append(make("button", { type: "button", "data-does": `${name} ${one.take}`, onclick: () => judge(name, one.take) }, label));
    return make("li", { class: "take", "aria-current": String(n === take) }, frame, make("p", {}, `Take ${one.take}`, word ? ` · ${word}` : ""), does);
  }));
}

// ── what changes something ──

async function ask(name, args) {
  const answer = await fetch(`/do/${name}`, { method: "POST", headers: { "Content-Type": "application/json", "X-Assetbuild-Token": token }, body: JSON.stringify(args) });
  return answer.json();
}

async function act(name, args) {
  if (asking) return null;
  asking = true;
  draw();
  try {
    const found = await ask(name, args);
    toast(found.text);
    return found;
  } catch {
    toast("The watch doesn't answer: look at its terminal before you try again.");
    return null;
  } finally { asking = false; draw(); }
}

function sure(text, yes, withNote = false) {
  return new Promise((answer) => {
    $("sure-text").textContent = text;
    $("sure-yes").textContent = yes;
    $("sure-note").hidden = !withNote;
    $("note").value = "";
    const dialog = $("sure");
    let said = false;
    $("sure-yes").onclick = () => { said = true; dialog.close(); };
    $("sure-no").onclick = () => dialog.close();
    $("note").onkeydown = (event) => { if (event.key === "Enter") $("sure-yes").click(); };
    dialog.onclose = () => answer(said ? { note: $("note").value } : null);
    dialog.showModal();
  });
}

async function buy(ids, most, price) {
  const shownWith = room.pending.token;
  const what = ids ? ids.join(", ") : `${room.pending.count} purchases`;
  if (!await sure(`Buy ${what} for ${price}?`, `Buy · ${price}`)) return;
  await act("buy", { ids, most, token: shownWith });
}

async function judge(name, number) {
  const args = { id: chosen, take: number };
  if (name === "reject") {
    const said = await sure(`Reject take ${number} of ${chosen}? Nothing is deleted.`, "Reject", true);
    if (!said) return;
    args.note = said.note;
  }
  const found = await act(name, args);
  if (found?.done) { detailOf = ""; load(chosen); }
}

let fading = 0;
function toast(text) {
  $("toast").textContent = text;
  $("toast").hidden = false;
  clearTimeout(fading);
  fading = setTimeout(() => { $("toast").hidden = true; }, 7000);
}

function notice(text) { $("notice").textContent = text; $("notice").hidden = !text; }

// ── keys ──

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("sure").open) return;
  if (event.target.matches("input")) { if (event.key === "Escape") { event.target.blur(); } return; }
  const arrows = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];
  const open = !$("panel").hidden;
  if (event.key === "/") { event.preventDefault(); $("search").focus(); }
  else if (event.key === "Escape" && open) { $("panel").hidden = true; const id = chosen; choose(null); focusCard(id); }
  else if (event.key === "g") { view = view === "graph" ? "cards" : "graph"; draw(); }
  else if (open && detail?.takes?.length > 1 && arrows.includes(event.key)) {
    event.preventDefault();
    take = (take + (event.key === "ArrowRight" || event.key === "ArrowDown" ? 1 : -1) + detail.takes.length) % detail.takes.length;
    drawn = ""; drawPanel();
  } else if (open && token && detail?.takes?.length && (event.key === "a" || event.key === "r")) {
    judge(event.key === "a" ? "approve" : "reject", detail.takes[take].take);
  } else if (event.key === "n") {
    const waiting = order.filter((id) => cards.get(id).choice || cards.get(id).state === "held");
    if (waiting.length) { take = 0; choose(waiting[(waiting.indexOf(chosen) + 1) % waiting.length], true); } else toast("Nothing waits for a choice.");
  } else if (arrows.includes(event.key) && view === "graph") {
    const next = walk(event.key);
    if (next) { event.preventDefault(); choose(next, open); document.querySelector(`[data-node="${CSS.escape(next)}"]`)?.scrollIntoView({ block: "nearest", inline: "nearest" }); }
  } else if (event.key === "Enter" && view === "graph" && chosen && event.target === $("graph")) choose(chosen, true);
  else if (arrows.includes(event.key) && document.activeElement?.dataset?.id) {
    event.preventDefault();
    const items = [...document.querySelectorAll("#cards > li:not([hidden]) > button")];
    const at = items.indexOf(document.activeElement), across = Math.max(1, items.findIndex((item) => item.offsetTop > items[0].offsetTop));
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across }[event.key];
    items[at + step]?.focus();
  }
});

$("search").addEventListener("input", () => draw());
$("as-cards").addEventListener("click", () => { view = "cards"; draw(); });
$("as-graph").addEventListener("click", () => { view = "graph"; draw(); });
$("panel-close").addEventListener("click", () => choose(null));
$("buy").addEventListener("click", () => buy(null, room.pending.most, room.pending.unknown ? "an unknown price" : room.pending.price));
$("pause").addEventListener("click", () => act("pause", { paused: !room.mode.paused }));

// ── live ──

function take_in(news, everything) {
  if (everything) { cards = new Map(news.assets.map((card) => [card.id, card])); order = news.assets.map((card) => card.id); }
  else {
    for (const [id, card] of Object.entries(news.cards ?? {})) card ? cards.set(id, card) : cards.delete(id);
    order = (news.order ?? order).filter((id) => cards.has(id));
  }
  const { cards: _, order: __, assets: ___, ...rest } = news;
  room = { ...room, ...rest };
  users = new Map();
  for (const [id, card] of cards) for (const base of card.bases) users.set(base, [...(users.get(base) ?? []), id]);
  draw();
}

function listen() {
  const stream = new EventSource("/events");
  stream.addEventListener("all", (event) => { notice(""); take_in(JSON.parse(event.data), true); });
  stream.addEventListener("news", (event) => take_in(JSON.parse(event.data), false));
  stream.onerror = () => {
    $("status").dataset.is = "gone";
    $("status").textContent = "the watch has ended";
    notice("The watch doesn't answer any more: what you see is how it was. This page goes on by itself when it is back.");
    if (stream.readyState === EventSource.CLOSED) { stream.close(); setTimeout(listen, 2000); }
  };
}
listen();
