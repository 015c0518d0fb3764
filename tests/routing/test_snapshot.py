"""Routes are found by name: a tenant's own first, exact before wildcard, longer wildcard before shorter."""

from kernel.errors import RouteUnknown
from providers.capabilities import FeatureChanges
from providers.dialects.canonical import Feature
from providers.prices import PriceBook
from routing.snapshot import RouteTable, Wildcard, unknown_route
from tests.builders import connection, route, snapshot, target


def _wildcard(prefix: str, suffix: str, model: str) -> Wildcard:
    return Wildcard(prefix, suffix, route((target("p", model),), name=f"{prefix}*{suffix}"))


def test_a_tenants_own_route_goes_before_a_shared_one() -> None:
    shared, own = route(name="m"), route((target("own"),), name="m")
    found = snapshot(shared, by_tenant={7: RouteTable(exact={"m": own}, wildcards=())})
    assert found.find_route(tenant_id=7, name="m") is own
    assert found.find_route(tenant_id=8, name="m") is shared
    assert found.find_route(tenant_id=7, name="x") is None
    assert [r.name for r in found.routes_of(7)] == ["m"]


def test_wildcards_fill_the_model_in() -> None:
    table = RouteTable(
        exact={}, wildcards=(_wildcard("a/b/", "", "deep-*"), _wildcard("a/", "", "*"), _wildcard("", "", "any/*"))
    )
    models = {name: found.groups[0][0] for name in ("a/b/x", "a/x", "z") if (found := table.find(name))}
    assert [(t.model, t.name) for t in models.values()] == [
        ("deep-x", "p/deep-x"),
        ("x", "p/x"),
        ("any/z", "p/any/z"),
    ]
    resolved = table.find("a/x")
    assert resolved is not None
    assert resolved.name == "a/x"


def test_capabilities_are_those_of_the_model_that_was_filled_in() -> None:
    changes = FeatureChanges(removed=frozenset({Feature.IMAGES}))
    upstream = connection("p", "openai")
    any_model = target("p", "*", connection=upstream, feature_changes=changes, max_output_tokens=100)
    found = Wildcard("", "", route((any_model,), name="*")).resolve("o3")
    assert found is not None
    capabilities = found.groups[0][0].capabilities
    assert not capabilities.has(Feature.SAMPLING)
    assert not capabilities.has(Feature.IMAGES)
    assert capabilities.has(Feature.REASONING)
    assert capabilities.max_output_tokens == 100


def test_a_wildcard_needs_room_for_both_its_ends() -> None:
    assert _wildcard("ab", "bc", "*").resolve("abc") is None
    assert _wildcard("ab", "bc", "*").resolve("abbc") is not None


def test_exact_goes_before_wildcard() -> None:
    exact = route(name="a/x")
    assert RouteTable(exact={"a/x": exact}, wildcards=(_wildcard("a/", "", "*"),)).find("a/x") is exact


def test_the_price_is_the_target_s() -> None:
    found = snapshot(book=PriceBook())
    assert found.price_of(target(), tenant_id=1, now_s=0) is None
    assert snapshot().price_of(target(), tenant_id=1, now_s=0) is not None


def test_an_unknown_route_names_the_others_where_they_are_few() -> None:
    few, many = unknown_route("x", names=["a", "b"]), unknown_route("x", names=[str(n) for n in range(50)])
    assert isinstance(few, RouteUnknown)
    assert (few.status, few.code, few.param) == (404, "model_not_found", "model")
    assert "a, b" in few.message
    assert "Available" not in many.message
    assert len(unknown_route("y" * 5000, names=[]).message) < 400
