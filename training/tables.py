"""Results on standard output: tables for people, JSON for machines."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.core.answer import Reason, Recommendations
    from app.core.artifact import Manifest
    from app.core.catalogue import Game
    from app.core.importing.summary import ImportSummary
    from app.core.keys import Key
    from training.benchmark import Benchmark, Row
    from training.evaluate import Evaluation
    from training.validation import ValidationReport

_WIDTH_OF_A_FILE = 160
_PLAYED_SHOWN = 5
_SET_ASIDE_SHOWN = 20


def show(machine: object, people: RenderableType, *, as_json: bool) -> None:
    """Print a result, as JSON or for people."""
    if as_json:
        print(json.dumps(machine, indent=2, ensure_ascii=False))
    else:
        Console(width=None if sys.stdout.isatty() else _WIDTH_OF_A_FILE, highlight=False).print(people)


def published(manifest: Manifest, *, dry_run: bool) -> RenderableType:
    """Describe a version that a run has published, or would have."""
    counts, gate = manifest.counts, manifest.gate
    promoted = "it is current" if gate["promoted"] else "the version before stays current"
    went = f"Published {manifest.version}; {promoted}"
    if dry_run:
        went = f"Not published, as this is a dry run; the gate would {'' if gate['promoted'] else 'not '}let it pass"
    lines = [
        f"{went}{' (forced)' if gate['forced'] else ''}. {gate['reason']}",
        f"{counts.games} games, {counts.players} {manifest.data_kind} players, {counts.plays} plays.",
    ]
    if counts.plays_left_out:
        lines.append(f"{counts.plays_left_out} plays were left out: their games are not in the catalogue.")
    return Text("\n".join(lines))


def validation(report: ValidationReport) -> RenderableType:
    """Lay out what a validation found."""
    summary = Text(
        f"{report.rows} records: {report.valid} valid games, {report.repeated} repeated, {report.bad} set aside.",
    )
    if not report.violations:
        return summary
    rules = _table("Field", "Rule", "Records", "For example")
    for violation in report.violations:
        _add(rules, violation.field, violation.rule, violation.rows, ", ".join(violation.examples))
    rows = _table("Record", "Game", "Name", "Why it is set aside")
    for row in report.set_aside[:_SET_ASIDE_SHOWN]:
        _add(rows, row.row, row.game_id, row.name, "\n".join(row.reasons))
    hidden = len(report.set_aside) - _SET_ASIDE_SHOWN
    more = [Text(f"and {hidden} more, in validation.json in the data folder")] if hidden > 0 else []
    return Group(summary, rules, rows, *more)


def imported(summary: ImportSummary) -> RenderableType:
    """Lay out the lines of a file that were not imported, and the titles that were not found."""
    rows = _table("Line", "Why it is set aside")
    for line, reason in summary.set_aside[:_SET_ASIDE_SHOWN]:
        _add(rows, line, reason)
    titles = _table("Rows", "Title that is not in the catalogue")
    for title, count in summary.unmatched.most_common(_SET_ASIDE_SHOWN):
        _add(titles, count, title)
    parts: list[RenderableType] = []
    for table, count in ((rows, summary.set_aside_rows), (titles, len(summary.unmatched))):
        parts.extend((table, *_more(count - _SET_ASIDE_SHOWN)) if count else ())
    return Group(*parts)


def _more(hidden: int) -> list[Text]:
    return [Text(f"and {hidden} more, in import.json in the data folder")] if hidden > 0 else []


def import_in_one_line(summary: ImportSummary) -> str:
    """Count what was imported and what was not."""
    counted = f"Imported {summary.rows} rows: {len(summary.players)} players, {len(summary.games)} games"
    parts = [counted, f"{summary.set_aside_rows} rows set aside"]
    if summary.unmatched_rows:
        parts.append(f"{summary.unmatched_rows} rows of {len(summary.unmatched)} titles not in the catalogue")
    if summary.went_on_at:
        parts.append(f"the first {summary.went_on_at} rows were read by an import before this one")
    return "; ".join(parts) + "."


def evaluation(version: str, found: Evaluation) -> RenderableType:
    """Lay out the metrics of a version beside those of rankers that learn nothing."""
    table = _table("", *found.metrics)
    for name in next(iter(found.metrics.values())):
        estimates = [metrics[name] for metrics in found.metrics.values()]
        _add(table, name, *(f"{value:.4f} ({low:.4f} to {high:.4f})" for value, low, high in estimates))
    return Group(Text(f"{version}, judged by {found.players} players; in brackets 95 % intervals."), table)


def benchmark(found: Benchmark) -> RenderableType:
    """Lay out methods side by side: what they find, and what they take."""
    measures = list(dict.fromkeys(name for row in found.rows for name in row.measures))
    table = _table("Method", *measures, "Training", "Memory", "Recommending")
    for row in found.rows:
        estimates = [f"{value:.4f} [{low:.4f}, {high:.4f}]" for value, low, high in row.measures.values()]
        _add(table, row.method, *(estimates or [""] * len(measures)), *_cost(row))
    stopped = [Text(f"{row.method}: {row.trouble}.") for row in found.rows if row.trouble]
    settings = [Text(f"{row.method}: {row.settings}.", style="dim") for row in found.rows]
    legend = Text(
        "In brackets the 95 % interval over players. Training and recommending, 20 games to each player under test, in "
        "seconds after a first call that compiles. Memory in MB: the peak of training above the process with the plays."
    )
    return Group(*(Text(note) for note in found.notes), table, *stopped, legend, *settings)


def recommendations(
    user_id: str, played: Sequence[Game], answer: Recommendations, manifest: Manifest
) -> RenderableType:
    """Lay out an answer, with what the player played and the main reason for each game."""
    table = _table("", "Game", "Released", "Genres", "Score", "Because of")
    for scored in answer.games:
        game = scored.game
        because = _because(scored.reasons, scored.score) if scored.reasons else scored.source.value
        year = (game["released"] or "")[:4]
        _add(table, scored.rank, game["name"], year, ", ".join(game["genres"]), f"{scored.score:.2f}", because)
    kind = " (simulated)" if manifest.data_kind == "simulated" else ""
    favourites = ", ".join(game["name"] for game in played[:_PLAYED_SHOWN])
    head = [Text(f"Player {user_id}{kind} played {len(played)} games, most of all {favourites}.")] if played else []
    return Group(*head, *(Text(warned.message) for warned in answer.warnings), table, Text("Catalogue: RAWG, rawg.io"))


def recommendations_as_json(user_id: str, answer: Recommendations, manifest: Manifest) -> dict[str, Any]:
    """Write an answer for machines."""
    return {
        "user_id": user_id,
        "model_version": manifest.version,
        "data_kind": manifest.data_kind,
        "warnings": [warned._asdict() for warned in answer.warnings],
        "games": [
            {
                **scored.game,
                "score": scored.score,
                "rank": scored.rank,
                "source": scored.source.value,
                "reasons": [reason._asdict() for reason in scored.reasons],
            }
            for scored in answer.games
        ],
    }


def versions(listed: Sequence[Manifest | tuple[str, str]], current: str | None) -> RenderableType:
    """List published versions: for each its manifest, or its name and why it cannot be used."""
    table = _table("", "Version", "Catalogue", "Games", "Players", "Plays", "nDCG@10")
    for found in listed:
        if isinstance(found, tuple):
            _add(table, "broken", *found)
            continue
        counts = found.counts
        mark = "current" if found.version == current else ""
        players = f"{counts.players} {found.data_kind}"
        _add(
            table,
            mark,
            found.version,
            found.catalogue_source,
            counts.games,
            players,
            counts.plays,
            _ndcg(found.metrics),
        )
    return table


def versions_as_json(listed: Sequence[Manifest | tuple[str, str]]) -> list[dict[str, Any]]:
    """Write published versions for machines."""
    return [
        {"version": found[0], "broken": found[1]} if isinstance(found, tuple) else found.model_dump(mode="json")
        for found in listed
    ]


def keys(listed: Sequence[Key]) -> RenderableType:
    """List keys, without what would open anything."""
    table = _table("Key", "Scope", "Name", "Made (UTC)", "Revoked (UTC)")
    for key in listed:
        _add(table, key.key_id, key.scope, key.name, _minute(key.created_at), _minute(key.revoked_at))
    return table


def _minute(seconds: float | None) -> str:
    return "" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def _cost(row: Row) -> list[str]:
    if row.cost is None:
        return ["", "", ""]
    memory = row.cost["memory_mb"]
    return [
        f"{row.cost['train_seconds']:.1f}",
        "?" if memory is None else f"{memory:,.0f}",
        f"{row.cost['recommend_seconds']:.1f}",
    ]


def _ndcg(metrics: Mapping[str, Any]) -> str:
    return f"{metrics['model']['ndcg@10']['value']:.3f}" if "model" in metrics else ""


def _because(reasons: Sequence[Reason], score: float) -> str:
    return f"{reasons[0].name} ({reasons[0].share / score:.0%})"


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _add(table: Table, *cells: object) -> None:
    # Texts, not markup: a game's name may hold square brackets.
    table.add_row(*(Text(str(cell)) for cell in cells))
