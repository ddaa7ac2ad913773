// Regions are HTML from Python; this file only sends what was moved and puts regions where they belong.
export function render({ model }) {
  const root = document.createElement("main");
  root.className = "what-if";
  root.lang = model.lang;
  const style = document.createElement("style");
  style.textContent = model.css;
  const layout = document.createElement("div");
  layout.className = "layout";
  const make = (id, tag) => {
    const el = document.createElement(tag || "section");
    el.dataset.region = id;
    return el;
  };
  const regions = {};
  const left = document.createElement("div");
  left.className = "left";
  const right = document.createElement("div");
  right.className = "right";
  const live = document.createElement("p");
  live.className = "live";
  live.setAttribute("role", "status");
  live.setAttribute("aria-live", "polite");
  regions.head = make("head", "header");
  regions.controls = make("controls", "form");
  left.append(regions.controls);
  regions.answer = make("answer");
  regions.answer.setAttribute("aria-live", "polite");
  const grid = document.createElement("div");
  grid.className = "charts";
  for (const id of ["chart-fan", "chart-risk", "chart-waterfall", "chart-payoff"]) {
    regions[id] = make(id);
    grid.append(regions[id]);
  }
  right.append(regions.answer, live, grid);
  for (const id of ["sides", "offers", "notes"]) {
    regions[id] = make(id);
    right.append(regions[id]);
  }
  layout.append(left, right);
  root.append(style, regions.head, layout);
  regions.controls.addEventListener("submit", (e) => e.preventDefault());

  // One question at a time: what is moved while an answer is awaited goes out as one, newest value first to last.
  let busy = false;
  let waiting = null;
  let sent = 0;
  const send = (message) => {
    if (busy) {
      if (message.do || !waiting || waiting.some((m) => m.do)) waiting = [...(waiting || []), message];
      else waiting = [...waiting.filter((m) => m.key !== message.key), message];
      return;
    }
    busy = true;
    sent = performance.now();
    root.setAttribute("aria-busy", "true");
    model.send_msg(message);
  };
  const put = (html) => {
    const at = root.getRootNode().activeElement;
    const mark = at && at.dataset ? [at.dataset.key, at.dataset.do, at.type, at.id, at.dataset.number] : null;
    for (const [id, text] of Object.entries(html)) if (regions[id]) regions[id].innerHTML = text;
    if (!mark) return;
    for (const el of root.querySelectorAll("[data-key],[data-do],[id]")) {
      if (el.dataset.key === mark[0] && el.dataset.do === mark[1] && el.type === mark[2] && el.id === mark[3] && el.dataset.number === mark[4]) {
        if (root.getRootNode().activeElement !== el) el.focus({ preventScroll: true });
        break;
      }
    }
  };
  const save = (file) => {
    const bytes = Uint8Array.from(atob(file.base64), (c) => c.charCodeAt(0));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([bytes], { type: file.type }));
    link.download = file.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  model.on("msg:custom", (event) => {
    const m = event.data || event;
    root.lang = m.lang || root.lang;
    if (m.lang && root.getRootNode().host && root.getRootNode().host.getRootNode() === document) document.documentElement.lang = m.lang === "zh" ? "zh-CN" : "en";
    if (m.html) put(m.html);
    if (m.said !== undefined) live.textContent = m.said;
    if (m.file) save(m.file);
    busy = false;
    root.dataset.answered = String(Number(root.dataset.answered || 0) + 1);
    root.dataset.milliseconds = String(Math.round(performance.now() - sent));
    root.removeAttribute("aria-busy");
    if (waiting && waiting.length) {
      const next = waiting.shift();
      if (!waiting.length) waiting = null;
      send(next);
    }
  });
  root.addEventListener("input", (e) => {
    const el = e.target;
    if (el.type !== "range" || !el.dataset.key) return;
    const twin = root.querySelector(`input[type=number][data-key="${el.dataset.key}"]`);
    if (twin) twin.value = el.value;
    send({ key: el.dataset.key, value: el.value });
  });
  root.addEventListener("change", (e) => {
    const el = e.target;
    if (el.dataset.key && el.type !== "range") send({ key: el.dataset.key, value: el.value });
  });
  root.addEventListener("click", (e) => {
    const el = e.target.closest("[data-do]");
    if (!el || el.disabled) return;
    if (el.dataset.do === "skip") {
      e.preventDefault();
      root.querySelector("#answer").focus();
      return;
    }
    const name = root.querySelector("#offer-name");
    if (el.dataset.wait) live.textContent = el.dataset.wait;
    send({ do: el.dataset.do, number: el.dataset.number ? Number(el.dataset.number) : null, name: name ? name.value : "" });
  });
  put(model.first);
  return root;
}
