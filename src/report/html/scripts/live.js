"use strict";
// Brings the static charts to life with Apache ECharts: hover, zoom, and a click that chooses a point of the frontier.
// A live chart stands where a static one is, which stays for print.

// The library is in the page packed. Where the browser cannot unpack it, the static charts stay.
const loadLibrary = async () => {
  const packed = Uint8Array.from(atob(document.getElementById("library").textContent), (c) => c.charCodeAt(0));
  const unpacking = new DecompressionStream("gzip");
  const writer = unpacking.writable.getWriter();
  writer.write(packed);
  writer.close();
  const script = document.createElement("script");
  script.textContent = await new Response(unpacking.readable).text();
  document.head.append(script);
};

const liveCharts = (data, choose) => {
  const state = { choice: null, point: null };
  const charts = new Map();
  for (const { id, option, height } of liveOptions(data, state, liveKit(data.names, data.labels))) {
    const card = document.getElementById(id);
    const still = card && card.querySelector(".still");
    if (!still) continue;
    const place = document.createElement("div");
    place.className = "live";
    place.style.height = height + "px";
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", still.querySelector("svg").getAttribute("aria-label"));
    still.before(place);
    card.classList.add("enhanced");
    const chart = echarts.init(place, null, { renderer: "svg" });
    chart.setOption(option(place.clientWidth, true));
    // The library keeps every turn of the wheel to itself, which would keep the page from scrolling.
    place.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) event.stopPropagation();
    }, { capture: true });
    const redraw = () => chart.setOption(option(place.clientWidth, false), { replaceMerge: ["series"] });
    let width = place.clientWidth;
    new ResizeObserver(() => {
      if (place.clientWidth === 0 || place.clientWidth === width) return;
      width = place.clientWidth;
      chart.resize();
      redraw();
    }).observe(place);
    charts.set(id, { chart, redraw });
  }

  // A click anywhere in the chart chooses the nearest point of the frontier.
  const { chart } = charts.get("frontier") || {};
  if (chart) {
    chart.getZr().on("click", (event) => {
      const at = [event.offsetX, event.offsetY];
      if (!chart.containPixel("grid", at)) return;
      const distance = (point) => {
        const [x, y] = chart.convertToPixel("grid", [point.stored, point.damage]);
        return point.damage > 0 ? Math.hypot(x - at[0], y - at[1]) : Infinity;
      };
      const distances = data.points.map(distance);
      choose(distances.indexOf(Math.min(...distances)));
    });
  }

  const redraw = () => charts.forEach((one) => one.redraw());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  return {
    redraw,
    show: (choice, point) => {
      Object.assign(state, { choice, point });
      redraw();
    },
  };
};
