"""What a registered subscription sends is taken in by the service, with the key before as well."""

import httpx
import pytest

from pipelines.registration import register, rotate
from pipelines.registration import test as send_test
from pipelines.registry import get_connector
from pipelines.webhook import sign
from pos_core.settings import get_settings
from pos_core.vault import NOBODY
from sandbox.square.driver import Driver
from sandbox.square.oauth import OWNER_ACCESS_TOKEN
from tests.conftest import Project
from tests.pipelines.deliveries import BODIES


def test_the_service_accepts_the_new_key_and_the_one_before(
    project: Project, sandbox: Driver, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SQUARE_BASE_URL", sandbox.url)
    monkeypatch.setenv("SQUARE_ACCESS_TOKEN", OWNER_ACCESS_TOKEN)
    monkeypatch.setenv("WEBHOOK_BASE_URL", str(client.base_url))
    get_settings.cache_clear()
    connector = get_connector("square")
    url = register(project.engine, project.vault, connector).url
    rotate(project.engine, project.vault, connector)
    assert send_test(project.engine, connector).is_accepted
    [row] = project.rows("select id, keys_sealed from pos_webhook_subscriptions")
    keys = project.vault.open(NOBODY, row["id"], row["keys_sealed"])
    for name, status in (("current", 200), ("previous", 200), ("another", 401)):
        signature = sign(str(keys.get(name, "another")), url.encode(), BODIES["square"])
        answer = client.post(
            url, content=BODIES["square"], headers={"x-square-hmacsha256-signature": signature}
        )
        assert answer.status_code == status, name
