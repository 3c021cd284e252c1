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
