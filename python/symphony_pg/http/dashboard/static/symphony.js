// Pages renew themselves while somebody looks at them. Without this file they are complete, and old.
"use strict";

const PERIOD = 2000;

function busy() {
  const at = document.activeElement;
  const inLive = at && at.closest && at.closest("#live");
  return document.hidden || (inLive && at.matches("input, textarea, select"))
    || document.querySelector("#live details[open]") || String(getSelection());
}

function stale(isStale) {
  document.getElementById("stale").hidden = !isStale;
}

document.addEventListener("DOMContentLoaded", () => {
  if (document.getElementById("live")) {
    setInterval(() => { if (!busy()) htmx.trigger(document.body, "live"); }, PERIOD);
  }
  document.body.addEventListener("htmx:responseError", () => stale(true));
  document.body.addEventListener("htmx:sendError", () => stale(true));
  document.body.addEventListener("htmx:afterOnLoad", () => stale(false));
});

// A chart is made of a table beside it, which says the same to whoever does not see the chart.
function charts(place) {
  const table = document.getElementById(place.dataset.table);
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...table.tBodies[0].rows].map((row) => [...row.cells].map(
    (cell) => cell.dataset.v === "" ? null : Number(cell.dataset.v)));
  const names = [...new Set(heads.map((head) => head.dataset.chart).filter(Boolean))];
  const style = getComputedStyle(document.documentElement);
  const probe = document.createElement("i");
  document.body.append(probe);
  const colour = (name) => { probe.style.color = `var(--${name})`; return getComputedStyle(probe).color; };
  const lines = { In: "in", Out: "out", Retried: "warn", Failed: "bad", p50: "out", p95: "warn", p99: "bad" };
  const isLong = rows.length > 100;
  const clock = (at) => new Date(at * 1e3).toISOString().slice(...(isLong ? [5, 10] : [11, 16]));
  place.replaceChildren();
  for (const name of names) {
    const columns = heads.map((head, at) => head.dataset.chart === name ? at : -1).filter((at) => at > 0);
    const axis = { stroke: colour("mute"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false },
      font: "12px " + style.getPropertyValue("--sans") };
    const box = document.createElement("figure");
    box.className = "card chart";
    box.innerHTML = "<figcaption></figcaption>";
    box.firstChild.textContent = name;
    place.append(box);
    const width = () => box.clientWidth - 30;
    const plot = new uPlot({
      width: width(), height: 210, tzDate: (at) => uPlot.tzDate(new Date(at * 1e3), "Etc/UTC"),
      cursor: { y: false, sync: { key: "time" } },
      scales: { y: { range: (_, low, high) => [0, Math.max(high * 1.1, name.includes("seconds") ? 0.01 : 1)] } },
      axes: [{ ...axis, values: (_, all) => all.map(clock) }, { ...axis, size: 56, values: (_, all) => all.map((each) => each.toLocaleString("en")) }],
      series: [{ label: "Time", value: (_, at) => at ? new Date(at * 1e3).toISOString().slice(5, 16).replace("T", " ") : "" }, ...columns.map((at) => {
        const label = heads[at].textContent.split(" ").pop();
        return { label, stroke: colour(lines[label]), width: 2, points: { size: 5 }, spanGaps: false };
      })],
    }, [rows.map((row) => row[0]), ...columns.map((at) => rows.map((row) => row[at]))], box);
    new ResizeObserver(() => plot.setSize({ width: width(), height: 210 })).observe(place);
  }
  probe.remove();
}

document.addEventListener("DOMContentLoaded", () => {
  const draw = () => document.querySelectorAll(".charts").forEach(charts);
  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
});
