"""How often a city in which nothing happens raises an alarm, and which rises are found.

    python benchmarks/alerts.py [--weeks 2000]

Ninety series (categories, issues, sources; from 0.05 to 60 voices a day, with weekdays) are drawn for a history and for one
week more. `chance`: Poisson; `days`: days differ (negative binomial, variance 1 + mean / 3 times the mean); `runs`: besides,
the level wanders from week to week by 15 %, half of which stays. Printed: weeks with any alarm (stated: 1 %), and how often a
rise of one series to twice and to three times its mean is found, for series of 2 and of 10 voices a day.
"""

from __future__ import annotations

import argparse

import numpy as np

from pipelines.reports.alarms import find_alarms

MEANS = np.concatenate([np.geomspace(0.05, 8, 60), np.geomspace(1, 60, 28), [2, 10]])
WEEKDAY = np.array([1.1, 1.05, 1.0, 1.0, 1.1, 0.95, 0.8])


def draw_days(kind: str, days: int, rng: np.random.Generator) -> np.ndarray:
    """Draw counts by series and day."""
    mean = MEANS[:, None] * WEEKDAY[np.arange(days) % 7][None, :]
    if kind == "runs":
        level, wander = np.zeros(len(MEANS)), []
        for _ in range(days // 7 + 1):
            level = 0.5 * level + rng.normal(0, 0.15 * 0.75**0.5, len(MEANS))
            wander.append(np.exp(level))
        mean = mean * np.repeat(np.array(wander).T, 7, axis=1)[:, :days]
    if kind in ("days", "runs"):
        mean = mean * rng.gamma(3, 1 / 3, mean.shape)
    return rng.poisson(mean).astype(float)


def measure(kind: str, history: int, weeks: int, *, seed: int) -> list[float]:
    """Return the share of weeks with an alarm, and of rises found: 2 voices a day twice and thrice, 10 twice and thrice."""
    alarmed, found = 0, np.zeros(4)
    for week in range(weeks):
        rng = np.random.default_rng([seed, week])
        days = draw_days(kind, history + 7, rng)
        past, now, weekday = days[:, :history], days[:, history:], np.arange(history + 7) % 7
        alarmed += bool(find_alarms(past, weekday[:history], now, weekday[history:]))
        if week % 10 == 0:
            for place, (series, times) in enumerate(((88, 2), (88, 3), (89, 2), (89, 3))):
                risen = now.copy()
                risen[series] = draw_days(kind, 7, rng)[series] * times
                alarms = find_alarms(past, weekday[:history], risen, weekday[history:])
                found[place] += any(alarm.series == series for alarm in alarms)
    return [alarmed / weeks, *(found / max(len(range(0, weeks, 10)), 1))]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--weeks", type=int, default=2000)
    options = parser.parse_args()
    print(f"{'city':8} {'history':>8} {'weeks with an alarm':>20} {'2 a day x2':>11} {'x3':>6} {'10 a day x2':>12} {'x3':>6}")
    for kind in ("chance", "days", "runs"):
        for history in (28, 56, 182):
            told = measure(kind, history, options.weeks, seed=1)
            print(
                f"{kind:8} {history:8} {told[0]:20.4f} {told[1]:11.2f} {told[2]:6.2f} {told[3]:12.2f} {told[4]:6.2f}", flush=True
            )


if __name__ == "__main__":
    main()
