"""Price lists into rows. Rows are added, never rewritten: what a call cost then can always be explained.

A load compares a list with the rows of its own layer (bundled, loaded from a file, entered by hand; see
`providers.price_rows` for which one decides) and adds a row wherever the price from now on would otherwise differ from
what the list says. A bundled load therefore never takes over a price of the operator's: its rows are kept up to date
below it, and the report says that the other one stays in force. What a layer had not heard of holds for all time,
unless a layer below already had a price: what that one said of the past stays true.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from django.db import transaction
from django.utils import timezone

from providers.catalogs.bundled import bundled_version, read_bundled_list
from providers.catalogs.listed import ListedPrice, PriceList, PriceListBroken, check_usd
from providers.matching import Rule, check_rule
from providers.models import Price, PriceCatalog
from providers.price_rows import BUNDLED, MANUAL, RATE_FIELDS, PriceRow, precedence, read_rows, read_tiers
from tenants.configuration import ConfigurationVersion
from tenants.models import Tenant

OPERATOR = MANUAL
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
_MOMENT = timedelta(microseconds=1)
_SETTLING = timedelta(milliseconds=1)  # rows this close to each other correct each other; the last one counts
_BATCH = 500

Pair = tuple[str, str]
Kind = Literal["added", "changed", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a price says, apart from since when."""

    usd: tuple[Decimal | None, ...] = (None,) * len(RATE_FIELDS)
    tiers: tuple[tuple[tuple[str, Any], ...], ...] = ()
    match: Rule | None = None
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What a load does to one model: its terms before and after, each new row's moment, and who stays above it."""

    kind: Kind
    vendor: str
    model: str
    before: Terms | None
    rows: tuple[tuple[datetime, Terms], ...]
    overridden_by: str = ""


@dataclass(frozen=True, slots=True)
class Diff:
    """What a load would do."""

    price_list: PriceList
    changes: tuple[Change, ...]
    unchanged_count: int

    def of(self, kind: Kind) -> list[Change]:
        """Return the changes of one kind."""
        return [change for change in self.changes if change.kind == kind]


def seed_bundled_prices() -> Diff | None:
    """Load the bundled list, unless this version of it was loaded before; then that one look is all it costs."""
    if PriceCatalog.objects.filter(source=BUNDLED, version=bundled_version()).exists():
        return None
    return load(read_bundled_list(), now=timezone.now())


def load(price_list: PriceList, *, now: datetime, prune: bool = False, dry_run: bool = False) -> Diff:
    """Bring the rows in line with a list. With `prune`, models that this source no longer lists lose their price."""
    found = diff(price_list, read_rows(Price.objects.filter(tenant=None)), now=now, prune=prune)
    if dry_run or (not found.changes and _is_known(price_list)):
        return found
    with transaction.atomic():
        if found.changes:
            ConfigurationVersion.advance()  # writers queue here: what follows sees the rows of whoever came first
            found = diff(price_list, read_rows(Price.objects.filter(tenant=None)), now=now, prune=prune)
        apply(found)
    return found


def diff(price_list: PriceList, existing: Iterable[PriceRow], *, now: datetime, prune: bool = False) -> Diff:
    """Compare a list with the shared rows there are."""
    rows: dict[Pair, list[PriceRow]] = defaultdict(list)
    for row in sorted(existing, key=lambda row: (row.effective_from, row.pk)):
        rows[row.vendor, row.model].append(row)
    wanted: dict[Pair, list[tuple[datetime, Terms]]] = defaultdict(list)
    for price in price_list.prices:
        wanted[price.vendor, price.model].append((price.effective_from or BEGINNING, _listed_terms(price)))
    changes = [_compare(pair, timeline, rows[pair], price_list.source, now) for pair, timeline in wanted.items()]
    if prune:
        gone = (pair for pair in sorted(rows) if pair not in wanted)
        changes += [_withdraw(pair, rows[pair], price_list.source, now) for pair in gone]
    made = tuple(change for change in changes if change is not None)
    unchanged = len(wanted) - sum(change.kind != "withdrawn" for change in made)
    return Diff(price_list=price_list, changes=made, unchanged_count=unchanged)


def apply(found: Diff) -> None:
    """Write what a diff says, in one transaction; the load itself is remembered even where it changed nothing."""
    with transaction.atomic():
        catalog = _remember(found.price_list)
        rows = [
            _new_row(catalog, change, effective_from, terms)
            for change in found.changes
            for effective_from, terms in change.rows
        ]
        if rows:
            Price.objects.bulk_create(rows, batch_size=_BATCH)


def set_price(
    *,
    vendor: str,
    model: str,
    tenant: Tenant | None = None,
    effective_from: datetime | None = None,
    match: Rule | None = None,
    tiers: Iterable[dict[str, Any]] = (),
    withdrawn: bool = False,
    **usd_rates: Decimal | int | None,
) -> Price:
    """Add a price entered by hand, which goes before every list, for everyone or for one tenant.

    The rates are those of the model: `input_per_mtok=Decimal("2.5")`. Without any rate the row ends an earlier price
    by hand, and the lists answer again. Raises PriceListBroken, TiersBroken, RuleBroken or ValidationError.
    """
    row = Price(vendor=vendor, model=model, tenant=tenant, match=match, tiers=list(tiers), withdrawn=withdrawn)
    for name, amount in usd_rates.items():
        if name not in RATE_FIELDS.values() or isinstance(amount, float):
            raise TypeError(f"{name}={amount!r} is no exact rate of a price")
        if amount is not None:
            setattr(row, name, check_usd(Decimal(amount), where=f"{vendor}/{model}: {name}"))
    read_tiers(row.tiers)
    if match is not None:
        check_rule(match)
    with transaction.atomic():
        row.catalog, _ = PriceCatalog.objects.get_or_create(source=MANUAL, version="")
        own = Price.objects.filter(vendor=vendor, model=model, tenant=tenant)
        moment = effective_from or timezone.now()
        row.effective_from = _free_moment(moment, set(own.values_list("effective_from", flat=True)))
        row.full_clean()
        row.save()
    return row


def _compare(
    pair: Pair, timeline: list[tuple[datetime, Terms]], rows: list[PriceRow], source: str, now: datetime
) -> Change | None:
    layer = [row for row in rows if precedence(row.source) == precedence(source)]
    below = any(precedence(row.source) > precedence(source) for row in rows)
    present = [(row.effective_from, _row_terms(row)) for row in layer]
    taken = {row.effective_from for row in rows}
    if layer or below:
        new = _what_differs(timeline, present, taken, now)
    else:
        new = [(_free_moment(moment, taken), terms) for moment, terms in timeline]
    if not new:
        return None
    kind: Kind = "changed" if layer else "added"
    return Change(kind, *pair, _at(present, now), tuple(new), _above(rows, source, now))


def _withdraw(pair: Pair, rows: list[PriceRow], source: str, now: datetime) -> Change | None:
    layer = [row for row in rows if precedence(row.source) == precedence(source)]
    current = next((row for row in reversed(layer) if row.effective_from <= now), None)
    if current is None or current.source != source or current.withdrawn:
        return None
    # The rule stays, so that other spellings of the name find that there is no price instead of another entry.
    gone = Terms(match=current.match, withdrawn=True)
    change = _compare(pair, [(BEGINNING, gone)], rows, source, now)
    return None if change is None else Change("withdrawn", *pair, change.before, change.rows, change.overridden_by)


def _what_differs(
    wanted: list[tuple[datetime, Terms]], present: list[tuple[datetime, Terms]], taken: set[datetime], now: datetime
) -> list[tuple[datetime, Terms]]:
    """Return what to add so that from now on both say the same; what is over stays as it was said."""
    moments = {now, *(moment for moment, _ in [*wanted, *present] if moment > now)}
    new: list[tuple[datetime, Terms]] = []
    for moment in sorted(moments):
        terms = _at(wanted, moment)
        settled = _at(sorted([*present, *new], key=_moment_of), moment + _SETTLING)
        if terms is not None and terms != settled:
            new.append((_free_moment(moment, taken), terms))
    return new


def _at(timeline: list[tuple[datetime, Terms]], moment: datetime) -> Terms | None:
    return next((terms for start, terms in reversed(timeline) if start <= moment), None)


def _moment_of(entry: tuple[datetime, Terms]) -> datetime:
    return entry[0]


def _free_moment(moment: datetime, taken: set[datetime]) -> datetime:
    """Take the first moment from that one on at which the model has no row yet: two rows can't share one."""
    while moment in taken:
        moment += _MOMENT
    taken.add(moment)
    return moment


def _above(rows: list[PriceRow], source: str, now: datetime) -> str:
    """Return the source that has a price in force above that one; empty where none has."""
    current = {precedence(row.source): row for row in rows if row.effective_from <= now}
    for rank in sorted(rank for rank in current if rank < precedence(source)):
        row = current[rank]
        if row.withdrawn or row.tiers or any(amount is not None for amount in row.usd):
            return row.source
    return ""


def _listed_terms(price: ListedPrice) -> Terms:
    return Terms(tuple(map(price.usd.get, RATE_FIELDS.values())), _frozen_tiers(price.tiers), price.match)


def _row_terms(row: PriceRow) -> Terms:
    return Terms(row.usd, _frozen_tiers(row.tiers), row.match, row.withdrawn)


def _frozen_tiers(tiers: list[dict[str, Any]]) -> tuple[tuple[tuple[str, Any], ...], ...]:
    return tuple(tuple(sorted(tier.items())) for tier in tiers)


def _new_row(catalog: PriceCatalog, change: Change, effective_from: datetime, terms: Terms) -> Price:
    return Price(
        catalog=catalog,
        vendor=change.vendor,
        model=change.model,
        match=terms.match,
        tiers=[dict(tier) for tier in terms.tiers],
        withdrawn=terms.withdrawn,
        effective_from=effective_from,
        **dict(zip(RATE_FIELDS.values(), terms.usd, strict=True)),
    )


def _is_known(price_list: PriceList) -> bool:
    return PriceCatalog.objects.filter(source=price_list.source, version=price_list.version).exists()


def _remember(price_list: PriceList) -> PriceCatalog:
    return PriceCatalog.objects.create(
        source=price_list.source, version=price_list.version, last_updated=price_list.last_updated
    )


__all__ = [
    "OPERATOR",
    "Change",
    "Diff",
    "PriceListBroken",
    "Terms",
    "apply",
    "diff",
    "load",
    "seed_bundled_prices",
    "set_price",
]
