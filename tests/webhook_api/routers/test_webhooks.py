"""What is answered to a vendor, and what of its events is kept for whom."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import httpx
import pytest

from pipelines.webhook import sign
from pos_core.database.connect import get_service_engine
from pos_core.repositories import configurations
from pos_core.repositories.audit import Actor
from pos_core.repositories.configurations import Configuration
from pos_core.settings import get_settings
from tests.conftest import Project
from tests.pipelines.deliveries import BODIES, PROOFS, SECRETS, URL
from tests.pos_core.given import new_configuration

BASE = URL.removesuffix("/api/v1/webhooks/")


@pytest.fixture
def receiving(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose operator has the secrets of its vendors."""
    monkeypatch.setenv("WEBHOOK_BASE_URL", BASE)
    monkeypatch.setenv("SQUARE_WEBHOOK_SIGNATURE_KEY", f"another-key,{SECRETS['square']}")
    monkeypatch.setenv("TOAST_WEBHOOK_SECRET", SECRETS["toast"])
    get_settings.cache_clear()
    return project


def _connect(
    project: Project, pos_system: str, account: str, location: str, **credentials: str
) -> Configuration:
    new = new_configuration(
        pos_system=pos_system,
        account_id=account,
        locations=[(location, "Shop")],
        base_url="http://127.0.0.1:1",
    )
    with project.engine.begin() as connection:
        return configurations.create_or_revive(
            connection, project.vault, new, {"access_token": "t", **credentials}, Actor("test")
        )[0]


def _send(client: httpx.Client, pos_system: str, at: str = "", **changes: bytes) -> httpx.Response:
    name, proof = PROOFS[pos_system]
    body = changes.get("body", BODIES[pos_system])
    return client.post(f"/api/v1/webhooks/{pos_system}{at}", content=body, headers={name: proof})


def _rows(project: Project) -> list[tuple[str, UUID | None]]:
    rows = project.rows("select outcome, configuration_id from pos_webhook_logs order by id")
    return [(row["outcome"], row["configuration_id"]) for row in rows]


def test_a_genuine_event_waits_for_its_configuration(receiving: Project, client: httpx.Client) -> None:
    made = _connect(receiving, "square", "MLCRUMB", "L1")
    _connect(receiving, "square", "ANOTHER", "L9")
    answer = _send(client, "square")
    assert (answer.status_code, answer.json()) == (200, {"status": "accepted"})
    [row] = receiving.rows("select * from pos_webhook_logs")
    assert (row["configuration_id"], row["tenant_id"]) == (made.id, made.tenant_id)
    assert (row["event_id"], row["event_type"], row["outcome"]) == ("e-1", "payment.updated", "pending")
    assert row["external_ids"] == ["O1"]
    assert json.loads(row["body"])["merchant_id"] == "MLCRUMB"


def test_an_event_that_is_repeated_is_kept_once(receiving: Project, client: httpx.Client) -> None:
    made = _connect(receiving, "square", "MLCRUMB", "L1")
    assert {_send(client, "square").status_code for _ in range(3)} == {200}
    assert _rows(receiving) == [("pending", made.id)]


def test_an_account_that_two_tenants_have_connected_tells_both(
    receiving: Project, client: httpx.Client
) -> None:
    made = [_connect(receiving, "square", "MLCRUMB", "L1") for _ in range(2)]
    assert _send(client, "square").status_code == 200
    assert sorted(_rows(receiving), key=str) == sorted([("pending", each.id) for each in made], key=str)


def test_what_is_not_signed_is_refused_and_not_stored(receiving: Project, client: httpx.Client) -> None:
    _connect(receiving, "square", "MLCRUMB", "L1")
    forged = _send(client, "square", body=BODIES["square"].replace(b"e-1", b"e-2"))
    assert (forged.status_code, forged.json()["code"]) == (401, "webhook_signature")
    assert client.post("/api/v1/webhooks/square", content=BODIES["square"]).status_code == 401
    assert _rows(receiving) == []


def test_an_event_of_an_unknown_account_is_accepted_and_counted(
    receiving: Project, client: httpx.Client
) -> None:
    disabled = _connect(receiving, "square", "MLCRUMB", "L1")
    with receiving.engine.begin() as connection:
        configurations.disable(connection, disabled.id, "closed", Actor("test"))
    assert _send(client, "square").status_code == 200
    assert _rows(receiving) == [("unknown_account", None)]
    assert receiving.value("select body from pos_webhook_logs") is None


def test_a_location_is_enough_where_a_vendor_names_no_account(
    receiving: Project, client: httpx.Client
) -> None:
    made = _connect(receiving, "toast", "G1", "r-1")
    assert _send(client, "toast").status_code == 200
    assert _rows(receiving) == [("pending", made.id)]


def test_a_connections_secret_speaks_for_it_alone(receiving: Project, client: httpx.Client) -> None:
    secret = {"webhook_secret": SECRETS["lightspeed"]}
    mine = _connect(receiving, "lightspeed", "1", "45454565682155", **secret)
    theirs = _connect(receiving, "lightspeed", "2", "777", webhook_secret="till:another-password")
    other = _connect(receiving, "lightspeed", "3", "778", **secret)
    assert _send(client, "lightspeed", f"/{mine.id}").status_code == 200
    assert _rows(receiving) == [("pending", mine.id)]
    assert _send(client, "lightspeed", f"/{theirs.id}").status_code == 401
    # Signed for another connection, and about a shop that is not its own.
    assert _send(client, "lightspeed", f"/{other.id}").status_code == 200
    assert _rows(receiving) == [("pending", mine.id), ("unknown_account", None)]


@pytest.mark.parametrize("at", ["", "/{unknown}"])
def test_an_address_that_does_not_exist_is_not_found(
    receiving: Project, client: httpx.Client, at: str
) -> None:
    assert _send(client, "lightspeed", at.format(unknown=uuid4())).status_code == 404
    assert client.post("/api/v1/webhooks/nobody", content=b"{}").status_code == 404


def test_without_a_secret_the_vendor_has_to_send_again(
    receiving: Project, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TOAST_WEBHOOK_SECRET")
    assert _send(client, "toast").status_code == 503
    bare = _connect(receiving, "lightspeed", "1", "45454565682155")
    assert _send(client, "lightspeed", f"/{bare.id}").status_code == 503


def test_a_signed_body_that_is_no_event_is_told_so(receiving: Project, client: httpx.Client) -> None:
    body = b"[1]"
    proof = sign(SECRETS["square"], f"{URL}square".encode(), body)
    headers = {PROOFS["square"][0]: proof}
    answer = client.post("/api/v1/webhooks/square", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "webhook")
    assert _rows(receiving) == []


@pytest.fixture
def cut_off(receiving: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A service whose database does not answer."""
    monkeypatch.setenv("POS_API_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    get_settings.cache_clear()
    get_service_engine.cache_clear()
    yield receiving
    get_settings.cache_clear()


def test_without_a_database_nothing_is_acknowledged(cut_off: Project, client: httpx.Client) -> None:
    _connect(cut_off, "square", "MLCRUMB", "L1")
    answer = _send(client, "square")
    assert (answer.status_code, answer.json()["code"]) == (503, "database")
    assert _rows(cut_off) == []


def test_a_secret_that_does_not_open_is_our_own_failure(receiving: Project, client: httpx.Client) -> None:
    made = _connect(receiving, "lightspeed", "1", "45454565682155", webhook_secret=SECRETS["lightspeed"])
    receiving.execute("update pos_configurations set credentials_sealed = '{}'")
    answer = _send(client, "lightspeed", f"/{made.id}")
    assert (answer.status_code, answer.json()["code"]) == (503, "database")
    assert _rows(receiving) == []


def test_what_the_database_refuses_keeps_nothing_else_out(receiving: Project, client: httpx.Client) -> None:
    made = _connect(receiving, "square", "MLCRUMB", "L1")
    receiving.execute("alter table pos_webhook_logs add constraint refused check (event_id <> 'e-1')")
    try:
        bodies = [BODIES["square"].replace(b"e-1", b"e-%d" % number) for number in range(4)]
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda body: _send_signed(client, body), bodies))
    finally:
        receiving.execute("alter table pos_webhook_logs drop constraint refused")
    assert [each.status_code for each in answers] == [200, 503, 200, 200]
    assert _rows(receiving) == [("pending", made.id)] * 3


def _send_signed(client: httpx.Client, body: bytes) -> httpx.Response:
    headers = {PROOFS["square"][0]: sign(SECRETS["square"], f"{URL}square".encode(), body)}
    return client.post("/api/v1/webhooks/square", content=body, headers=headers)
