// Runs in the page, after its own script: uses the report as a reader does and writes what it saw into the document.
"use strict";
(() => {
  const seen = {};
  const texts = (selector) => Array.from(document.querySelectorAll(selector)).map((e) => e.textContent);
  const names = () => Array.from(document.querySelectorAll("#layers tbody tr"))
    .filter((row) => !row.hidden).map((row) => row.cells[1].textContent);
  const head = (title) => Array.from(document.querySelectorAll("#layers th button")).find((b) => b.textContent === title);
  const failures = [];
  window.addEventListener("error", (event) => failures.push(event.message));

  seen.before = names();
  head("layer").click();
  seen.byName = names();
  head("parameters").click();
  seen.byParameters = Array.from(document.querySelectorAll("#layers tbody tr"))
    .map((row) => Number(row.cells[4].dataset.v));

  const search = document.getElementById("search");
  search.value = "gemm hidden";
  search.dispatchEvent(new Event("input"));
  seen.found = names();
  seen.foundText = document.getElementById("found").textContent;
  search.value = "";
  search.dispatchEvent(new Event("input"));
  seen.all = names().length;

  const forms = () => texts("#layers td.form");
  seen.ownForms = forms();
  const dots = document.querySelectorAll(".pick");
  dots[2].dispatchEvent(new MouseEvent("click", { bubbles: true }));
  seen.command = document.getElementById("command").textContent;
  seen.point = document.getElementById("point").textContent;
  seen.smallForms = forms();
  seen.changed = document.querySelectorAll("td.changed").length;
  seen.boxes = document.querySelectorAll(".pickedcell").length;
  seen.depth = Array.from(document.querySelectorAll(".depth")).map((r) => r.getAttribute("class"));
  const slider = document.getElementById("slider");
  slider.value = slider.max;
  slider.dispatchEvent(new Event("input"));
  seen.largest = document.getElementById("point").textContent;
  document.getElementById("reset").click();
  seen.resetForms = forms();
  seen.stillChanged = document.querySelectorAll("td.changed").length;

  document.querySelector(".depth").dispatchEvent(new MouseEvent("mousemove", { bubbles: true, clientX: 9, clientY: 9 }));
  seen.tip = document.getElementById("tip").textContent;
  document.getElementById("theme").click();
  seen.theme = document.documentElement.dataset.theme;

  seen.injected = document.querySelectorAll("img, iframe, body > script").length;
  seen.wide = document.documentElement.scrollWidth > innerWidth + 1;
  seen.failures = failures;
  const out = document.createElement("pre");
  out.id = "seen";
  out.textContent = JSON.stringify(seen);
  document.body.append(out);
})();
