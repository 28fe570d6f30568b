// The types that Grafana publishes for dashboards and for the kinds of panels that are used.
// NAME is a panel's type with `_` for `-`; NAME_field is what it adds to every field.
import type { Dashboard } from '@grafana/schema/dist/types/raw/dashboard/x/dashboard_types.gen';
import type * as BarChart from '@grafana/schema/dist/types/raw/composable/barchart/panelcfg/x/types.gen';
import type * as BarGauge from '@grafana/schema/dist/types/raw/composable/bargauge/panelcfg/x/types.gen';
import type * as Stat from '@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/types.gen';
import type * as StateTimeline from '@grafana/schema/dist/types/raw/composable/statetimeline/panelcfg/x/types.gen';
import type * as Table from '@grafana/schema/dist/types/raw/composable/table/panelcfg/x/types.gen';
import type * as Text from '@grafana/schema/dist/types/raw/composable/text/panelcfg/x/types.gen';
import type * as TimeSeries from '@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/types.gen';

export type dashboard = Dashboard;
export type barchart = BarChart.Options;
export type barchart_field = BarChart.FieldConfig;
export type bargauge = BarGauge.Options;
export type stat = Stat.Options;
export type state_timeline = StateTimeline.Options;
export type state_timeline_field = StateTimeline.FieldConfig;
export type table = Table.Options;
export type table_field = Table.FieldConfig;
export type text = Text.Options;
export type timeseries = TimeSeries.Options;
export type timeseries_field = TimeSeries.FieldConfig;
