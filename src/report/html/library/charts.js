// The part of Apache ECharts that the HTML report uses, for scripts/bootstrap to bundle: a global `echarts`.
export { getInstanceByDom, init } from "echarts/core";
import { use } from "echarts/core";
import { CustomChart, LineChart, ScatterChart } from "echarts/charts";
import { DataZoomComponent, GridComponent, TooltipComponent } from "echarts/components";
import { SVGRenderer } from "echarts/renderers";

use([CustomChart, LineChart, ScatterChart, DataZoomComponent, GridComponent, TooltipComponent, SVGRenderer]);
