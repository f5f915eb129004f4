"""The unit tests that stand beside the models pass on a real server."""

from __future__ import annotations

from tests.models.history import History


def test_every_unit_test_beside_the_models_passes(history: History) -> None:
    results = history.dbt.invoke("test", "--select", "path:models/staging/lightspeed,test_type:unit").results
    assert len(results) == 10
    assert {str(result.status) for result in results} == {"pass"}
