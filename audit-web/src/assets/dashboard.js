// What pages gain with a script: local times, keys, the pane, counts beside the list, the live tail.
// Everything else works without. Text never becomes markup here: nodes are built, or taken from pages
// of this server that the browser has parsed as inert documents.

const one = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

const node = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

// A page of this server as a document, in which no script runs.
const load = (url) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.responseType = "document";
    request.onload = () => {
      const page = request.response;
      const isThere = request.status === 200 && page && new URL(request.responseURL).pathname !== "/login";
      isThere ? resolve(page) : reject(new Error(`the server answered ${request.status}`));
    };
    request.onerror = () => reject(new Error("the server does not answer"));
    request.open("GET", url);
    request.setRequestHeader("Accept", "text/html");
    request.send();
  });

// Local times beside those in UTC.

const local = new Intl.DateTimeFormat(undefined, {
  dateStyle: "medium",
  timeStyle: "long",
});

const tellLocalTimes = (within) => {
  for (const time of all("time[data-local]", within)) {
    delete time.dataset.local;
    time.after(node("span", { className: "local", textContent: local.format(new Date(time.dateTime)) }));
  }
};

// Copying commands.

const offerCopies = (within) => {
  for (const button of all("[data-copy]", within)) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.onclick = async () => {
      await navigator.clipboard.writeText(one("code", button.parentElement).textContent);
      button.textContent = "Copied";
    };
  }
};

const enhance = (within) => {
  tellLocalTimes(within);
  offerCopies(within);
};

// The explorer: counts come when the store has counted, events open beside the list.

const explorer = one(".explorer");
const pane = one("#pane");

const loadCounts = async (link) => {
  const counts = one("#counts");
  const histogram = one(".histogram", counts);
  histogram.setAttribute("aria-busy", "true");
  try {
    const page = await load(link.href);
    counts.replaceChildren(...document.adoptNode(one("#counts", page)).childNodes);
  } catch (error) {
    histogram.append(node("p", { className: "problem", textContent: `Not counted: ${error.message}.` }));
    histogram.removeAttribute("aria-busy");
  }
};

const offerCounts = () => {
  const link = one("#counts a");
  link.onclick = (event) => {
    event.preventDefault();
    loadCounts(link);
  };
  if (one("#counts[data-load]")) loadCounts(link);
};

const eventOf = (link) => new URL(link.href).pathname.match(/^\/event\/([0-9a-f-]{36})$/)?.[1];

const select = (id) => {
  for (const row of all(".list tbody tr")) {
    const isOpen = id !== null && eventOf(one("a", row)) === id;
    isOpen ? row.setAttribute("aria-current", "true") : row.removeAttribute("aria-current");
  }
};

const remember = (id) => {
  const url = new URL(location.href);
  id ? url.searchParams.set("event", id) : url.searchParams.delete("event");
  history.replaceState(null, "", url);
};

const open = async (id) => {
  remember(id);
  select(id);
  explorer.dataset.pane = "";
  pane.setAttribute("aria-busy", "true");
  try {
    // Payloads are read on the page of the event, where it is recorded.
    const page = await load(`/event/${id}?payloads=no`);
    if (new URL(location.href).searchParams.get("event") !== id) return;
    const close = node("button", { type: "button", textContent: "Close", onclick: closePane });
    const article = document.adoptNode(one("#event", page));
    const heading = one("h1", article);
    heading.replaceWith(node("h2", { className: "name" }, ...heading.childNodes));
    pane.replaceChildren(close, article);
    enhance(pane);
  } catch (error) {
    pane.replaceChildren(node("p", { className: "problem", textContent: `Not shown: ${error.message}.` }));
  }
  pane.removeAttribute("aria-busy");
};

const closePane = () => {
  if (!pane?.firstChild) return;
  const link = one(".list tr[aria-current] a");
  pane.replaceChildren();
  delete explorer.dataset.pane;
  remember(null);
  select(null);
  link?.focus();
};

if (explorer) {
  offerCounts();
  select(new URL(location.href).searchParams.get("event"));
  one(".list").addEventListener("click", (event) => {
    const row = event.target.closest("tbody tr");
    const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    const isSelecting = !getSelection().isCollapsed;
    const id = row && isPlain && !isSelecting && eventOf(one("a", row));
    if (!id) return;
    event.preventDefault();
    open(id);
  });
}

// The live tail. Its state is always told; what it does not show is counted, never dropped in silence.

const MOST_ROWS = 500;
const MOST_WAITING = 1000;
const RETRY_MILLIS = 5000;

const word = (outcome) => {
  if (outcome === "ok") return "ok";
  return ["denied", "rate_limited", "unauthenticated"].includes(outcome) ? "refused" : "failed";
};

// As the server does: what would reorder, hide or move text is written as its code.
const visible = (text) =>
  text.replace(
    /[\p{Cc}\p{NChar}\u061c\u200b-\u200f\u202a-\u202e\u2028\u2029\u2060\u2066-\u2069\ufeff\u{e0000}-\u{e007f}]/gu,
    (it) => `\\u{${it.codePointAt(0).toString(16)}}`,
  );

const short = (text = "") => {
  const characters = [...text];
  return characters.length > 48 ? `${visible(characters.slice(0, 48).join(""))}…` : visible(text);
};

const took = (millis) => {
  if (millis < 1) return `${millis.toFixed(3)} ms`;
  if (millis < 10) return `${millis.toFixed(2)} ms`;
  if (millis < 100) return `${millis.toFixed(1)} ms`;
  if (millis < 1000) return `${millis.toFixed(0)} ms`;
  if (millis < 60000) return `${(millis / 1000).toFixed(2)} s`;
  const seconds = Math.floor(millis / 1000);
  return `${Math.floor(seconds / 60).toLocaleString("en-US")} min ${seconds % 60} s`;
};

const what = (event) => {
  const { method, tool_name: tool } = event;
  if (!tool) return node("i", { textContent: short(method) });
  return method === "tools/call" ? short(tool) : `${short(method)} ${short(tool)}`;
};

const marks = (event) => {
  const reports = Object.values(event.payload_report ?? {}).filter(Boolean);
  const redactions = reports.flatMap((it) => Object.values(it.redactions ?? {}));
  const count = redactions.reduce((sum, n) => sum + n, 0);
  const parts = [];
  if (count) parts.push(`${count} redacted`);
  if (reports.some((it) => it.truncated)) parts.push("cut");
  return parts.join(", ");
};

const rowOf = (event) => {
  const cell = (className, ...children) => node("td", { className }, ...children);
  const began = event.ts.slice(0, 23).replace("T", " ");
  return node(
    "tr",
    {},
    cell("", node("a", { href: `/event/${event.id}`, textContent: began })),
    cell(word(event.outcome), event.outcome),
    cell("", what(event)),
    cell("", short(event.api_key_id ?? "")),
    cell("", short(event.role)),
    cell("n", `${event.status_code}`),
    cell("n", took(event.latency_ms)),
    cell("", marks(event)),
  );
};

const follow = (live) => {
  const state = one("#live-state");
  const pause = one("#live-pause");
  const more = one("#live-more");
  const rows = one("tbody", live);
  const shown = new Set(all("a", rows).map(eventOf));
  let source = null;
  let position = null;
  let isPaused = false;
  let waiting = [];
  let isFull = false;
  let letGo = 0;
  let timer = 0;

  const tell = (name, text) => {
    if (state.dataset.state === name && state.textContent === text) return;
    state.dataset.state = name;
    state.textContent = text;
  };

  const tellPaused = () => {
    const n = waiting.length;
    const arrived = isFull
      ? `${n} events wait here and more in the store`
      : `${n} ${n === 1 ? "event has" : "events have"} arrived since`;
    tell("paused", `Paused; ${arrived}. Resuming shows all of them.`);
  };

  const show = (events) => {
    const fresh = events.filter((event) => !shown.has(event.id));
    for (const event of fresh) shown.add(event.id);
    rows.prepend(...fresh.map(rowOf).reverse());
    while (rows.rows.length > MOST_ROWS) {
      shown.delete(eventOf(one("a", rows.lastElementChild)));
      rows.lastElementChild.remove();
      letGo += 1;
    }
    if (letGo) more.textContent = `${letGo} older rows were let go here; the explorer has them.`;
  };

  const connect = () => {
    clearTimeout(timer);
    const url = new URL(live.dataset.stream, location.href);
    if (position) url.searchParams.set("after", position);
    if (!isPaused) tell("connecting", "Connecting …");
    source = new EventSource(url);
    source.addEventListener("audit", (message) => {
      position = message.lastEventId || position;
      const event = JSON.parse(message.data);
      if (!isPaused) return show([event]);
      waiting.push(event);
      if (waiting.length >= MOST_WAITING) {
        // The store keeps the rest; the stream goes on from here when it is asked for.
        isFull = true;
        source.close();
      }
      tellPaused();
    });
    source.addEventListener("caught-up", (message) => {
      position = message.lastEventId || position;
      if (!isPaused) tell("live", "Live: events show as they are stored.");
    });
    source.addEventListener("behind", (message) => {
      const { n_events: n } = JSON.parse(message.data);
      if (!isPaused) tell("behind", `Behind: ${n} events were stored faster than they came here; they follow.`);
    });
    source.addEventListener("end", (message) => {
      source.close();
      const { reason } = JSON.parse(message.data);
      if (reason.includes("token")) return end(`Ended: ${reason}. Log in again to go on.`);
      if (reason.includes("anew")) return end(`Ended: ${reason}. Load the page again.`);
      retry(`Interrupted: ${reason}. Trying again; nothing is lost.`);
    });
    source.onerror = () => {
      if (source.readyState === EventSource.CONNECTING) {
        tell("lost", "Interrupted: the connection is lost. Trying again; nothing is lost.");
      } else {
        explain(url);
      }
    };
    source.onopen = () => (isPaused ? tellPaused() : tell("connecting", "Connected; catching up …"));
  };

  const retry = (text) => {
    tell("lost", text);
    clearTimeout(timer);
    timer = setTimeout(connect, RETRY_MILLIS);
  };

  const end = (text) => {
    tell("ended", text);
    pause.hidden = true;
  };

  // A refused stream says nothing of why; the same question without a stream does.
  const explain = async (url) => {
    const stop = new AbortController();
    try {
      const { status } = await fetch(url, { signal: stop.signal });
      stop.abort();
      if (status === 401 || status === 403) return end("Ended: you are not logged in any more. Log in again to go on.");
      if (status === 400 || status === 410) return end("Ended: the place in the stream is not known any more. Load the page again.");
      retry(`Interrupted: the server answered ${status}. Trying again; nothing is lost.`);
    } catch {
      retry("Interrupted: the server does not answer. Trying again; nothing is lost.");
    }
  };

  const toggle = () => {
    isPaused = !isPaused;
    pause.textContent = isPaused ? "Resume" : "Pause";
    pause.setAttribute("aria-pressed", `${isPaused}`);
    if (isPaused) return tellPaused();
    show(waiting.splice(0));
    if (source.readyState === EventSource.OPEN) return tell("live", "Live: events show as they are stored.");
    isFull = false;
    source.close();
    connect();
  };

  pause.hidden = false;
  pause.onclick = toggle;
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => event.persisted && connect());
  connect();
  return toggle;
};

const live = one("#live");
const togglePause = live && follow(live);

// Keys.

const keys = one("#keys");

const step = (by) => {
  const links = all(".events tbody td:first-child a");
  const row = document.activeElement.closest?.(".events tbody tr") ?? one(".events tr[aria-current]");
  const at = links.findIndex((link) => link.closest("tr") === row);
  const next = at < 0 ? 0 : Math.min(Math.max(at + by, 0), links.length - 1);
  links[next]?.focus();
  if (pane?.firstChild && links[next]) open(eventOf(links[next]));
};

const focusFilter = () => {
  const box = one("#q");
  if (!box) return location.assign("/explore");
  box.focus();
  box.setSelectionRange(box.value.length, box.value.length);
};

let isGoing = false;

const press = (key) => {
  if (isGoing) {
    isGoing = false;
    const link = all("header nav a").find((it) => it.dataset.key === key);
    return link ? (link.click(), true) : false;
  }
  const actions = {
    "/": focusFilter,
    "?": () => keys?.showModal(),
    Escape: closePane,
    g: () => { isGoing = true; },
    j: () => step(1),
    k: () => step(-1),
    p: () => togglePause?.(),
  };
  if (!Object.hasOwn(actions, key)) return false;
  actions[key]();
  return true;
};

addEventListener("keydown", (event) => {
  const isTyping = event.target.closest?.("input, select, textarea, dialog");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  if (press(event.key)) event.preventDefault();
});

enhance(document);
