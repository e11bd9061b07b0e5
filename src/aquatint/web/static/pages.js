// What the server's HTML and htmx do not reach: pictures that are dropped in, the slider, copies, themes, times.

const token = () => document.querySelector('meta[name="csrf"]').content;
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const announcer = document.getElementById("announcer");

function announce(words) {
  if (words && announcer.textContent !== words) announcer.textContent = words;
}

function problem(words, why = "") {
  const place = document.getElementById("problem");
  const shown = document.createElement("p");
  shown.className = "problem";
  shown.dataset.why = why;
  shown.textContent = words;
  if (place.textContent !== words) place.replaceChildren(shown);
}

// Login: a link may carry the key behind #, which no server sees. It is used once and forgotten.
const login = document.querySelector("[data-login]");
function follow() {
  if (!location.hash.startsWith("#key=")) return;
  login.elements.key.value = decodeURIComponent(location.hash.slice(5));
  history.replaceState(null, "", location.pathname + location.search);
  login.requestSubmit();
}
if (login) {
  follow();
  addEventListener("hashchange", follow);
}

// Theme: the system's, or what the reader chose. The choice is a cookie, so that the server draws it at once.
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-theme-toggle]")) return;
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  document.cookie = `aquatint_theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=strict`;
});

// Times in the reader's own zone.
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const ago = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
function since(moment) {
  const seconds = (moment - Date.now()) / 1000;
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]])
    if (Math.abs(seconds) >= size) return ago.format(Math.round(seconds / size), unit);
  return ago.format(Math.round(seconds), "second");
}

// Everything that a new piece of a page needs.
function dress(root) {
  for (const time of all("time[datetime]", root)) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.valueOf())) continue;
    if ("local" in time.dataset) time.textContent = day.format(moment);
    else if ("clock" in time.dataset) time.textContent = clock.format(moment);
    else if ("ago" in time.dataset) time.textContent = since(moment);
    time.title = moment.toISOString();
  }
  for (const range of all("[data-cut]", root)) cut(range);
  size();
}

function cut(range) {
  range.parentElement.style.setProperty("--cut", `${range.value}%`);
}
document.addEventListener("input", (event) => event.target.matches?.("[data-cut]") && cut(event.target));

// The pixels of the chosen ratio and resolution.
function size() {
  const output = document.querySelector("[data-size]");
  if (!output) return;
  const form = output.closest("form");
  const ratio = form.querySelector('input[name="ratio"]:checked');
  const tier = form.querySelector('input[name="resolution"]:checked')?.value;
  const rows = (ratio?.dataset.sizes || "").split(";").map((row) => row.split("="));
  const found = rows.find(([name]) => name === tier)?.[1];
  output.textContent = found || (ratio?.value ? "" : "1:1, or as the first reference");
}
document.addEventListener("change", (event) => event.target.matches?.('input[name="ratio"], input[name="resolution"]') && size());

// Reference pictures: dropped, pasted, chosen, or a result that is used again.
const refs = () => document.querySelector("[data-refs]");

function addReference(url, picture, label) {
  const place = refs();
  const list = place.querySelector(".ref-list");
  if (list.children.length >= Number(place.dataset.max)) {
    problem(`This model takes ${place.dataset.max} reference pictures at most.`);
    return null;
  }
  const item = document.getElementById("ref-template").content.firstElementChild.cloneNode(true);
  item.querySelector("img").src = picture;
  item.querySelector("img").alt = label;
  item.querySelector("input").value = url;
  item.setAttribute("aria-busy", url ? "false" : "true");
  list.append(item);
  changed();
  return item;
}

function changed() {
  document.getElementById("ask")?.dispatchEvent(new Event("change", { bubbles: true }));
}

async function upload(file) {
  const words = refs().querySelector(".upload-words");
  const item = addReference("", URL.createObjectURL(file), file.name || "Pasted picture");
  if (!item) return;
  words.textContent = `${file.name || "The picture"} is sent …`;
  const form = new FormData();
  form.append("file", file, file.name || "pasted.png");
  try {
    const answer = await fetch("/web/api/v1/files", { method: "POST", body: form, headers: { "X-CSRF-Token": token() } });
    const envelope = await answer.json();
    if (envelope.code !== 0) throw new Error(envelope.msg);
    const { url } = envelope.data;
    item.querySelector("input").value = url;
    item.setAttribute("aria-busy", "false");
    words.textContent = "";
    // Another model may have been chosen meanwhile, which has fields of its own.
    if (!item.isConnected && !item.dataset.dropped && refs()) addReference(url, item.querySelector("img").src, file.name);
    announce("The reference picture is there.");
    changed();
  } catch (error) {
    item.remove();
    words.textContent = "";
    problem(`The picture was not taken: ${error.message}`);
  }
}

const pictures = (items) => [...(items || [])].filter((file) => file.type.startsWith("image/"));

document.addEventListener("change", (event) => {
  if (!event.target.matches?.("[data-upload]")) return;
  pictures(event.target.files).forEach(upload);
  event.target.value = "";
});
document.addEventListener("paste", (event) => {
  const found = refs() ? pictures(event.clipboardData?.files) : [];
  if (found.length) event.preventDefault();
  found.forEach(upload);
});
for (const kind of ["dragenter", "dragover", "dragleave", "drop"])
  document.addEventListener(kind, (event) => {
    if (!refs() || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    refs().classList.toggle("over", kind === "dragenter" || kind === "dragover");
    if (kind === "drop") pictures(event.dataTransfer.files).forEach(upload);
  });
document.addEventListener("click", (event) => {
  const drop = event.target.closest("[data-drop-ref]");
  if (drop) {
    const item = drop.closest(".ref");
    item.dataset.dropped = "1";
    item.remove();
    document.querySelector("[data-upload]")?.focus();
    changed();
  }
  const use = event.target.closest("a[data-use]");
  if (use && refs()) {
    event.preventDefault();
    const image = use.closest("figure").querySelector("img");
    if (addReference(use.dataset.use, image.src, `Reference: ${image.alt}`)) {
      announce("The picture is a reference now.");
      document.getElementById("prompt").focus();
    }
  }
  const example = event.target.closest("[data-example]");
  if (example) {
    const prompt = document.getElementById("prompt");
    prompt.value = example.dataset.example;
    prompt.focus();
    changed();
  }
});

// One press is one task, however long or often the finger comes down: pictures may cost money.
const BREATH = 600; // milliseconds, longer than between the two clicks of a double one
const LOST = 10000; // milliseconds after which a page that was sent and not replaced may be sent again
const sent = new Map();
function free(form, after) {
  clearTimeout(sent.get(form));
  sent.set(form, setTimeout(() => sent.delete(form), after));
}
document.addEventListener(
  "submit",
  (event) => {
    if (event.target.method !== "post") return;
    const underWay = event.target.querySelector('.ref[aria-busy="true"]');
    if (!underWay && !sent.has(event.target)) return free(event.target, LOST);
    event.preventDefault();
    event.stopImmediatePropagation();
    if (underWay) problem("A reference picture is still being sent. Paint once it is there.");
  },
  true,
);
document.addEventListener("htmx:afterRequest", (event) => sent.has(event.detail.elt) && free(event.detail.elt, BREATH));
addEventListener("pageshow", () => sent.clear());
document.addEventListener(
  "keydown",
  (event) => event.repeat && event.key === "Enter" && !event.target.matches?.("textarea") && event.preventDefault(),
  true,
);

// The prompt: Ctrl or Cmd and Enter paint.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches?.("[data-prompt]")) {
    event.preventDefault();
    if (event.repeat) return;
    event.target.form.requestSubmit(document.getElementById("paint"));
  }
});

// The form as code follows the form while it is shown.
const ask = document.getElementById("ask");
const code = document.getElementById("code-of-form");
function write() {
  if (code.open) htmx.trigger(code.querySelector(".code-slot"), "code");
}
if (ask) {
  ask.addEventListener("change", write);
  code.addEventListener("toggle", write);
}

// Tabs and copies.
function choose(tab) {
  for (const other of all('[role="tab"]', tab.parentElement)) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", String(chosen));
    other.tabIndex = chosen ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls")).hidden = !chosen;
  }
}
async function copied(code) {
  if (navigator.clipboard) return navigator.clipboard.writeText(code.textContent).then(() => true, () => false);
  getSelection().selectAllChildren(code); // over plain http browsers have no clipboard to write to
  return document.execCommand("copy");
}
document.addEventListener("click", async (event) => {
  const tab = event.target.closest('[role="tab"]');
  if (tab) choose(tab);
  const copy = event.target.closest("[data-copy]");
  if (!copy) return;
  const words = (await copied(copy.parentElement.querySelector("code"))) ? "Copied" : "Not copied";
  copy.textContent = words;
  announce(`${words}.`);
  setTimeout(() => (copy.textContent = "Copy"), 1600);
});
document.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.('[role="tab"]');
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!tab || !step) return;
  const tabs = all('[role="tab"]', tab.parentElement);
  const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
  choose(next);
  next.focus();
});

// What renews itself is morphed, so that what is pressed, focused or selected stays where it is. What the reader opened
// stays open, a time that did not change stays in the reader's zone, and what is marked as kept is not looked at.
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name) => name !== "open";
Idiomorph.defaults.callbacks.beforeNodeMorphed = (old, renewed) =>
  !(old.matches?.("[data-kept]") || (old.matches?.("time[datetime]") && old.dateTime === renewed.dateTime));

// Between htmx and the page: refusals become words, news are told.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if (xhr.status >= 400 && xhr.getResponseHeader("HX-Retarget")) event.detail.shouldSwap = true;
});
document.addEventListener("htmx:afterSwap", (event) => {
  const root = event.detail.elt.isConnected ? event.detail.elt : document;
  dress(document);
  const live = root.matches?.("[data-news]") ? root : root.querySelector?.("[data-news]");
  if (live) announce(live.dataset.news);
  if (event.detail.target.id === "wall") document.querySelector("[data-empty]")?.remove();
});
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.requestConfig.verb === "post") document.getElementById("problem").replaceChildren();
});
document.addEventListener("htmx:afterRequest", (event) => {
  const tile = event.detail.elt.closest?.(".tile");
  if (!tile || !event.detail.successful || event.detail.requestConfig.verb !== "post") return;
  all(`[data-task="${CSS.escape(tile.dataset.task)}"]`).forEach((one) => one.remove());
  announce("Deleted.");
});
document.addEventListener("htmx:responseError", (event) => {
  if (!event.detail.xhr.getResponseHeader("HX-Retarget")) problem("The server did not answer as it should. Try again.");
});
document.addEventListener("htmx:sendError", () => problem("The server cannot be reached.", "away"));
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) document.querySelector("#problem [data-why=away]")?.remove();
});

dress(document);
