// Runs in the page, after its own script: uses the report as a reader does and writes what it saw into the document.
"use strict";
(async () => {
  const seen = {};
  const texts = (selector) => Array.from(document.querySelectorAll(selector)).map((e) => e.textContent);
  const names = () => Array.from(document.querySelectorAll("#layers tbody tr"))
    .filter((row) => !row.hidden).map((row) => row.cells[1].textContent);
  const head = (title) => Array.from(document.querySelectorAll("#layers th button")).find((b) => b.textContent === title);
  const pause = () => new Promise((resume) => setTimeout(resume, 250));
  const failures = [];
  window.addEventListener("error", (event) => failures.push(event.message));
  window.addEventListener("unhandledrejection", (event) => failures.push(String(event.reason)));
  for (let i = 0; i < 20 && document.getElementById("library") && !document.querySelector(".live svg"); i++) await pause();

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

  // The live charts: click, zoom and hover as a mouse does.
  seen.live = document.querySelectorAll(".live svg").length;
  seen.still = Array.from(document.querySelectorAll(".still")).filter((e) => e.offsetHeight > 0).length;
  if (seen.live > 0) {
    const data = JSON.parse(document.getElementById("data").textContent);
    const chartOf = (id) => echarts.getInstanceByDom(document.querySelector("#" + id + " .live"));
    let ctrlKey = true;
    // Returns whether the browser goes on to do what it does by itself, such as scrolling.
    const mouse = (id, [x, y], ...types) => {
      const root = document.querySelector("#" + id + " .live svg");
      const at = document.querySelector("#" + id + " .live").getBoundingClientRect();
      const where = { bubbles: true, cancelable: true, clientX: at.left + x, clientY: at.top + y };
      return types.every((type) =>
        root.dispatchEvent(type === "wheel" ? new WheelEvent(type, { ...where, deltaY: -240, wheelDeltaY: 240, ctrlKey })
                                            : new MouseEvent(type, where)) || type !== "wheel");
    };
    const pixel = (id, value) => chartOf(id).convertToPixel("grid", value);
    const chosen = data.points[4];
    mouse("frontier", pixel("frontier", [chosen.stored, chosen.damage]), "mousedown", "mouseup", "click");
    seen.clicked = document.getElementById("command").textContent.includes(" --budget " + chosen.budget + " ");
    seen.liveForms = forms();
    document.getElementById("reset").click();
    const zoom = () => chartOf("frontier").getOption().dataZoom[0];
    seen.zoomBefore = [zoom().start, zoom().end];
    mouse("frontier", pixel("frontier", [chosen.stored, chosen.damage]), "wheel");
    await pause();
    seen.zoomAfter = [zoom().start, zoom().end];
    ctrlKey = false;
    seen.scrolls = mouse("frontier", pixel("frontier", [chosen.stored, chosen.damage]), "wheel");
    seen.tips = [];
    for (const id of ["ranked", "heat", "depth", "damage", "bytes"]) {
      const option = chartOf(id).getOption();
      const value = option.series[0].data[0].value || option.series[0].data[0];
      const at = pixel(id, id === "bytes" ? [value[2] / 2, value[1]] : [value[0], value[1]]);
      const inward = { ranked: [-3, 0], heat: [0, 0], depth: [0, 5], damage: [0, 0], bytes: [0, 0] }[id];
      mouse(id, [at[0] + inward[0], at[1] + inward[1]], "mousemove");
      await pause();
      seen.tips.push(texts("#" + id + " .livetip").join("|"));
    }
  }

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
