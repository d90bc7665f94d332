// Draws the notebook's view into `root` and calls `chosen(indices)` when a selection ends. Points are painted on a canvas:
// fifty thousand take some milliseconds, where as many elements of a page would take seconds.
function explore(root, data, chosen) {
  const n = data.title.length, W = 640, H = 470, PAD = 8, LANE = 168;
  const make = (tag, name, text) => { const e = document.createElement(tag); if (name) e.className = name; if (text !== undefined) e.textContent = text; return e; };
  root.classList.add("nx");
  const bar = make("div", "nx-bar"), views = make("div", "nx-views");
  const said = make("span", "nx-said"); said.setAttribute("role", "status");
  const hasMap = data.x.length === n && n > 0;
  let view = hasMap ? "map" : "time", inside = null, box = null, frame = 0;
  const buttons = {};
  for (const [name, label] of [["map", data.words_of.map], ["time", data.words_of.time]]) {
    if (name === "map" && !hasMap) continue;
    const b = make("button", "", label); b.type = "button"; buttons[name] = b;
    b.onclick = () => { view = name; box = null; inside = null; place(); base(); paint(); lists(); };
    bar.append(b);
  }
  bar.append(said);
  const holder = make("div", "nx-holder"), canvas = make("canvas"), tip = make("div", "nx-tip");
  canvas.setAttribute("tabindex", "0"); canvas.setAttribute("aria-label", data.words_of.hint);
  const scale = Math.max(1, Math.min(2, window.devicePixelRatio || 1));
  canvas.width = W * scale; canvas.height = H * scale; canvas.style.width = W + "px"; canvas.style.aspectRatio = W + " / " + H;
  holder.append(canvas, tip);
  const side = make("div", "nx-side"), weeks = make("canvas"), tops = make("div", "nx-tops"), names = make("div", "nx-tops");
  weeks.width = 320 * scale; weeks.height = 110 * scale; weeks.style.width = "320px"; weeks.style.height = "110px";
  side.append(make("h4", "", data.words_of.weeks), weeks, make("h4", "", data.words_of.narratives), names, make("h4", "", data.words_of.words), tops);
  views.append(holder, side);
  const table = make("div", "nx-table");
  root.append(bar, views, table);
  const g = canvas.getContext("2d"), under = document.createElement("canvas"); under.width = canvas.width; under.height = canvas.height;
  const u = under.getContext("2d"), px = new Float32Array(n), py = new Float32Array(n);
  const css = name => getComputedStyle(root).getPropertyValue(name).trim();
  const colour = i => { const k = data.narrative[i]; return k < 0 ? data.none_colour : data.colours[k] || data.other_colour; };
  const order = Array.from({length: n}, (_, i) => i).sort((a, b) => rank(a) - rank(b));
  const latestFirst = Array.from({length: n}, (_, i) => i).sort((a, b) => data.day[b] - data.day[a] || a - b);
  function rank(i) { const k = data.narrative[i]; return k < 0 ? -1 : data.colours[k] ? 1 : 0; }
  function place() {
    const span = Math.max(1, data.days - 1);
    for (let i = 0; i < n; i++) {
      if (view === "map") { px[i] = PAD + (data.x[i] + 1) / 2 * (W - 2 * PAD); py[i] = PAD + (1 - data.y[i]) / 2 * (H - 2 * PAD); }
      else {
        const lanes = data.lanes.length, high = (H - 22 - PAD) / lanes;
        px[i] = LANE + data.day[i] / span * (W - LANE - PAD); py[i] = PAD + (data.lane[i] + .12 + .76 * data.jitter[i]) * high;
      }
    }
    for (const [name, b] of Object.entries(buttons)) b.setAttribute("aria-pressed", String(name === view));
  }
  function dots(to, indices, size) {
    to.save(); to.scale(scale, scale);
    let last = "";
    for (const i of indices) { const c = colour(i); if (c !== last) { to.fillStyle = c; last = c; } to.fillRect(px[i] - size / 2, py[i] - size / 2, size, size); }
    to.restore();
  }
  const size = n > 20000 ? 2 : n > 2000 ? 3 : 5;
  function base() {
    u.clearRect(0, 0, under.width, under.height);
    dots(u, order, size);
    if (view === "time") {
      u.save(); u.scale(scale, scale); u.fillStyle = css("--nx-ink"); u.font = "12px " + css("--nx-font"); u.textBaseline = "middle";
      const high = (H - 22 - PAD) / data.lanes.length;
      data.lanes.forEach((name, k) => u.fillText(short(u, name, LANE - 12), 4, PAD + (k + .5) * high));
      u.fillStyle = css("--nx-muted");
      const every = Math.ceil(data.weeks.length / 7);
      data.weeks.forEach((w, k) => { if (k % every === 0) u.fillText(w.slice(-3), LANE + (k * 7) / Math.max(1, data.days - 1) * (W - LANE - PAD), H - 9); });
      u.restore();
    }
  }
  function short(to, text, width) { if (to.measureText(text).width <= width) return text; while (text.length > 1 && to.measureText(text + "…").width > width) text = text.slice(0, -1); return text + "…"; }
  function paint() {
    g.clearRect(0, 0, canvas.width, canvas.height);
    g.globalAlpha = inside ? .16 : .8; g.drawImage(under, 0, 0); g.globalAlpha = 1;
    if (inside) dots(g, inside, size + 1);
    if (box) { g.save(); g.scale(scale, scale); g.strokeStyle = css("--nx-ink"); g.setLineDash([4, 3]); g.strokeRect(box[0], box[1], box[2] - box[0], box[3] - box[1]); g.restore(); }
  }
  function select() {
    if (!box) { inside = null; return; }
    const [a, b, c, d] = [Math.min(box[0], box[2]), Math.min(box[1], box[3]), Math.max(box[0], box[2]), Math.max(box[1], box[3])];
    inside = []; for (const i of order) if (px[i] >= a && px[i] <= c && py[i] >= b && py[i] <= d) inside.push(i);
  }
  function bars(into, counts, label, limit, paintOf) {
    into.replaceChildren();
    const best = [...counts].sort((p, q) => q[1] - p[1] || p[0] - q[0]).slice(0, limit), most = best.length ? best[0][1] : 1;
    for (const [k, value] of best) {
      const row = make("div", "nx-row"), fill = make("i"); fill.style.width = (100 * value / most) + "%"; fill.style.background = paintOf(k);
      const name = make("span", "nx-name", label(k)); name.title = label(k);
      const track = make("span", "nx-track"); track.append(fill); row.append(name, track, make("b", "", String(value))); into.append(row);
    }
  }
  function lists() {
    const own = inside || order, byWeek = new Int32Array(data.weeks.length), words = new Map(), told = new Map();
    for (const i of own) { byWeek[data.week[i]]++; told.set(data.narrative[i], (told.get(data.narrative[i]) || 0) + 1); for (const w of data.has[i]) words.set(w, (words.get(w) || 0) + 1); }
    const t = weeks.getContext("2d"); t.setTransform(scale, 0, 0, scale, 0, 0); t.clearRect(0, 0, 320, 110);
    const most = Math.max(1, ...byWeek), wide = 312 / Math.max(1, byWeek.length);
    t.font = "11px " + css("--nx-font");
    byWeek.forEach((v, k) => { t.fillStyle = css("--nx-accent"); const h = v / most * 78; t.fillRect(4 + k * wide, 92 - h, Math.max(1, wide - 2), h); });
    t.fillStyle = css("--nx-muted"); t.fillText(String(most), 4, 10); if (data.weeks.length) { t.fillText(data.weeks[0], 4, 106); const last = data.weeks[data.weeks.length - 1]; t.fillText(last, 316 - t.measureText(last).width, 106); }
    bars(names, told, k => k < 0 ? data.words_of.none : data.names[k], 6, k => k < 0 ? data.none_colour : data.colours[k] || data.other_colour);
    bars(tops, words, k => data.terms[k], 12, () => css("--nx-accent"));
    said.textContent = (inside ? inside.length + " / " : "") + n + " · " + data.words_of.hint;
    table.replaceChildren();
    const latest = [], isIn = inside ? new Uint8Array(n) : null;
    if (inside) for (const i of inside) isIn[i] = 1;
    for (const i of latestFirst) { if (!isIn || isIn[i]) latest.push(i); if (latest.length === 40) break; }
    for (const i of latest) {
      const line = make("div", "nx-line"); line.append(make("span", "nx-day", data.date[data.day[i]] || ""), make("span", "nx-source", data.sources[data.source[i]]));
      const dot = make("i"); dot.style.background = colour(i); line.append(dot);
      const title = make(data.url[i] ? "a" : "span", "nx-title", data.title[i]);
      if (data.url[i]) { title.href = data.url[i]; title.target = "_blank"; title.rel = "noopener noreferrer"; }
      line.append(title); table.append(line);
    }
    if (own.length > latest.length) table.append(make("div", "nx-more", "+ " + (own.length - latest.length)));
  }
  const at = e => { const r = canvas.getBoundingClientRect(); return [(e.clientX - r.left) * W / r.width, (e.clientY - r.top) * H / r.height]; };
  let down = null;
  function later() { if (!frame) frame = requestAnimationFrame(() => { frame = 0; select(); paint(); lists(); }); }
  canvas.onpointerdown = e => { down = at(e); box = null; canvas.setPointerCapture(e.pointerId); tip.style.display = "none"; };
  canvas.onpointermove = e => { const p = at(e); if (down) { box = [...down, ...p]; later(); } else hover(p); };
  canvas.onpointerup = e => {
    const p = at(e), still = down && Math.abs(p[0] - down[0]) < 3 && Math.abs(p[1] - down[1]) < 3; down = null;
    if (still) box = null;
    if (frame) { cancelAnimationFrame(frame); frame = 0; }
    select(); paint(); lists(); if (chosen) chosen(inside || []);
  };
  canvas.onkeydown = e => { if (e.key === "Escape") { box = null; select(); paint(); lists(); if (chosen) chosen([]); } };
  canvas.onpointerleave = () => { tip.style.display = "none"; };
  function hover(p) {
    let near = -1, best = 64;
    for (let i = 0; i < n; i++) { const dx = px[i] - p[0], dy = py[i] - p[1], d = dx * dx + dy * dy; if (d < best) { best = d; near = i; } }
    if (near < 0) { tip.style.display = "none"; return; }
    tip.replaceChildren(make("b", "", data.title[near]), make("br"), make("span", "", [data.sources[data.source[near]], data.date[data.day[near]], data.narrative[near] < 0 ? data.words_of.none : data.names[data.narrative[near]]].join(" · ")));
    tip.style.display = "block"; tip.style.left = Math.min(W - 290, px[near] + 12) + "px"; tip.style.top = Math.min(H - 60, py[near] + 12) + "px";
  }
  place(); base(); paint(); lists();
  root.dataset.ready = "yes";
}
