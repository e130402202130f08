"""The grid as a page: the picture, and every question that was missed."""

from collections.abc import Mapping, Sequence
from typing import Any

from longra.evaluate.range.cells import Finding
from longra.evaluate.range.picture import picture
from longra.evaluate.report.page import heading, page, paragraph, table

_SHOWN = 300
"""Characters of an answer."""


def range_page(findings: Sequence[Finding], run: Mapping[str, Any]) -> str:
    """A whole page.

    Args:
        findings: at least one.
        run: what they depend on, by name.
    """
    missed = [finding for finding in findings if finding.score < 1]
    parts = [picture(findings, str(run["model"])), heading(f"Missed: {len(missed):,} of {len(findings):,}")]
    if missed:
        parts.append(table(("task", "tokens", "depth", "expected", "said"), [_row(finding) for finding in missed]))
    depends = ", ".join(f"{name} {value}" for name, value in run.items())
    parts.append(paragraph(f"After RULER (Hsieh et al. 2024), greedy: {depends}.", "faint"))
    return page(f"How far {run['model']} reaches", parts)


def _row(finding: Finding) -> tuple[str | float, ...]:
    cell = finding.cell
    depth = "anywhere" if cell.depth is None else f"{cell.depth:.0%}"
    said = finding.said if len(finding.said) <= _SHOWN else finding.said[:_SHOWN] + " …"
    return cell.task, cell.length, depth, ", ".join(finding.expected), said.strip()
