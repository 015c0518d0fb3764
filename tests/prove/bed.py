"""What the proof runs on: stores it may kill, a provider with its own bill, gateways as processes, an operator."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from tests.prove.accounts import Accounts, Comparison
from tests.prove.callers import Callers
from tests.prove.stores import PostgreSQL, Redis, clear_away
from tests.services.gateway import READY_WITHIN_S, STOPPED_WITHIN_S, Gateway
from tests.services.upstreams import MockUpstream
from tests.services.waiting import eventually
from usage.journal.files import JOURNAL_SUFFIX, worker_of

CREDENTIAL = "sk-prove-upstream-0123456789"
IN_FORCE_WITHIN_S = 1.0  # what is promised of a changed budget, limit or key
POSTED_WITHIN_S = 45.0
DENIED_WITHIN_S = 10.0
SHOWN_COMPLAINT_CHARACTERS = 2_000
# Dollars a million tokens. `plain` and `spare` stand behind one route; every class of `classes` has a price of its own.
PRICES: dict[str, dict[str, Decimal]] = {
    "plain": {"input_tokens": Decimal("1.5"), "output_tokens": Decimal(6)},
    "spare": {"input_tokens": Decimal(2), "output_tokens": Decimal("7.000001")},
    "classes": {
        "input_tokens": Decimal("2.5"),
        "cached_input_tokens": Decimal("0.31250001"),
        "cache_write_tokens": Decimal("3.125"),
        "output_tokens": Decimal("10.000003"),
        "reasoning_tokens": Decimal("11.1111"),
        "audio_input_tokens": Decimal("40.7"),
        "audio_output_tokens": Decimal("80.1234567"),
    },
}
_DENIED = """
    SELECT coalesce(sum(count), 0) FROM usage_denial WHERE key_id = (SELECT id FROM tenants_key WHERE name = %s)
"""
_PRICE_FIELDS = {
    "input_tokens": "input_per_mtok",
    "cached_input_tokens": "cached_input_per_mtok",
    "cache_write_tokens": "cache_write_per_mtok",
    "output_tokens": "output_per_mtok",
    "reasoning_tokens": "reasoning_per_mtok",
    "audio_input_tokens": "audio_input_per_mtok",
    "audio_output_tokens": "audio_output_per_mtok",
}


class Provider(MockUpstream):
    """The mock as a process that keeps its bill."""

    def __init__(self, bill: Path) -> None:
        bill.touch()
        command = [sys.executable, "-m", "providers.mock.server", "--api-key", CREDENTIAL, "--bill", str(bill)]
        with bill.with_name("log").open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
            )
        self.api_key = CREDENTIAL
        self.port = self._read_port()
        self.origin = f"http://127.0.0.1:{self.port}"


class ProvenGateway(Gateway):
    """A gateway whose workers are killed: it is ended in order, and its log may complain."""

    def stop(self) -> None:
        """End it by SIGTERM and wait until it has shipped what it can."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(STOPPED_WITHIN_S)
        self._close_clients()

    def kill(self, pid: int) -> None:
        """Kill one of its processes, where it still runs."""
        if pid in self.children():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def housekeeper_pids(self) -> list[int]:
        """Return the process ids of what is no worker."""
        return sorted(set(self.children()) - set(self.worker_pids()))

    def wait_for_workers(self) -> None:
        """Wait until every worker that was killed has been started again, and calls are served."""
        eventually(lambda: len(self.worker_pids()) == self.workers and self._is_ready(), within_s=READY_WITHIN_S)

    def has_served_everywhere(self, name: str) -> bool:
        """Tell whether all workers run, and the journal of each has a request whose id begins with a name."""
        pids = set(self.worker_pids())
        return len(pids) == self.workers and pids <= self._pids_that_served(name)

    def _pids_that_served(self, name: str) -> set[int]:
        wanted, found = f'"request_id":"{name}-'.encode(), set()
        for path in (self.data_dir / "journal").glob(f"*{JOURNAL_SUFFIX}"):
            with suppress(FileNotFoundError):  # it has been shipped meanwhile
                if wanted in path.read_bytes():
                    found.add(_pid_of(path))
        return found

    def operate(self, code: str) -> str:
        """Run Python with the ORM, on a connection that has not seen an outage."""
        return self.shell(f"from django.db import connections\nconnections.close_all()\n{code}")


class Bed:
    """Everything that runs, in a temporary directory; all of it is ended with the block."""

    def __init__(self, *, workers: int) -> None:
        self.workers = workers
        self.directory = Path(tempfile.mkdtemp(prefix="llmgateway-prove-"))
        self.directory.chmod(0o755)  # PostgreSQL may run as somebody else
        self._closing: list[Callable[[], None]] = [lambda: clear_away(self.directory)]
        self._gateway: ProvenGateway | None = None

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> None:
        for name in ("postgres", "redis", "provider"):
            (self.directory / name).mkdir()
        self.postgres = PostgreSQL(self.directory / "postgres")
        self._closing.append(self.postgres.stop)
        self.redis = Redis(self.directory / "redis")
        self._closing.append(self.redis.stop)
        bill = self.directory / "provider" / "bill"
        self.provider = Provider(bill)
        self._closing.append(self.provider.stop)
        self.accounts = Accounts(bill=bill, postgres=self.postgres, prices=PRICES)

    def close(self) -> None:
        """End everything that was started, the last first; who is impatient now would leave something running."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        while self._closing:
            try:
                self._closing.pop()()
            except Exception as error:  # noqa: BLE001 - the others must be ended too
                print(f"at the end: {error}", file=sys.stderr)  # noqa: T201

    def at_end(self, work: Callable[[], None]) -> None:
        """Do something at the end, after what is started later has been ended."""
        self._closing.append(work)

    # Gateways

    @property
    def gateway(self) -> ProvenGateway:
        """Return the gateway of most scenarios, started with the first that asks."""
        if self._gateway is None:
            self._gateway = self.add_gateway("first")
        return self._gateway

    def add_gateway(
        self, name: str, *, host: str = "127.0.0.1", workers: int | None = None, **environment: str
    ) -> ProvenGateway:
        """Start a gateway on the stores, as another machine would; it is ended with the bed."""
        shared = {
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.redis.url,
            "HOST": host,
            "GATEWAY_SECRET_KEY": "prove-" * 9,
            "GATEWAY_KEY_PEPPER": "prove-pepper-" * 3,
            "GATEWAY_SEALING_KEYS": "J2dJwdzNtC_9n-MFHYllwWBQIJhKKHuCkftFsd5E1-Y=",
            "GATEWAY_LOG_CALLS": "false",
            "GATEWAY_DRAIN_S": "10",
        }
        gateway = ProvenGateway(
            self.directory / name,
            config=self._config(),
            workers=workers or self.workers,
            environment=shared | environment,
        )
        self._closing.append(lambda: _end(gateway))
        return gateway

    def _config(self) -> dict[str, Any]:
        provider = {"kind": "openai", "base_url": f"{self.provider.origin}/v1", "credential": CREDENTIAL}
        routes = {"plain": ["plain"], "both": ["plain", "spare"], "classes": ["classes"]}
        return {
            "tenants": [{"slug": "prove"}],
            "users": [{"email": "boss@prove.example", "username": "boss", "superuser": True}],
            "keys": [{"tenant": "prove", "name": "first", "secret": secret_of("first")}],
            "providers": [{"slug": "remote", **provider}],
            "routes": [
                {
                    "name": name,
                    "targets": [{"provider": "remote", "model": m, "order": n} for n, m in enumerate(models)],
                }
                for name, models in routes.items()
            ],
            "prices": [
                {"provider": "remote", "model": model}
                | {_PRICE_FIELDS[name]: format(usd, "f") for name, usd in price.items()}
                for model, price in PRICES.items()
            ],
        }

    # Operators

    def callers(self, name: str, *gateways: ProvenGateway) -> Callers:
        """Make a key of that name, and callers who use it."""
        self.gateway.operate(
            "from tenants import keys\nfrom tenants.models import Tenant\n"
            f"keys.issue(tenant=Tenant.objects.get(slug='prove'), name={name!r}, secret={secret_of(name)!r})"
        )
        return Callers(name, [one.base_url for one in gateways or (self.gateway,)], secret_of(name))

    def set_budget(self, name: str, limit_nanos: int, *, key: str | None = None, **fields: object) -> None:
        """Make a hard budget of a key, or give the one of that name another limit, and wait until it is in force."""
        given: dict[str, object] = {"limit_nanos": limit_nanos, "period": "lifetime", "hard": True} | fields
        self._save("Budget", name, key, given)

    def set_limit(self, name: str, measure: str, value: int, *, key: str, span: str = "") -> None:
        """Make a limit of a key, and wait until it is in force."""
        self._save("Limit", name, key, {"measure": measure, "value": value, "span": span})

    def _save(self, model: str, name: str, key: str | None, fields: dict[str, object]) -> None:
        self.gateway.operate(
            f"from usage.models import {model}\nfrom tenants.models import Key\n"
            f"rule = {model}.objects.filter(name={name!r}).first() or {model}(name={name!r})\n"
            f"rule.key = Key.objects.get(name={key!r}) if {key!r} else None\n"
            f"for field, value in {fields!r}.items(): setattr(rule, field, value)\n"
            "rule.save()"
        )
        time.sleep(IN_FORCE_WITHIN_S)

    # The books

    def compare(self, name: str) -> Comparison:
        """Lay the books of a scenario side by side, once they agree or after the time that posting may take."""
        ends_at = time.monotonic() + POSTED_WITHIN_S
        while True:
            found = self.accounts.compare(name)
            if not found.differences or time.monotonic() > ends_at:
                return found
            time.sleep(0.5)

    def posted_nanos(self, name: str) -> int:
        """Return what the ledger has posted for the requests of a name, estimates included."""
        return sum(post.amount_nanos or 0 for post in self.accounts.posts(name))

    def denied(self, name: str, *, at_least: int) -> int:
        """Return how many refused calls of a key are written down, once there are so many or should be."""
        ends_at = time.monotonic() + DENIED_WITHIN_S
        while True:
            found = int(self.postgres.query(_DENIED, name)[0][0])
            if found >= at_least or time.monotonic() > ends_at:
                return found
            time.sleep(0.2)

    def audit(self) -> str:
        """Run the gateway's own audit; return its complaint, nothing where there is none."""
        try:
            self.gateway.operate("from django.core.management import call_command\ncall_command('audit_ledger')")
        except AssertionError as error:
            return str(error).strip()[-SHOWN_COMPLAINT_CHARACTERS:]
        return ""


def secret_of(name: str) -> str:
    """Return the secret of a key."""
    return f"sk-gw-prove-{name}-0123456789abcdef"


def _pid_of(journal: Path) -> int:
    """Return the process id of the worker whose journal this is: the last but one part of the worker's name."""
    return int(worker_of(journal).rsplit("-", 2)[1])


def _end(gateway: ProvenGateway) -> None:
    """End a gateway in order, and by force where that takes too long."""
    try:
        gateway.stop()
    except subprocess.TimeoutExpired:
        print(f"a gateway did not end by itself:\n{gateway.log[-2000:]}", file=sys.stderr)  # noqa: T201
        gateway.close(orderly=False)
