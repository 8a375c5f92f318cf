"use strict";
// What the live charts have in common: colours, texts, axes, zooming and shapes.
const liveKit = (names, labels) => {
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

  // --- texts
  const { count, rounded, withError } = figures;
  const byteCount = (value) => {
    if (value >= 1e6) return rounded(value / 1e6, 3) + " MB";
    return value >= 1e3 ? rounded(value / 1e3, 3) + " kB" : rounded(value, 3) + " B";
  };
  const power = (value) => (value >= 0.01 && value <= 100 ? rounded(value, 1) : value.toExponential(0));
  // A layer's name beside a chart of so many letters.
  const nameOf = (i, width) => {
    const name = names[i].length <= width ? names[i] : labels[i];
    if (name.length <= width) return name;
    return name.slice(0, Math.ceil(width / 2) - 1) + "…" + name.slice(name.length - Math.floor(width / 2));
  };
  // Names are hostile: what is hovered over is described by an element with text in it, never by markup.
  const tip = (...lines) => {
    const box = document.createElement("div");
    box.className = "livetip";
    box.textContent = lines.filter(Boolean).join("\n");
    return box;
  };
  const base = (formatter) => ({
    animation: false,
    textStyle: { fontFamily: "system-ui, sans-serif", color: style("muted") },
    tooltip: {
      trigger: "item", confine: true, formatter, backgroundColor: style("ink"), borderWidth: 0, padding: [7, 11],
      textStyle: { color: style("bg"), fontSize: 12.5 },
    },
  });

  // --- axes
  // Whole decades that hold every positive value, cut to `most` below the largest.
  const decades = (values, most) => {
    const logs = values.filter((v) => v > 0 && Number.isFinite(v)).map(Math.log10);
    if (logs.length === 0) return [1e-6, 1];
    const high = Math.ceil(Math.max(...logs) + 1e-9);
    const low = Math.max(Math.floor(Math.min(...logs) - 0.1), high - most);
    return [10 ** Math.min(low, high - 1), 10 ** high];
  };
  const axis = (more) => ({
    axisLine: { show: false },
    axisTick: { show: false },
    splitLine: { lineStyle: { color: style("line") } },
    ...more,
    axisLabel: { color: style("muted"), fontSize: 11, hideOverlap: true, ...more.axisLabel },
  });
  const logAxis = ([min, max], more) => axis({
    type: "log", min, max, ...more, axisLabel: { formatter: power, ...more.axisLabel },
  });
  // Room for names left of a chart: what they need, at most a third of it.
  const LETTER = 6.2;
  const namesWidth = (width, texts = labels) => {
    const needed = 16 + LETTER * 1.12 * Math.max(...texts.map((text) => text.length));
    return Math.max(70, Math.round(Math.min(needed, width * 0.36)));
  };
  const layersAxis = (layers, width) => {
    const letters = Math.floor((namesWidth(width) - 12) / LETTER);
    return axis({
      type: "category", inverse: true, data: layers.map(String), splitLine: { show: false },
      axisLabel: { interval: 0, fontSize: 12, color: style("ink"), formatter: (i) => nameOf(i, letters) },
    });
  };

  // --- zooming: by the handles, and by the wheel with Ctrl, as the page must still scroll without
  const wheel = (more) => ({
    type: "inside", moveOnMouseWheel: false, moveOnMouseMove: false, filterMode: "none", ...more,
  });
  const handles = (more) => ({
    type: "slider", brushSelect: false, showDetail: false, showDataShadow: false, filterMode: "none",
    borderColor: style("line"), fillerColor: style("soft"), backgroundColor: "transparent",
    handleStyle: { color: style("card"), borderColor: style("accent") }, moveHandleStyle: { color: style("line") }, ...more,
  });
  const zoomAcross = (more) => [wheel({ xAxisIndex: 0 }), handles({ xAxisIndex: 0, height: 12, bottom: 4, ...more })];
  // Long lists begin with what fits and scroll; `first`: the reader has not moved anything yet.
  const zoomRows = (rows, fit, first) => {
    if (rows <= fit) return [];
    const window = { yAxisIndex: 0, filterMode: "filter", ...(first && { startValue: 0, endValue: fit - 1 }) };
    return [wheel(window), handles({ ...window, right: 4, width: 14 })];
  };

  // --- shapes
  const box = (x, y, width, height, fill, more) => ({
    type: "rect", shape: { x, y, width: Math.max(width, 0.5), height }, style: { fill, ...more },
  });
  const whisker = (low, high, y) => ({
    type: "path",
    shape: { pathData: `M${low} ${y}H${high}M${low} ${y - 4}V${y + 4}M${high} ${y - 4}V${y + 4}` },
    style: { stroke: style("ink"), fill: "none", lineWidth: 1.3 },
  });
  // Where a value of a row lies across, kept within the chart.
  const across = (params, api, value, row) => {
    const { x, width } = params.coordSys;
    return value > 0 ? Math.min(x + width, Math.max(x, api.coord([value, row])[0])) : x;
  };

  // The figure of a row, right of the chart where there is room.
  const figureSpace = (width) => (width > 420 ? 124 : 0);
  const rowFigure = ({ x, width }, y, text) => ({
    type: "text", style: { text, x: x + width + 10, y, fill: style("muted"), fontSize: 12, verticalAlign: "middle" },
  });

  return { style, count, withError, byteCount, tip, base, decades, axis, logAxis, namesWidth, layersAxis, wheel, zoomAcross,
    zoomRows, box, whisker, across, figureSpace, rowFigure };
};
