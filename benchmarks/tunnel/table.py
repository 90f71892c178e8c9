"""Medians of what ``load.py`` measured, ours beside stunnel, as a table in Markdown: table.py FILE…"""

import json
import statistics
import sys
from collections import defaultdict


def main() -> None:
    values = defaultdict(list)
    for path in sys.argv[1:]:
        with open(path) as lines:
            for line in lines:
                figure = json.loads(line)
                values[figure["name"], figure["unit"], figure["peer"]].append(figure["value"])
    print("| measurement | ours | stunnel | ours / stunnel | spread: ours, stunnel |")
    print("|---|---|---|---|---|")
    for name, unit in dict.fromkeys(key[:2] for key in values):
        ours, stunnel = values[name, unit, "ours"], values[name, unit, "stunnel"]
        cells = [cell(ours, unit), cell(stunnel, unit), ratio(ours, stunnel), f"{spread(ours)}, {spread(stunnel)}"]
        print(f"| {name} | {' | '.join(cells)} |")


def cell(figures: list[float], unit: str) -> str:
    if not figures:
        return "-"
    middle = statistics.median(figures)
    return f"{middle:,.0f} {unit}" if middle >= 100 else f"{middle:.1f} {unit}"


def ratio(ours: list[float], stunnel: list[float]) -> str:
    if not ours or not stunnel or not statistics.median(stunnel):
        return "-"
    return f"{statistics.median(ours) / statistics.median(stunnel):.2f}"


def spread(figures: list[float]) -> str:
    """Highest less lowest, of the median."""
    middle = statistics.median(figures) if figures else 0
    return f"{100 * (max(figures) - min(figures)) / middle:.0f} %" if middle else "-"


if __name__ == "__main__":
    main()
