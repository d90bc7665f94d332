// The page's own script. Figures come from the JSON block; nothing is fetched.
const data = JSON.parse(document.getElementById("figures").textContent);
const root = document.documentElement;
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const printing = window.matchMedia("print");

function rowsOf(id, kind) {
  const entry = data.narratives[id];
  if (kind !== "scores" && kind !== "tone") {
    return data.weeks.map((week, i) => ({ week, n_stories: entry.n[i], reach: entry.r[i], share: entry.s[i] }));
  }
  const rows = [];
  for (const what of Object.keys(entry.scores)) {
    entry.scores[what].forEach(([mean, low, high, n], i) => rows.push({ week: data.weeks[i], what, mean, low, high, n }));
  }
  return rows;
}

function specOf(element, mode) {
  const [kind, id] = element.dataset.chart.split(":");
  if (id === undefined) return data.whole[kind];
  return { ...data.specs[mode][kind], datasets: { rows: rowsOf(id, kind) } };
}

const drawn = new Map();
async function draw(element, wanted) {
  const mode = wanted || (dark.matches && !printing.matches ? "dark" : "light");
  if (drawn.get(element) === mode) return;
  drawn.set(element, mode);
  const narrow = element.clientWidth < 520;
  const config = { ...data.config[mode] };
  if (narrow) config.legend = { ...config.legend, columns: 1, labelLimit: 260 };
  const spec = specOf(element, mode);
  try {
    const result = await vegaEmbed(element, spec, {
      ast: true, mode: "vega-lite", renderer: "svg", config,
      actions: { export: true, source: false, compiled: false, editor: false },
      downloadFileName: element.dataset.chart.replace(":", "-"),
      i18n: { SVG_ACTION: data.save[0], PNG_ACTION: data.save[1] },
      tooltip: { theme: mode },
      loader: { target: "_blank", rel: "noopener noreferrer" },
      scaleFactor: 2,
      patch: narrow ? (spec) => { for (const l of spec.legends || []) l.columns = 1; return spec; } : undefined,
    });
    const menu = element.querySelector("summary");
    if (menu) menu.setAttribute("aria-label", data.save.join(", "));
    element.dataset.drawn = "yes";
    return result;
  } catch (error) {
    drawn.delete(element);
    element.dataset.drawn = "failed";
    console.error(element.dataset.chart, error);
  }
}

// What is near the window is drawn at once, the rest while the page is idle, so that printing finds every chart.
const waiting = new Set(document.querySelectorAll("[data-chart]"));
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (entry.isIntersecting) { waiting.delete(entry.target); seen.unobserve(entry.target); draw(entry.target); }
  }
}, { rootMargin: "400px" });
for (const element of waiting) seen.observe(element);
const later = window.requestIdleCallback || ((f) => setTimeout(f, 60));
function drawNext() {
  const next = waiting.values().next().value;
  if (next === undefined) { root.dataset.ready = "yes"; return; }
  waiting.delete(next);
  seen.unobserve(next);
  draw(next).then(() => later(drawNext));
}
window.addEventListener("load", () => later(drawNext));
dark.addEventListener("change", () => { for (const element of [...drawn.keys()]) draw(element); });
window.addEventListener("beforeprint", () => {
  for (const d of document.querySelectorAll("details.figures")) d.open = false;
  for (const element of document.querySelectorAll("[data-chart]")) draw(element, "light");
});
window.addEventListener("afterprint", () => { for (const element of [...drawn.keys()]) draw(element); });

// Language of the report's own words.
for (const button of document.querySelectorAll("[data-show]")) {
  button.addEventListener("click", () => {
    root.dataset.lang = button.dataset.show;
    for (const b of document.querySelectorAll("[data-show]")) b.setAttribute("aria-pressed", String(b === button));
  });
}

// Sorting and filtering of the table.
const table = document.querySelector("table.narratives");
if (table) {
  const body = table.tBodies[0];
  for (const button of table.querySelectorAll("th button")) {
    button.addEventListener("click", () => {
      const th = button.closest("th");
      const column = [...th.parentNode.children].indexOf(th);
      const down = th.getAttribute("aria-sort") !== "descending";
      for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
      th.setAttribute("aria-sort", down ? "descending" : "ascending");
      const value = (row) => {
        const raw = row.children[column].dataset.v;
        return raw === "" || raw === undefined ? null : isNaN(raw) ? raw : Number(raw);
      };
      [...body.rows]
        .map((row) => [value(row), row])
        .sort(([a], [b]) => {
          if (a === null || b === null) return (a === null) - (b === null);
          const order = typeof a === "number" ? a - b : String(a).localeCompare(String(b));
          return down ? -order : order;
        })
        .forEach(([, row]) => body.append(row));
    });
  }
  const box = document.getElementById("filter");
  if (box) {
    box.addEventListener("input", () => {
      const wanted = box.value.trim().toLowerCase();
      for (const row of body.rows) row.hidden = wanted !== "" && !row.cells[0].textContent.toLowerCase().includes(wanted);
    });
  }
}
