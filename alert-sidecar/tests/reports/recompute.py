"""Works out the figures of a month from the raw points, in another language and by another way than the program: at the
middle of every stretch between two moments at which anything may change, it asks each probe's last run how things are.

    recompute.py POINTS MONTH ZONE PROBES WINDOWS     POINTS in line protocol; prints JSON

WINDOWS are planned: [{"system": ..., "from_ns": ..., "to_ns": ...}].
"""

import bisect
import json
import re
import sys
from collections import defaultdict
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

NS = 10**9
STATES = ["up", "down", "local", "maintenance", "unmeasured", "missed", "silent"]
FIELD = re.compile(r'([a-z_0-9]+)=("(?:[^"\\]|\\.)*"|[^,]*)(?:,|$)')
SPACE = re.compile(r"(?<!\\) ")


def points(path):
    """(measurement, tags, fields, ns) of every line."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            head, rest = SPACE.split(line.rstrip("\n"), 1)
            body, ns = rest.rsplit(" ", 1)
            measurement, *tags = re.split(r"(?<!\\),", head)
            tags = dict(tag.replace("\\ ", " ").split("=", 1) for tag in tags)
            fields = {name: value for name, value in FIELD.findall(body)}
            yield measurement, tags, fields, int(ns)


def beginning(year, month, zone):
    moment = datetime(year + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=zone)
    return int(moment.timestamp()) * NS


def last_said(runs, at):
    """What the last run before a moment says of it."""
    index = bisect.bisect_right(runs, (at, 9, 0)) - 1
    if index < 0:
        return "silent"
    began, code, every_ns = runs[index]
    if at >= began + 2 * every_ns:
        return "silent"
    return ["up", "up", "down", "unmeasured", "missed", "maintenance"][code]


def of_probes(states, needed):
    down, good = states.count("down"), states.count("up")
    if down + good == 0:
        return next((s for s in ("maintenance", "unmeasured", "missed") if s in states), "silent")
    if down == 0:
        return "up"
    return "down" if down >= min(needed, down + good) else "local"


def of_journeys(states, failing):
    """Of a journey that was last seen failing nobody knows that it is well."""
    order = ["down", "local", "up", "maintenance", "unmeasured", "missed", "silent"]
    doubts = [state for state, was_failing in zip(states, failing) if was_failing and state in order[4:]]
    if doubts and "down" not in states:
        return min(doubts, key=order.index)
    return min(states, key=order.index)


def stretches(journeys, start, stop, needed, windows):
    """(from, to, state) of a system; journeys is a list of lists of the runs of its probes."""
    edges = {start, stop}
    edges.update(edge for window in windows for edge in window if start < edge < stop)
    for probes in journeys:
        for runs in probes:
            for began, _, every_ns in runs:
                edges.update(edge for edge in (began, began + 2 * every_ns) if start < edge < stop)
    edges = sorted(edges)
    failing = [False] * len(journeys)
    for begin, end in zip(edges, edges[1:]):
        middle = (begin + end) // 2
        is_planned = any(begins <= middle < ends for begins, ends in windows)
        said = (lambda runs: "maintenance") if is_planned else (lambda runs: last_said(runs, middle))
        states = [of_probes([said(runs) for runs in probes], needed) for probes in journeys]
        for index, state in enumerate(states):
            if state in ("up", "down", "local"):
                failing[index] = state == "down"
        yield begin, end, of_journeys(states, failing)


def seconds(ns):
    text = f"{ns // NS}.{ns % NS:09}".rstrip("0").rstrip(".")
    return text


def times(parts, start, stop):
    held = dict.fromkeys(STATES, 0)
    for begin, end, state in parts:
        held[state] += max(0, min(end, stop) - max(begin, start))
    return held


def shown(held):
    """The availability, cut to three digits."""
    up, down = held["up"] + held["local"], held["down"]
    if up + down == 0:
        return ""
    units = up * 100000 // (up + down)
    return f"{units // 1000}.{units % 1000:03}"


def incidents(parts, start, stop):
    found, current = [], None
    for begin, end, state in parts:
        if state == "down" and current is None:
            current = [begin, end, False, 0]
            found.append(current)
        elif current is not None and state in ("up", "local"):
            current[1], current[2], current = begin, True, None
        if current is not None:
            current[1] = end
            if state == "down":
                current[3] += max(0, min(end, stop) - max(begin, start))
    return [one for one in found if one[1] > start and one[0] < stop]


def quantile(sorted_values, q):
    """The values beside the rank, a hundredth of it to each side: what an estimate may say."""
    rank = q * (len(sorted_values) - 1)
    slack = max(1.0, 0.01 * len(sorted_values))
    low, high = int(max(0, rank - slack)), int(min(len(sorted_values) - 1, rank + slack + 1))
    return [sorted_values[low], sorted_values[high]]


def main():
    path, month, zone, needed = sys.argv[1], sys.argv[2], ZoneInfo(sys.argv[3]), int(sys.argv[4])
    year, number = map(int, month.split("-"))
    start, stop = beginning(year, number, zone), beginning(year, number + 1, zone)
    before = beginning(year, number - 1, zone)
    windows = defaultdict(list)
    for window in json.loads(sys.argv[5]):
        windows[window["system"]].append((window["from_ns"], window["to_ns"]))
    runs = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    took, took_before, steps = defaultdict(list), defaultdict(list), defaultdict(list)
    counts = defaultdict(lambda: [0] * 5)
    for measurement, tags, fields, ns in points(path):
        name = f"{tags['system']}/{tags['journey']}"
        if measurement == "journey_step" and start <= ns < stop:
            steps[f"{name}/{tags['step']}"].append(float(fields["duration_ms"]))
        if measurement != "journey":
            continue
        if before <= ns < start and "duration_ms" in fields:
            took_before[name].append(float(fields["duration_ms"]))
        code, every = int(fields["result_code"].rstrip("i")), float(fields["every_s"])
        is_planned = fields.get("error", "").startswith('"maintenance: ')
        runs[tags["system"]][tags["journey"]][tags["probe"]].append((ns, 5 if is_planned else code, int(every * NS)))
        if start <= ns < stop:
            counts[tags["system"]][code] += 1
            if "duration_ms" in fields:
                took[name].append(float(fields["duration_ms"]))
    answer = {"systems": {}}
    for system, journeys in runs.items():
        views = [[sorted(one) for one in probes.values()] for probes in journeys.values()]
        parts = list(stretches(views, before, stop, needed, windows[system]))
        held = times(parts, start, stop)
        days, day = {}, datetime(year, number, 1, tzinfo=zone)
        while day.month == number:
            morrow = (datetime(day.year, day.month, day.day) + timedelta(days=1)).replace(tzinfo=zone)
            of_day = times(parts, int(day.timestamp()) * NS, int(morrow.timestamp()) * NS)
            days[day.strftime("%Y-%m-%d")] = {name: seconds(ns) for name, ns in of_day.items()}
            day = morrow
        answer["systems"][system] = {
            "times": {name: seconds(ns) for name, ns in held.items()},
            "availability": shown(held),
            "before": shown(times(parts, before, start)),
            "days": days,
            "counts": counts[system],
            "incidents": [
                {
                    "from_ns": begin,
                    "to_ns": end,
                    "is_over": is_over,
                    "in_the_month": seconds(min(end, stop) - max(begin, start)),
                    "down": seconds(down),
                }
                for begin, end, is_over, down in incidents(parts, start, stop)
            ],
        }
    for key, durations in (("spreads", took), ("spreads_before", took_before), ("steps", steps)):
        answer[key] = {}
        for name, values in durations.items():
            values.sort()
            answer[key][name] = {"runs": len(values), "p50": quantile(values, 0.5), "p95": quantile(values, 0.95)}
    json.dump(answer, sys.stdout)


main()
