"use strict";
// The six charts as options of Apache ECharts. `state` holds what the reader chose: { choice, point }, null for the
// record's own plan. Layers go by their place in the model; `data` is what data.cpp wrote.
const liveOptions = (data, state, kit) => {
  const { style, count, withError, tip } = kit;
  const LEVELS = [2, 3, 4, 5, 6, 7, 8, 16, 32];
  const SHADES = 9;
  const ROWS = 40;
  const levelName = (bits) => (bits === 32 ? "float" : bits === 16 ? "half" : String(bits));

  // [label, bits, bytes, ...] of a layer under the chosen plan; null where there is none.
  const formOf = (i) => {
    const chosen = state.choice && data.layers[i] && data.layers[i][state.choice[i]];
    return chosen || data.shown[i] || null;
  };
  const colourOf = (i) => style(formOf(i) ? "b" + formOf(i)[1] : "accent");
  const formText = (i) => (formOf(i) ? formOf(i)[0] + ", " + count(formOf(i)[2]) + " bytes" : "");
  const rowsHeight = (rows, row) => Math.min(rows, ROWS) * row;
  const rowsRight = (rows) => (rows > ROWS ? 34 : 14);

  const planText = (plan) => [
    plan.bits.toFixed(3) + " bits per weight, " + count(plan.stored) + " bytes",
    "file " + count(plan.bytes) + " bytes" +
      (data.whole > 0 ? " = " + ((100 * plan.bytes) / data.whole).toFixed(1) + " % of the model" : ""),
    "predicted damage " + withError(plan.damage, plan.error),
  ];
  const frontierTexts = {
    points: (i) => planText(data.points[i]),
    uniforms: (i) => ["one width everywhere: " + data.uniforms[i].name + " bit", ...planText(data.uniforms[i])],
    chosen: () => ["chosen: " + data.plan.budget, ...planText(data.plan)],
    measured: () => ["measured on the written file: " + withError(data.measured.damage, data.measured.error)],
  };
  const measuredMark = (lowest) => (_, api) => {
    const { damage, error } = data.measured;
    const height = (value) => api.coord([data.plan.stored, Math.max(value, lowest)])[1];
    const [x, y] = api.coord([data.plan.stored, damage]);
    const diamond = `M${x} ${y - 7}L${x + 7} ${y}L${x} ${y + 7}L${x - 7} ${y}Z`;
    return {
      type: "path", shape: { pathData: `M${x} ${height(damage - error)}V${height(damage + error)}` + diamond },
      style: { fill: style("measured"), stroke: style("measured") },
    };
  };
  const frontierSeries = (lowest) => {
    const marks = (plans) => plans.map((p, i) => ({ value: [p.stored, p.damage], i })).filter((m) => m.value[1] > 0);
    const ring = (colour, borderWidth) => ({ color: "transparent", borderColor: style(colour), borderWidth });
    const picked = state.point === null ? [] : marks([data.points[state.point]]);
    const series = [
      { id: "line", type: "line", silent: true, symbol: "none", lineStyle: { color: style("accent"), width: 2 } },
      { id: "uniforms", type: "scatter", symbol: "rect", symbolSize: 10, itemStyle: { color: style("uniform") },
        label: { show: true, position: [12, -8], color: style("muted"), formatter: (m) => data.uniforms[m.data.i].name } },
      { id: "points", type: "scatter", symbolSize: 9, itemStyle: { color: style("accent") }, emphasis: { scale: 1.7 } },
      { id: "chosen", type: "scatter", symbolSize: 16, itemStyle: ring("ink", 2.5) },
      { id: "picked", type: "scatter", symbolSize: 24, itemStyle: ring("accent", 3), silent: true },
    ];
    const plans = { line: data.points, uniforms: data.uniforms, points: data.points, chosen: data.plan ? [data.plan] : [] };
    for (const one of series) one.data = one.id === "picked" ? picked : marks(plans[one.id]);
    if (data.plan && data.measured && data.measured.damage > 0)
      series.push({ id: "measured", type: "custom", renderItem: measuredMark(lowest),
        data: [[data.plan.stored, data.measured.damage]] });
    return series;
  };
  const frontier = () => {
    const plans = [...data.points, ...data.uniforms, ...(data.plan ? [data.plan] : [])];
    const damages = plans.map((p) => p.damage).concat(data.measured ? [data.measured.damage] : []);
    const sizes = plans.map((p) => p.stored);
    const range = kit.decades(damages, 8);
    return {
      ...kit.base((p) => tip(...frontierTexts[p.seriesId](p.data.i))),
      grid: { left: 62, right: 18, top: 26, bottom: 72 },
      xAxis: kit.logAxis([Math.min(...sizes) * 0.97, Math.max(...sizes) * 1.03], {
        name: "bytes of the quantizable weights", nameLocation: "middle", nameGap: 26,
        axisLabel: { formatter: kit.byteCount },
      }),
      yAxis: kit.logAxis(range, { name: "damage", nameTextStyle: { align: "right" } }),
      dataZoom: [...kit.zoomAcross(), kit.wheel({ yAxisIndex: 0 })],
      series: frontierSeries(range[0]),
    };
  };

  const ranked = (width, first) => {
    const rows = data.ranked;
    const range = kit.decades(rows.flatMap((i) => [data.weights[i][0], data.weights[i][0] + data.weights[i][1]]), 6);
    const renderItem = (params, api) => {
      const row = api.value(1);
      const [value, error] = data.weights[rows[row]];
      const y = api.coord([range[0], row])[1];
      const height = Math.min(16, api.size([0, 1])[1] * 0.64);
      const at = (v) => kit.across(params, api, v, row);
      const left = params.coordSys.x;
      const children = [kit.box(left, y - height / 2, at(value) - left, height, colourOf(rows[row]))];
      if (value > 0 && error > 0) children.push(kit.whisker(at(value - error), at(value + error), y));
      if (kit.figureSpace(width) > 0) children.push(kit.rowFigure(params.coordSys, y, withError(value, error)));
      return { type: "group", children };
    };
    const text = (i) => tip(data.names[i], withError(...data.weights[i]), formText(i));
    return {
      ...kit.base((p) => text(rows[p.dataIndex])),
      grid: { left: kit.namesWidth(width), right: rowsRight(rows.length) + kit.figureSpace(width), top: 4, bottom: 24 },
      xAxis: kit.logAxis(range, {}),
      yAxis: kit.layersAxis(rows, width),
      dataZoom: kit.zoomRows(rows.length, ROWS, first),
      series: [{ id: "bars", type: "custom", encode: { x: 0, y: 1 }, renderItem,
        data: rows.map((i, row) => [Math.max(data.weights[i][0], range[0]), row]) }],
    };
  };

  // Of a width the form that is chosen, else the one of least damage.
  const formAt = (i, bits) => {
    const forms = data.layers[i].filter((f) => f[1] === bits);
    const chosen = formOf(i) && forms.find((f) => f[0] === formOf(i)[0]);
    return chosen || forms.reduce((best, f) => (!best || f[3] < best[3] ? f : best), null);
  };
  const heat = (width, first) => {
    const rows = data.layers.map((_, i) => i);
    const columns = LEVELS.filter((bits) => bits < 32 && data.layers.some((forms) => forms.some((f) => f[1] === bits)));
    const cells = rows.flatMap((i) => columns.map((bits, column) => ({ value: [column, i], form: formAt(i, bits) })))
      .filter((cell) => cell.form);
    const [low, high] = kit.decades(cells.map((cell) => cell.form[3]), 6).map(Math.log10);
    const shade = (damage) => {
      const at = damage > 0 ? Math.floor((SHADES * (Math.log10(damage) - low)) / (high - low)) : 0;
      return style("h" + Math.max(0, Math.min(SHADES - 1, at)));
    };
    const renderItem = (params, api) => {
      const { value, form } = cells[params.dataIndex];
      const [x, y] = api.coord(value);
      const [w, h] = api.size([1, 1]);
      const chosen = formOf(value[1]) && formOf(value[1])[1] === form[1];
      return kit.box(x - w / 2 + 1.5, y - h / 2 + 1.5, w - 3, h - 3, shade(form[3]),
        chosen ? { stroke: style("ink"), lineWidth: 2 } : {});
    };
    const text = ({ value, form }) => tip(data.names[value[1]] + " at " + form[0], withError(form[3], form[4]),
      count(form[2]) + " bytes");
    return {
      ...kit.base((p) => text(cells[p.dataIndex])),
      grid: { left: kit.namesWidth(width), right: rowsRight(rows.length), top: 24, bottom: 6 },
      xAxis: kit.axis({ type: "category", position: "top", data: columns.map(levelName), splitLine: { show: false } }),
      yAxis: kit.layersAxis(rows, width),
      dataZoom: kit.zoomRows(rows.length, ROWS, first),
      series: [{ id: "cells", type: "custom", encode: { x: 0, y: 1 }, renderItem, data: cells }],
    };
  };

  const depth = () => {
    const layers = data.names.map((_, i) => i).filter(formOf);
    const levelOf = (i) => LEVELS.indexOf(formOf(i)[1]) + 1;
    const renderItem = (params, api) => {
      const i = layers[params.dataIndex];
      const [x, y] = api.coord([params.dataIndex, levelOf(i)]);
      const step = api.size([1, 0])[0];
      const width = step > 8 ? step * 0.88 : step;
      return kit.box(x - width / 2, y, width, params.coordSys.y + params.coordSys.height - y, colourOf(i));
    };
    const text = (i) => tip(i + 1 + ". " + data.names[i], formText(i));
    return {
      ...kit.base((p) => text(layers[p.dataIndex])),
      grid: { left: 44, right: 14, top: 8, bottom: 52 },
      xAxis: kit.axis({ type: "category", data: layers.map((i) => String(i + 1)), splitLine: { show: false },
        name: "layer, from input to output", nameLocation: "middle", nameGap: 20 }),
      yAxis: kit.axis({ type: "value", min: 0, max: LEVELS.length, interval: 1,
        axisLabel: { formatter: (level) => (level > 0 ? levelName(LEVELS[level - 1]) : "") } }),
      dataZoom: kit.zoomAcross({ filterMode: "filter" }),
      series: [{ id: "columns", type: "custom", encode: { x: 0, y: 1 }, renderItem,
        data: layers.map((i, at) => [at, levelOf(i)]) }],
    };
  };

  const damage = (width) => {
    const colours = { bound: "muted", predicted: "accent" };
    const range = kit.decades(data.figures.flatMap((f) => [f.value, f.value + f.error, f.value - f.error]), 8);
    const renderItem = (params, api) => {
      const row = params.dataIndex;
      const { value, error, css } = data.figures[row];
      const [cx, cy] = api.coord([value, row]);
      const at = (v) => kit.across(params, api, v, row);
      const dot = { type: "circle", shape: { cx, cy, r: 7 }, style: { fill: style(colours[css] || css) } };
      const children = error > 0 ? [kit.whisker(at(value - error), at(value + error), cy), dot] : [dot];
      if (kit.figureSpace(width) > 0) children.push(kit.rowFigure(params.coordSys, cy, withError(value, error)));
      return { type: "group", children };
    };
    const place = kit.namesWidth(width, data.figures.map((f) => f.name));
    return {
      ...kit.base((p) => tip(data.figures[p.dataIndex].name,
        withError(data.figures[p.dataIndex].value, data.figures[p.dataIndex].error))),
      grid: { left: place, right: 18 + kit.figureSpace(width), top: 4, bottom: 24 },
      xAxis: kit.logAxis(range, {}),
      yAxis: kit.axis({ type: "category", inverse: true, data: data.figures.map((f) => f.name), splitLine: { show: false },
        axisLabel: { interval: 0, color: style("ink"), fontSize: 12, width: place - 12, overflow: "break" } }),
      series: [{ id: "figures", type: "custom", encode: { x: 0, y: 1 }, renderItem,
        data: data.figures.map((f, row) => [f.value, row]) }],
    };
  };

  const bytes = () => {
    const times = ["before", "after"];
    const pieces = times.flatMap((when, row) => {
      let end = 0;
      return data.parts.map((part, index) => ({ value: [end, row, (end += part[when])], when, part, index }));
    });
    const renderItem = (params, api) => {
      const { value: [begin, row, end], index } = pieces[params.dataIndex];
      const y = api.coord([0, row])[1];
      const from = kit.across(params, api, begin, row);
      const to = kit.across(params, api, end, row);
      const edge = { stroke: style("card"), lineWidth: 1 };
      return to > from ? kit.box(from, y - 15, to - from, 30, style("c" + index), edge) : null;
    };
    const text = ({ when, part }) => tip(part.name, when + ": " + count(part[when]) + " bytes",
      part.before > 0 ? "after is " + ((100 * part.after) / part.before).toFixed(1) + " % of before" : "");
    return {
      ...kit.base((p) => text(pieces[p.dataIndex])),
      grid: { left: 52, right: 26, top: 4, bottom: 44 },
      xAxis: kit.axis({ type: "value", min: 0, max: Math.max(...pieces.map((piece) => piece.value[2])),
        axisLabel: { formatter: kit.byteCount } }),
      yAxis: kit.axis({ type: "category", inverse: true, data: times, splitLine: { show: false } }),
      dataZoom: kit.zoomAcross(),
      series: [{ id: "parts", type: "custom", encode: { x: [0, 2], y: 1 }, renderItem, data: pieces }],
    };
  };

  return [
    { id: "frontier", option: frontier, height: 400 },
    { id: "ranked", option: ranked, height: rowsHeight(data.ranked.length, 22) + 28 },
    { id: "heat", option: heat, height: rowsHeight(data.layers.length, 20) + 30 },
    { id: "depth", option: depth, height: 270 },
    { id: "damage", option: damage, height: 34 * data.figures.length + 28 },
    { id: "bytes", option: bytes, height: 136 },
  ];
};
