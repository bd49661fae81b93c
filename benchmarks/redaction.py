"""How much of the labelled sentences redaction finds, and how many of its redactions are false alarms, by kind.

    python benchmarks/redaction.py [--errors]

The sentences and the rules of what goes stand in `tests/collectors/redaction_cases.yml`, the bars in
`tests/collectors/test_redaction_cases.py`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.redaction_cases import FIGURES, PARTS, WORDS, Score, load_cases, measure


def rows(score: Score) -> list[tuple[str, frozenset[str]]]:
    """Return the lines of the table: a name and the kinds that it takes together."""
    kinds = [(kind, frozenset({kind})) for kind in sorted(score.wanted)]
    return [*kinds, ("figures", FIGURES), ("names and addresses", WORDS), ("all", FIGURES | WORDS)]


def main() -> None:
    """Print one table a part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--errors", action="store_true")
    errors = parser.parse_args().errors
    for part in PARTS:
        cases = load_cases(part)
        score = measure(cases)
        print(f"{part}: {len(cases)} sentences, {sum(not case.personal for case in cases)} without personal data")
        for name, kinds in rows(score):
            wanted, taken = (sum(counter[kind] for kind in kinds) for counter in (score.wanted, score.taken))
            precision = f"{score.precision(kinds):.3f}" if taken else "-"
            print(f"  {name:<20} {wanted:>4} spans   recall {score.recall(kinds):.3f}   precision {precision} of {taken}")
        if errors:
            print("\n".join(f"    {error}" for error in score.errors))


if __name__ == "__main__":
    main()
