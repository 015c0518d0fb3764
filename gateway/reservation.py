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
from providers.dialects.openai_chat.request import MAX_COST_FIELD
from providers.dialects.openai_chat.request import read_max_cost as decode_max_cost
from providers.prices import ceiling_nanos
from providers.tokens import OutputBound
from routing import strategies
from routing.snapshot import Target
from usage import admission
from usage.admission import Demand, Refusal, Refused
from usage.policy import NO_RULES, CallerPolicy, Subject

MAX_COST_HEADER = b"x-gateway-max-cost-usd"
PRICE_RULE = "price"  # stands for a rule's name where a model without a price is refused


def read_max_cost(incoming: Incoming, head: Head) -> int | None:
    """Return the most that the caller lets the call cost, in nano-dollars. Raises InvalidRequest."""
    given = incoming.headers.get(MAX_COST_HEADER)
    if given is None:
        return head.max_cost_nanos
    try:
        return decode_max_cost(Decimal(given.decode("ascii")))
    except (InvalidOperation, UnicodeDecodeError) as error:
        raise InvalidRequest(
            f"{MAX_COST_HEADER.decode()} is an amount in dollars", code="invalid_value", param=MAX_COST_FIELD
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
    counted = False
    while True:
        try:
            demand, allowed = measure(plane, call, policy, targets)
            call.grant = await admission.admit(plane.counters, policy, demand)
            return allowed
        except Refused as refused:
            refusal = refused.refusal
        if counted or not refusal.by_amount:
            call.refusal = refusal
            _note_denial(plane, call, refusal)
            raise refusal.error
        await count_input(call, targets)
        counted = True


async def count_input(call: Call, targets: list[Target]) -> None:
    """Count what the call takes in, token by token: for when the bound that costs nothing doesn't fit."""
    prompt = call.said.door.heads.read_prompt(call.body)
    for name in {_tokenizer_of(target) for target in targets}:
        call.input_tokens[name] = await tokens.count_prompt(prompt, tokenizer=name, most=call.head.input_tokens_most)


def input_tokens(call: Call, target: Target) -> int:
    """Return the most that the call takes in at a target: as counted, else the bound."""
    counted, most = call.input_tokens, call.said.head.input_tokens_most
    return counted.get(_tokenizer_of(target), most) if counted else most


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

    Raises Refused where none of them has a price, or each could cost more than `max_cost_usd`.
    """
    under_budget = bool(policy.budgets) or call.max_cost_nanos is not None
    most, cost_nanos, now_s = 0, 0, plane.counters.now_s()
    allowed: list[Target] = []
    for target in targets:
        taken, given = input_tokens(call, target), longest_output(plane, call, target).tokens
        most = max(most, taken + given)
        if under_budget:
            worst_nanos = _work_out_worst(call, target, input_tokens=taken, output_tokens=given, now_s=now_s)
            if worst_nanos is not None and (call.max_cost_nanos is None or worst_nanos <= call.max_cost_nanos):
                allowed.append(target)
                cost_nanos = max(cost_nanos, worst_nanos)
    if not under_budget:
        allowed = targets
    elif not allowed:
        raise Refused(_none_allowed(call, targets))
    return Demand(most, cost_nanos, call.said.head.stream), allowed


def _work_out_worst(call: Call, target: Target, *, input_tokens: int, output_tokens: int, now_s: float) -> int | None:
    """Return what a try at a target can cost at worst, and remember it; None where it has no price."""
    price = call.snapshot.price_of(target, tenant_id=call.caller.tenant_id, now_s=now_s)
    if price is None:
        return None
    call.prices[target.name] = price
    head = call.said.head
    worst = ceiling_nanos(
        price=price,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        images=head.images,
        characters=head.characters,
        audio_ms=head.audio_ms_most,
        searches=head.searches,
    )
    if worst is not None:
        call.worst_nanos[target.name] = worst
    return worst


def _none_allowed(call: Call, targets: list[Target]) -> Refusal:
    """Say why no target may be reached: none has a price, or each could cost more than the call may."""
    worst = [call.worst_nanos[target.name] for target in targets if target.name in call.worst_nanos]
    if not worst or call.max_cost_nanos is None:
        return _not_priced(call.head.model)
    return admission.over_call_budget(allowed_nanos=call.max_cost_nanos, needed_nanos=min(worst))


def _not_priced(model: str) -> Refusal:
    message = f"The model '{model[:200]}' has no price, and a budget applies to this call."
    return Refusal(PRICE_RULE, 0, PermissionRefused(message, code="model_not_priced", param="model"))


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
