"""What would become of a call that is not made: where it would go, what it could cost, what limits and budgets say."""

from collections.abc import Sequence
from typing import Any

import msgspec

from gateway import access, reservation
from gateway.call import Call
from gateway.hearing import hear
from gateway.messages import JSON, Incoming, Reply
from gateway.plane import DataPlane
from kernel.errors import GatewayError, InvalidRequest, Unavailable
from kernel.money import format_usd
from providers.dialects import doors
from providers.dialects.door import Door
from providers.prices import ceiling_nanos
from routing import strategies
from routing.snapshot import Target
from tenants.keys import Caller
from usage import admission
from usage.counters.base import Check, CountersAway, Verdict
from usage.policy import BudgetLine, LimitLine

DRY_RUN_HEADER = b"x-gateway-dry-run"
USUAL_OUTPUT_TOKENS = 500  # the estimate's length of an answer, where no shorter one is asked for
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


def is_asked(incoming: Incoming) -> bool:
    """Tell whether a request at an ordinary door is not to be made. Raises InvalidRequest for an unclear answer."""
    given = incoming.headers.get(DRY_RUN_HEADER)
    if given is None:
        return False
    word = given.strip().lower()
    if word in (b"true", b"1"):
        return True
    if word in (b"false", b"0", b""):
        return False
    raise InvalidRequest("x-gateway-dry-run is true or false", code="invalid_value", param="x-gateway-dry-run")


def door_of(body: bytes) -> Door:
    """Return the door that a body belongs at, told by its fields. Raises InvalidRequest."""
    try:
        fields = _fields.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"The body must be a JSON object: {error}", code="invalid_json") from error
    for field, door in (("messages", doors.CHAT), ("prompt", doors.COMPLETIONS), ("input", doors.EMBEDDINGS)):
        if field in fields:
            return door
    raise InvalidRequest("The body has neither messages, prompt nor input.", code="missing_required_parameter")


async def answer(plane: DataPlane, caller: Caller, door: Door, incoming: Incoming, request_id: str) -> Reply:
    """Return the report on a call that is not made. Raises the GatewayError that an invalid one would get."""
    access.require_scope(caller, "inference")
    call = hear(plane, caller, door, incoming, request_id)
    call.max_cost_nanos = reservation.read_max_cost(incoming, call.head)
    report = await _report(plane, call)
    return Reply(200, [JSON], body=msgspec.json.encode(report))


async def _report(plane: DataPlane, call: Call) -> dict[str, Any]:
    ranked = strategies.rank(call.route, plane.chance)
    policy = reservation.rules_of(call, now_s=plane.counters.now_s())
    plan = policy.plan(streamed=call.head.stream)
    error: GatewayError | None = None
    checks: list[Check] = []
    verdict: Verdict | None = None
    try:
        await reservation.count_input(call, ranked)
        demand, _ = reservation.measure(plane, call, policy, ranked)
        checks = admission.plan_checks(plan, demand)
        verdict = await plane.counters.peek(checks)
        if verdict.refused is not None:
            error = admission.explain(plan, checks, verdict, plane.counters.now_s()).error
    except CountersAway:
        error = Unavailable("Budgets and limits can't be checked now.", code="counters_unavailable")
    except admission.Refused as refused:
        error = refused.refusal.error
    except GatewayError as refusal:
        error = refusal
    rules = _describe_rules(plan.lines, checks, verdict, plane.counters.now_s()) if verdict is not None else []
    return {
        "request_id": call.request_id,
        "operation": call.operation.value,
        "route": call.route.name,
        "stream": call.head.stream,
        "verdict": "admitted" if error is None else "refused",
        "error": None if error is None else {"status": error.status, "code": error.code, "message": error.message},
        "targets": [_describe_target(plane, call, target) for target in ranked],
        "max_cost_usd": _usd(call.max_cost_nanos),
        "limits": [rule for rule in rules if rule["kind"] != "budget"],
        "budgets": [rule for rule in rules if rule["kind"] == "budget"],
    }


def _describe_target(plane: DataPlane, call: Call, target: Target) -> dict[str, Any]:
    input_tokens = reservation.input_tokens(call, target)
    longest = reservation.longest_output(plane, call, target).tokens
    usual = min(longest, USUAL_OUTPUT_TOKENS)
    price = call.snapshot.price_of(target, tenant_id=call.caller.tenant_id, now_s=plane.counters.now_s())
    worst = estimate = None
    if price is not None:
        worst = ceiling_nanos(price=price, input_tokens=input_tokens, output_tokens=longest)
        estimate = ceiling_nanos(price=price, input_tokens=input_tokens, output_tokens=usual)
    return {
        "target": target.name,
        "provider": target.connection.slug,
        "model": target.model,
        "because": strategies.explain(call.route, target),
        "input_tokens": input_tokens,
        "estimated_output_tokens": usual,
        "max_output_tokens": longest,
        "estimated_cost_usd": _usd(estimate),
        "worst_case_cost_usd": _usd(worst),
    }


def _describe_rules(
    lines: Sequence[LimitLine | BudgetLine], checks: list[Check], verdict: Verdict, now_s: float
) -> list[dict[str, Any]]:
    described = []
    for line, check, used, number in zip(lines, checks, verdict.used, verdict.slices, strict=True):
        before = used if verdict.refused is not None else used - check.amount
        ends_at_s = check.window.ends_at(number)
        budget = isinstance(line, BudgetLine)
        limit = line.limit_nanos if isinstance(line, BudgetLine) else line.rule.value
        show = format_usd if budget else int
        described.append(
            {
                "rule": line.rule.name,
                "kind": "budget" if isinstance(line, BudgetLine) else line.rule.measure,
                "fits": check.limit is None or before + check.amount <= check.limit,
                "enforced": check.limit is not None,
                "limit": show(limit),
                "used": show(before),
                "needs": show(check.amount),
                "would_remain": show(limit - before - check.amount),
                "resets_in_s": None if ends_at_s is None else round(ends_at_s - now_s, 3),
            }
        )
    return described


def _usd(nanos: int | None) -> str | None:
    return None if nanos is None else format_usd(nanos)
