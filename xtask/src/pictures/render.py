"""Draws dashboards from their JSON and what Prometheus answered, as Grafana would.

Usage: render.py ANSWERS PICTURES. Reads every ANSWERS/UID.json, which has the dashboard, the time
from and to, and samples by panel and query; writes PICTURES/UID.png.
"""

import json
import math
import pathlib
import re
import sys
import time

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch, Rectangle
from PIL import Image

WIDTH = 1600
COLUMN = (WIDTH - 32) / 24
CELL = 36
GAP = 8
HEAD = 64
BACK, PANEL, EDGE, GRID = "#111217", "#181b1f", "#2c3036", "#2a2d33"
TEXT, FAINT = "#d0d1db", "#8e919c"
PALETTE = ["#73bf69", "#f2cc0c", "#5794f2", "#ff9830", "#f2495c", "#b877d9", "#56a64b", "#8ab8ff", "#ffb357", "#ff7383", "#37872d", "#fade2a"]
COLORS = {"green": "#73bf69", "orange": "#ff9830", "red": "#f2495c"}


def number(value):
    if value is None or math.isnan(value):
        return "-"
    for limit, mark in ((1e9, " Bil"), (1e6, " Mil"), (1e3, " K")):
        if abs(value) >= limit:
            return f"{value / limit:.3g}{mark}"
    return f"{value:.3g}" if value != int(value) else f"{value:.0f}"


def scaled(value, base, units):
    step = 0
    while abs(value) >= base and step < len(units) - 1:
        value /= base
        step += 1
    return f"{value:.3g} {units[step]}" if abs(value) < 1000 else f"{value:.0f} {units[step]}"


def seconds(value):
    for limit, factor, unit in ((1e-6, 1e9, "ns"), (1e-3, 1e6, "µs"), (1, 1e3, "ms"), (120, 1, "s"), (7200, 1 / 60, "min"), (172800, 1 / 3600, "h")):
        if abs(value) < limit:
            return f"{value * factor:.3g} {unit}"
    return f"{value / 86400:.3g} d"


def shown(value, unit, decimals=None):
    """A value in its unit."""
    if value is None or math.isnan(value):
        return "-"
    if unit.startswith("suffix:"):
        return f"{value:.{2 if decimals is None else decimals}f}{unit[7:]}"
    if unit == "percentunit":
        return f"{value * 100:.{1 if decimals is None else decimals}f} %"
    if unit == "bytes":
        return scaled(value, 1024, ["B", "KiB", "MiB", "GiB", "TiB"])
    if unit == "Bps":
        return scaled(value, 1000, ["B/s", "kB/s", "MB/s", "GB/s"])
    if unit == "cps":
        return f"{number(value)} c/s"
    if unit == "s":
        return seconds(value) if value else "0 s"
    if unit == "dateTimeFromNow":
        return f"{seconds(max(0, time.time() - value / 1000))} ago"
    return number(value)


def name(template, labels):
    """A series' name, as its legend says."""
    text = re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: labels.get(found[1], ""), template)
    return " ".join(text.split()) or "Value"


def series(panel, answers):
    """Name and points of all queries."""
    for target in panel["targets"]:
        for sample in answers.get(target["refId"], []):
            points = sample.get("values") or [sample["value"]]
            points = [(moment, float(value)) for moment, value in points]
            yield name(target["legendFormat"], sample["metric"]), points


def color_of(panel, value):
    color = "green"
    for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]:
        if step["value"] is None or value >= step["value"]:
            color = step["color"]
    return COLORS.get(color, color)


def cut(text, length):
    return text if len(text) <= length else text[: length - 1] + "…"


class Canvas:
    """A picture whose places are pixels from the top left."""

    def __init__(self, height):
        self.height = height
        self.figure = plt.figure(figsize=(WIDTH / 100, height / 100), dpi=100, facecolor=BACK)
        self.whole = self.axes(0, 0, WIDTH, height)
        self.whole.set_xlim(0, WIDTH)
        self.whole.set_ylim(height, 0)
        self.whole.axis("off")

    def axes(self, x, y, w, h):
        place = [x / WIDTH, 1 - (y + h) / self.height, w / WIDTH, h / self.height]
        axes = self.figure.add_axes(place)
        axes.set_facecolor("none")
        return axes

    def text(self, x, y, text, size=9, color=TEXT, **more):
        self.whole.text(x, y, text, fontsize=size, color=color, va="center", parse_math=False, **more)

    def box(self, x, y, w, h, color=PANEL, edge=EDGE):
        shape = FancyBboxPatch((x, y), w, h, boxstyle="round,pad=0,rounding_size=3", facecolor=color, edgecolor=edge, linewidth=0.8)
        self.whole.add_patch(shape)

    def bar(self, x, y, w, h, color, alpha=1.0):
        self.whole.add_patch(Rectangle((x, y), max(w, 0), h, facecolor=color, alpha=alpha, linewidth=0))


def stat(canvas, panel, answers, x, y, w, h):
    defaults = panel["fieldConfig"]["defaults"]
    all_series = list(series(panel, answers))
    if not all_series:
        canvas.text(x + w / 2, y + h / 2 + 8, "No data", 14, FAINT, ha="center")
        return
    points = [value for _, value in all_series[0][1] if not math.isnan(value)] or [math.nan]
    color = color_of(panel, points[-1])
    if len(points) > 2:
        line = canvas.axes(x + 1, y + h * 0.62, w - 2, h * 0.36)
        line.axis("off")
        line.fill_between(range(len(points)), points, color=color, alpha=0.18, linewidth=0)
        line.plot(points, color=color, linewidth=1)
        line.set_ylim(0, max(max(points), 1e-12) * 1.15)
        line.margins(x=0)
    canvas.text(x + w / 2, y + h * 0.5, shown(points[-1], defaults["unit"], defaults.get("decimals")), 24, color, ha="center", weight="bold", zorder=5)


def timeseries(canvas, panel, answers, span, x, y, w, h):
    defaults = panel["fieldConfig"]["defaults"]
    unit = defaults["unit"]
    stacked = defaults["custom"]["stacking"]["mode"] == "normal"
    legend = min(w * 0.42, 300)
    axes = canvas.axes(x + 64, y + 36, w - legend - 76, h - 66)
    all_series = sorted(series(panel, answers), key=lambda it: it[0])
    if not all_series:
        canvas.text(x + w / 2, y + h / 2, "No data", 14, FAINT, ha="center")
    moments = sorted({moment for _, points in all_series for moment, _ in points})
    base = [0.0] * len(moments)
    most = 0.0
    entries = []
    for place, (label, points) in enumerate(all_series):
        color = PALETTE[place % len(PALETTE)]
        values = dict(points)
        real = [value for value in values.values() if not math.isnan(value)]
        entries.append((label, color, real[-1] if real else math.nan, max(real, default=math.nan)))
        if stacked:
            top = [low + max(0.0, values.get(moment, 0.0) if not math.isnan(values.get(moment, 0.0)) else 0.0) for low, moment in zip(base, moments)]
            axes.fill_between(moments, base, top, color=color, alpha=0.45, linewidth=0)
            axes.plot(moments, top, color=color, linewidth=1.1)
            base = top
            most = max([most] + top)
        else:
            line = [values.get(moment, math.nan) for moment in moments]
            axes.fill_between(moments, 0, line, color=color, alpha=0.08, linewidth=0)
            axes.plot(moments, line, color=color, linewidth=1.2)
            most = max([most] + real)
    axes.set_xlim(*span)
    axes.set_ylim(0, most * 1.08 if most > 0 else 1)
    for edge in axes.spines.values():
        edge.set_visible(False)
    axes.grid(color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(colors=FAINT, labelsize=7.5, length=0)
    axes.yaxis.set_major_locator(matplotlib.ticker.MaxNLocator(5))
    axes.yaxis.set_major_formatter(lambda value, _: shown(value, unit, defaults.get("decimals")))
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(5))
    axes.xaxis.set_major_formatter(lambda value, _: time.strftime("%H:%M:%S", time.gmtime(value)))
    left = x + w - legend + 4
    canvas.text(left, y + 40, "Name", 7.5, "#6e9fff")
    canvas.text(x + w - 82, y + 40, "Last", 7.5, "#6e9fff", ha="right")
    canvas.text(x + w - 10, y + 40, "Max", 7.5, "#6e9fff", ha="right")
    entries.sort(key=lambda it: -it[2] if not math.isnan(it[2]) else math.inf)
    for place, (label, color, last, top) in enumerate(entries[: int((h - 60) / 18)]):
        line = y + 58 + place * 18
        canvas.bar(left, line - 2, 12, 3, color)
        canvas.text(left + 18, line, cut(label, 18), 8)
        canvas.text(x + w - 82, line, shown(last, unit, defaults.get("decimals")), 8, ha="right")
        canvas.text(x + w - 10, line, shown(top, unit, defaults.get("decimals")), 8, ha="right")


def bargauge(canvas, panel, answers, x, y, w, h):
    defaults = panel["fieldConfig"]["defaults"]
    entries = [(label, points[-1][1]) for label, points in series(panel, answers)]
    if not entries:
        canvas.text(x + w / 2, y + h / 2, "No data", 14, FAINT, ha="center")
        return
    most = defaults.get("max") or max(value for _, value in entries) or 1
    step = (h - 50) / len(entries)
    for place, (label, value) in enumerate(entries):
        top = y + 40 + place * step
        long = w - 260
        canvas.text(x + 16, top + step / 2, cut(label, 24), 9)
        canvas.bar(x + 180, top + step * 0.2, long, step * 0.6, "#22252b")
        canvas.bar(x + 180, top + step * 0.2, long * min(value / most, 1), step * 0.6, color_of(panel, value), 0.75)
        canvas.text(x + w - 14, top + step / 2, shown(value, defaults["unit"], defaults.get("decimals")), 10, color_of(panel, value), ha="right")


def timeline(canvas, panel, answers, span, x, y, w, h):
    all_series = sorted(series(panel, answers), key=lambda it: it[0])
    if not all_series:
        canvas.text(x + w / 2, y + h / 2, "No data", 14, FAINT, ha="center")
        return
    step = min((h - 60) / len(all_series), 34)
    left, long = x + 150, w - 166
    for place, (label, points) in enumerate(all_series):
        top = y + 36 + place * step
        canvas.text(left - 8, top + step / 2, cut(label, 20), 8, ha="right")
        ends = [moment for moment, _ in points[1:]] + [span[1]]
        for (moment, value), end in zip(points, ends):
            begin = left + long * (moment - span[0]) / (span[1] - span[0])
            wide = long * (end - moment) / (span[1] - span[0])
            canvas.bar(begin, top + step * 0.12, wide + 0.5, step * 0.76, color_of(panel, value), 0.7)
    for place, (label, color) in enumerate((("no", "red"), ("yes", "green"))):
        canvas.bar(x + 16 + place * 60, y + h - 17, 12, 3, COLORS[color])
        canvas.text(x + 34 + place * 60, y + h - 15, label, 8)


def table(canvas, panel, answers, x, y, w, h):
    defaults = panel["fieldConfig"]["defaults"]
    only = len(panel["targets"]) == 1
    names = panel["transformations"][1]["options"]["renameByName"]
    order = panel["transformations"][1]["options"]["indexByName"]
    columns = sorted(names, key=lambda field: order[field])
    labels = [field for field in columns if not field.startswith("Value")]
    overrides = {it["matcher"]["options"]: {p["id"]: p["value"] for p in it["properties"]} for it in panel["fieldConfig"]["overrides"]}
    rows = {}
    for target in panel["targets"]:
        field = "Value" if only else f"Value #{target['refId']}"
        for sample in answers.get(target["refId"], []):
            # Grafana's merge joins rows by the labels that both have.
            key = tuple(sample["metric"].get(label) for label in labels)
            match = next((known for known in rows if all(a == b or a is None or b is None for a, b in zip(known, key))), None)
            row = rows.pop(match, {}) if match else {}
            key = tuple(a if a is not None else b for a, b in zip(key, match)) if match else key
            row[field] = float(sample["value"][1])
            rows[key] = row
    sort = panel["options"]["sortBy"][0]["displayName"]
    by = next(field for field in columns if names[field] == sort)
    lines = sorted(rows.items(), key=lambda it: -it[1].get(by, -math.inf))
    weights = [1.9 if field in labels else 1.0 for field in columns]
    wide = [(w - 16) * weight / sum(weights) for weight in weights]
    lefts = [x + 8 + sum(wide[:place]) for place in range(len(columns))]
    for field, left, width in zip(columns, lefts, wide):
        right = field not in labels
        canvas.text(left + width - 8 if right else left + 6, y + 44, cut(names[field], int(width / 6.5)), 8.5, "#6e9fff", ha="right" if right else "left", weight="bold")
    tops = {field: max((row.get(field, 0) for _, row in lines), default=0) or 1 for field in columns}
    for place, (key, row) in enumerate(lines[: int((h - 62) / 27)]):
        line = y + 70 + place * 27
        canvas.whole.plot([x + 8, x + w - 8], [line - 13.5, line - 13.5], color=EDGE, linewidth=0.6)
        for field, left, width in zip(columns, lefts, wide):
            override = overrides.get(names[field], {})
            if field in labels:
                text = key[labels.index(field)] or ""
                color = "#6e9fff" if "links" in override else TEXT
                canvas.text(left + 6, line, cut(text, int(width / 6.2)), 9, color)
                continue
            value = row.get(field)
            if value is None:
                continue
            if "custom.cellOptions" in override:
                share = min(value / (defaults.get("max") or tops[field]), 1)
                continuous = "color" in override
                color = plt.cm.RdYlGn(1 - 0.9 * share) if continuous else color_of(panel, value)
                canvas.bar(left + 8, line - 8, (width - 90) * share, 16, color, 0.65)
            canvas.text(left + width - 8, line, shown(value, override.get("unit", "short"), override.get("decimals")), 9, ha="right")


def draw(given, file):
    dashboard, answers = given["dashboard"], given["answers"]
    span = (given["from"], given["to"])
    panels = dashboard["panels"]
    height = HEAD + max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels) * CELL + 16
    canvas = Canvas(height)
    canvas.text(16, 32, dashboard["title"], 15, weight="bold")
    right = WIDTH - 16
    begin, end = (time.strftime("%H:%M:%S", time.gmtime(moment)) for moment in span)
    parts = [f"{begin} to {end} UTC"]
    for variable in reversed(dashboard["templating"]["list"][1:]):
        # The one tenant that the test asks for, where not all can be had.
        parts.append(f"{variable['label']}: {'All' if variable['includeAll'] else 'acme'}")
    for part in parts:
        long = len(part) * 6.6 + 20
        canvas.box(right - long, 18, long, 28)
        canvas.text(right - long / 2, 32, part, 9, ha="center")
        right -= long + 8
    for panel in panels:
        place = panel["gridPos"]
        x, y = 16 + place["x"] * COLUMN, HEAD + place["y"] * CELL
        w, h = place["w"] * COLUMN - GAP, place["h"] * CELL - GAP
        if panel["type"] == "row":
            canvas.text(x + 2, y + h / 2 + 4, f"⌄  {panel['title']}", 11, weight="bold")
            continue
        canvas.box(x, y, w, h)
        canvas.text(x + 10, y + 17, panel["title"], 10, weight="bold")
        of_panel = answers.get(str(panel["id"]), {})
        kind = panel["type"]
        if kind == "stat":
            stat(canvas, panel, of_panel, x, y, w, h)
        elif kind == "timeseries":
            timeseries(canvas, panel, of_panel, span, x, y, w, h)
        elif kind == "bargauge":
            bargauge(canvas, panel, of_panel, x, y, w, h)
        elif kind == "state-timeline":
            timeline(canvas, panel, of_panel, span, x, y, w, h)
        else:
            table(canvas, panel, of_panel, x, y, w, h)
    canvas.figure.savefig(file, facecolor=BACK)
    plt.close(canvas.figure)
    # A dashboard has few colours; a third of the bytes holds them.
    Image.open(file).convert("RGB").quantize(96, dither=Image.Dither.NONE).save(file, optimize=True)


def main():
    answers, pictures = map(pathlib.Path, sys.argv[1:])
    for file in sorted(answers.glob("*.json")):
        draw(json.loads(file.read_text()), pictures / f"{file.stem}.png")


main()
