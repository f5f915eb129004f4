"""Asking vendors: room for all tenants, given back whatever happens."""

from uuid import uuid4

import pytest

from pos_core.errors import BusyError
from webhook_api.services.patience import asking_vendor


def test_a_tenant_has_room_for_four_and_others_for_theirs() -> None:
    tenant, other = uuid4(), uuid4()
    with asking_vendor(tenant), asking_vendor(tenant), asking_vendor(tenant), asking_vendor(tenant):
        with pytest.raises(BusyError), asking_vendor(tenant):
            pass
        with asking_vendor(other):
            pass
    with pytest.raises(ZeroDivisionError), asking_vendor(tenant):
        raise ZeroDivisionError
    for _ in range(5):
        with asking_vendor(tenant):
            pass
