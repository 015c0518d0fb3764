"""What a call could cost at worst, asked of the limits and budgets before anything is sent.

The worst case is the counted input at list price and the longest answer at output price, at the dearest target that
the call may reach. Targets without a price are not reached by calls under a budget: they could not be charged.
"""

from decimal import Decimal, InvalidOperation

from gateway.call import Call
from gateway.messages import Incoming
from gateway.plane import DataPlane
from kernel.errors import InvalidRequest, PermissionRefused
from providers import tokens
from providers.dialects.canonical import Head
from providers.dialects.openai_chat import request as wire
from providers.dialects.openai_chat.measure import read_prompt
from providers.prices import ceiling_nanos
from providers.tokens import OutputBound
from routing import strategies
from routing.snapshot import Target
from usage import admission
from usage.admission import Demand, Refusal
from usage.policy import NO_RULES, CallerPolicy, Subject

MAX_COST_HEADER = b"x-gateway-max-cost-usd"


def read_max_cost(incoming: Incoming, head: Head) -> int | None:
    """Return the most that the caller lets the call cost, in nano-dollars. Raises InvalidRequest."""
    given = incoming.headers.get(MAX_COST_HEADER)
    if given is None:
        return head.max_cost_nanos
    try:
        return wire.read_max_cost(Decimal(given.decode("ascii")))
    except (InvalidOperation, UnicodeDecodeError) as error:
        raise InvalidRequest(
            f"{MAX_COST_HEADER.decode()} is an amount in dollars", code="invalid_value", param=wire.MAX_COST_FIELD
        ) from error


def rules_of(call: Call, *, now_s: float) -> CallerPolicy:
    """Return the limits and budgets that hold for a call."""
    caller, route = call.caller, call.route.configured_name

    def subject() -> Subject:
        return Subject(caller.tenant_id, caller.user_id, caller.key_id, route, caller.time_zone)

    return call.snapshot.policy.of(subject, key_id=caller.key_id, route=route, now_s=now_s)


async def admit(plane: DataPlane, call: Call) -> list[Target]:
    """Reserve what the call can take and return the targets it may go to, in the order of trying.

    Raises RateLimited and BudgetExceeded where something refuses it, PermissionRefused where a budget applies and no
    target has a price, Unavailable where that can't be decided.
    """
    targets = strategies.rank(call.route, plane.chance)
    policy = rules_of(call, now_s=plane.counters.now_s())
    if policy is NO_RULES and call.max_cost_nanos is None:
        return targets
    try:
        try:
            return await _reserve(plane, call, policy, targets)
        except Refused as refused:
            if not refused.refusal.by_amount:
                raise
        await count_input(call, targets)
        return await _reserve(plane, call, policy, targets)
    except Refused as refused:
        _note_denial(plane, call, refused.refusal)
        raise refused.refusal.error from None


async def _reserve(plane: DataPlane, call: Call, policy: CallerPolicy, targets: list[Target]) -> list[Target]:
    demand, allowed = measure(plane, call, policy, targets)
    got = await admission.admit(plane.counters, policy, demand)
    if isinstance(got, Refusal):
        raise Refused(got)
    call.grant = got
    return allowed


async def count_input(call: Call, targets: list[Target]) -> None:
    """Count what the call takes in, token by token: for when the bound that costs nothing doesn't fit."""
    prompt = read_prompt(call.operation, call.body)
    for name in {_tokenizer_of(target) for target in targets}:
        call.input_tokens[name] = await tokens.count_prompt(prompt, tokenizer=name, most=call.head.input_tokens_most)


def input_tokens(call: Call, target: Target) -> int:
    """Return the most that the call takes in at a target: as counted, else the bound."""
    most = call.head.input_tokens_most
    return call.input_tokens.get(_tokenizer_of(target), most) if call.input_tokens else most


def longest_output(plane: DataPlane, call: Call, target: Target) -> OutputBound:
    """Return the most that the call can give out at a target."""
    known = call.longest.get(target.name)
    if known is None:
        known = call.longest[target.name] = tokens.bound_output(
            call.head,
            route_cap=call.route.default_max_output_tokens,
            target_most=target.max_output_tokens,
            usual_cap=plane.usual_output_cap,
        )
    return known


def _tokenizer_of(target: Target) -> str:
    return target.connection.preset.tokenizer_of(target.model)


async def bears(plane: DataPlane, call: Call, target: Target) -> bool:
    """Make sure that what is reserved covers another try, at this target; False where the budgets don't bear it."""
    if call.grant is None or target.name not in call.worst_nanos:
        return True
    needed = call.posted_nanos + call.worst_nanos[target.name]
    if call.max_cost_nanos is not None and needed > call.max_cost_nanos:
        return False
    return await admission.extend(plane.counters, call.grant, nanos=needed - (call.grant.reserved_nanos or 0))


def measure(plane: DataPlane, call: Call, policy: CallerPolicy, targets: list[Target]) -> tuple[Demand, list[Target]]:
    """Return the most that the call can take, and the targets it may go to under its budgets.

    Raises PermissionRefused where none of them has a price, Refused where each could cost more than `max_cost_usd`.
    """
    most = max([input_tokens(call, target) + longest_output(plane, call, target).tokens for target in targets])
    cost_nanos = 0
    if policy.budgets or call.max_cost_nanos is not None:
        targets = _affordable(call, _priced(plane, call, targets))
        cost_nanos = max([call.worst_nanos[target.name] for target in targets])
    return Demand(most, cost_nanos, call.head.stream), targets


class Refused(Exception):
    """Carries a refusal to where it is written down."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.rule)
        self.refusal = refusal


def _priced(plane: DataPlane, call: Call, targets: list[Target]) -> list[Target]:
    """Work out what each target can cost at worst, and leave out those that have no price."""
    tenant_id, now_s = call.caller.tenant_id, plane.counters.now_s()
    for target in targets:
        price = call.snapshot.price_of(target, tenant_id=tenant_id, now_s=now_s)
        if price is None:
            continue
        call.prices[target.name] = price
        worst = ceiling_nanos(
            price=price,
            input_tokens=input_tokens(call, target),
            output_tokens=longest_output(plane, call, target).tokens,
        )
        if worst is not None:
            call.worst_nanos[target.name] = worst
    priced = [target for target in targets if target.name in call.worst_nanos]
    if not priced:
        raise PermissionRefused(
            f"The model '{call.head.model[:200]}' has no price, and a budget applies to this call.",
            code="model_not_priced",
            param="model",
        )
    return priced


def _affordable(call: Call, targets: list[Target]) -> list[Target]:
    """Leave out the targets that could cost more than the call may."""
    allowed_nanos = call.max_cost_nanos
    if allowed_nanos is None:
        return targets
    fitting = [target for target in targets if call.worst_nanos[target.name] <= allowed_nanos]
    if not fitting:
        needed_nanos = min(call.worst_nanos[target.name] for target in targets)
        raise Refused(admission.over_call_budget(allowed_nanos=allowed_nanos, needed_nanos=needed_nanos))
    return fitting


def _note_denial(plane: DataPlane, call: Call, refusal: Refusal) -> None:
    caller = call.caller
    plane.denials.note(
        request_id=call.request_id,
        tenant_id=caller.tenant_id,
        key_id=caller.key_id,
        user_id=caller.user_id,
        route=call.route.name,
        code=refusal.error.code,
        rule=refusal.rule,
        remaining=refusal.remaining,
    )
