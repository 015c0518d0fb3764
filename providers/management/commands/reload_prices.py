"""Bring prices up to date: `manage.py reload_prices [--file F] [--prune] [--dry-run]`."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kernel import clock
from providers.catalog import Change, Diff, Terms, load
from providers.catalogs.bundled import read_bundled_list
from providers.catalogs.file import read_price_file
from providers.catalogs.listed import PriceListBroken
from providers.price_rows import RATE_FIELDS

_SHOWN_MAX = 40


class Command(BaseCommand):
    """Prints what differs, old and new, and writes it."""

    help = "Load the bundled price list, or one in a file (plain JSON or LiteLLM's price map)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--file", type=Path, help="a price list; without one, the bundled list")
        parser.add_argument("--prune", action="store_true", help="withdraw what an earlier load of this file listed")
        parser.add_argument("--dry-run", action="store_true", help="only print what would change")

    def handle(self, *_args: Any, **options: Any) -> None:
        path: Path | None = options["file"]
        if options["prune"] and path is None:
            raise CommandError("--prune goes with --file: what the bundled list drops keeps its price")
        try:
            price_list = read_price_file(path) if path else read_bundled_list()
        except PriceListBroken as error:
            raise CommandError(str(error)) from error
        found = load(price_list, now=clock.now(), prune=options["prune"], dry_run=options["dry_run"])
        self.stdout.write(render(found, everything=options["verbosity"] > 1))
        if options["dry_run"] and found.changes:
            self.stdout.write("dry run: nothing was written")


def render(found: Diff, *, everything: bool) -> str:
    """Return a diff for people: a line a model, then the sums. Long runs are cut short unless `everything`."""
    lines = [f"{found.price_list.source} {found.price_list.version}".strip()]
    added, changed, withdrawn = found.of("added"), found.of("changed"), found.of("withdrawn")
    lines += _shortened([_describe(change) for change in added], everything=everything)
    lines += [_describe(change) for change in [*changed, *withdrawn]]
    lines += _shortened([f"note: {note}" for note in found.price_list.notes], everything=everything)
    if found.changes:
        sums = f"{len(added)} added, {len(changed)} changed, {len(withdrawn)} withdrawn"
        lines.append(f"{sums}, {found.unchanged_count} unchanged")
    else:
        lines.append(f"nothing changed: {found.unchanged_count} models as before")
    return "\n".join(lines)


def _shortened(lines: list[str], *, everything: bool) -> list[str]:
    if everything or len(lines) <= _SHOWN_MAX:
        return lines
    word = lines[0].partition(" ")[0].rstrip(":")
    return [*lines[:_SHOWN_MAX], f"{word} … and {len(lines) - _SHOWN_MAX} more (-v 2 lists them)"]


def _describe(change: Change) -> str:
    moment, first = change.rows[0]
    parts = [f"{change.kind} {change.vendor}/{change.model}"]
    if change.kind != "withdrawn":
        parts.append(_compare(change.before, first))
    if change.kind == "changed":
        parts.append(f"from {moment:%Y-%m-%d %H:%M}")
    if len(change.rows) > 1:
        parts.append(f"and {len(change.rows) - 1} dated")
    if change.overridden_by:
        parts.append(f"(kept, overridden: the price of {change.overridden_by} stays in force)")
    return " ".join(part for part in parts if part)


def _compare(before: Terms | None, after: Terms) -> str:
    """Name every class of unit whose price is new or differs; in USD a million tokens, or each."""
    old = before or Terms()
    parts = [
        f"{name} {_shown(was)} → {_shown(now)}" if before else f"{name} {_shown(now)}"
        for name, was, now in zip(RATE_FIELDS, old.usd, after.usd, strict=True)
        if was != now
    ]
    if old.tiers != after.tiers:
        parts.append(
            f"tiers above {', '.join(str(dict(tier)['above_input_tokens']) for tier in after.tiers) or 'none'}"
        )
    if before and old.match != after.match:
        parts.append("other spellings")
    if old.withdrawn:
        parts.append("listed again")
    return ", ".join(parts)


def _shown(amount: Any) -> str:
    return "none" if amount is None else f"{amount.normalize():f}"
