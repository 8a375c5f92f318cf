"use strict";
// Figures as the page's tables write them: 12,345; 0.000733; 7.33e-05.
const figures = {
  count: (value) => value.toLocaleString("en-US"),
  rounded: (value, digits) => String(Number(value.toPrecision(digits))),
  short: (value, digits = 3) => {
    if (value === null) return "not a number";
    if (value === 0 || Math.abs(value) >= 1e-4) return figures.rounded(value, digits);
    return value.toExponential(digits - 1).replace(/\.?0+e/, "e").replace(/e-(\d)$/, "e-0$1");
  },
  withError: (value, error) => figures.short(value) + (error > 0 ? " ± " + figures.short(error, 2) : ""),
};
