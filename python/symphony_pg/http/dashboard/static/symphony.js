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

// A chart is drawn on the server. Here it follows the pointer, with the values of the table below it.
const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

function span(seconds) {
  const [size, unit] = UNITS.find(([size]) => seconds >= size) || [0.001, "ms"];
  return seconds ? `${Number((seconds / size).toPrecision(3))} ${unit}` : "0";
}

function follow(figure, place, rows, from) {
  const plain = figure.querySelector(".plot");
  if (!plain) return;
  figure.querySelectorAll(".uplot").forEach((each) => each.remove());
  const isTime = "time" in figure.dataset;
  const write = isTime ? span : (count) => count.toLocaleString("en");
  const keys = [...figure.querySelectorAll(".key > span")];
  const told = keys.map((key) => key.lastElementChild.textContent);
  const style = getComputedStyle(plain);
  const probe = (element) => getComputedStyle(element).color;
  const top = Number(figure.dataset.top);
  const isLong = rows.length > 100;
  const clock = (at) => new Date(at * 1e3).toISOString().slice(...(isLong ? [5, 10] : [11, 16]));
  const shown = (at) => new Date(at * 1e3).toISOString().slice(5, 16).replace("T", " ");
  const time = figure.querySelector("time");
  const axis = { stroke: style.color, ticks: { show: false }, font: `${style.fontSize} ${style.fontFamily}`,
    grid: { stroke: probe(figure.querySelector(".grid")), width: 1 } };
  const box = plain.getBoundingClientRect();
  const plot = new uPlot({
    width: box.width, height: box.height, tzDate: (at) => uPlot.tzDate(new Date(at * 1e3), "Etc/UTC"),
    legend: { show: false }, padding: [6, 8, 0, 0],
    cursor: { y: false, sync: { key: "time" }, drag: { x: false, y: false } },
    hooks: { setCursor: [(plot) => {
      const at = plot.cursor.idx;
      time.textContent = at == null ? "" : shown(plot.data[0][at]);
      keys.forEach((key, place) => {
        const value = at == null ? undefined : plot.data[place + 1][at];
        key.lastElementChild.textContent = value === undefined ? told[place] : value === null ? "\u2013" : write(value);
      });
    }] },
    scales: { y: { range: [0, top] } },
    axes: [{ ...axis, size: 24, values: (_, all) => all.map(clock) },
      { ...axis, size: 58, splits: [0, 1, 2, 3, 4].map((part) => top * part / 4), values: (_, all) => all.map(write) }],
    series: [{}, ...keys.map((key) => ({
      stroke: probe(key), width: 2, points: { size: 5 }, spanGaps: false,
      fill: key.className === "c-in" ? probe(key).replace("rgb(", "rgba(").replace(")", ", .14)") : undefined,
    }))],
  }, [rows.map((row) => row[0]), ...keys.map((_, place) => rows.map((row) => row[from + place]))], figure);
  plain.hidden = true;
  new ResizeObserver(() => plot.setSize({ width: figure.querySelector("figcaption").clientWidth, height: box.height })).observe(place);
}

function draw() {
  document.querySelectorAll(".charts[data-table]").forEach((place) => {
    const rows = [...document.getElementById(place.dataset.table).tBodies[0].rows].map(
      (row) => [...row.cells].map((cell) => cell.dataset.v === "" ? null : Number(cell.dataset.v)));
    let from = 1;
    place.querySelectorAll(".chart").forEach((figure) => {
      follow(figure, place, rows, from);
      from += figure.querySelectorAll(".key > span").length;
    });
  });
}

document.addEventListener("DOMContentLoaded", () => {
  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
});
