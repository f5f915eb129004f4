"""Lightspeed Restaurant K-Series: accounts, business days, business locations, and V1 as a control.

Source: Lightspeed Restaurant K-Series API, Financial V2 and V1, version 1.0.0 as of August 2026.
"""

from pipelines.connector import Connector, OAuth
from pipelines.lightspeed import client, documents, enums, oauth, settings, source
from pipelines.lightspeed.webhook import WEBHOOK

CONNECTOR = Connector(
    pos_system="lightspeed",
    title="Lightspeed Restaurant",
    streams=source.STREAMS,
    sales_stream=source.SALES.name,
    base_url=settings.base_url,
    read_credentials=settings.read_credentials,
    open_http=client.open_http,
    confirm=client.confirm,
    read=source.read,
    locate=documents.locate,
    identify=documents.identify,
    strip=documents.strip,
    incomplete=documents.incomplete,
    known_values=enums.KNOWN_VALUES,
    unpack=documents.unpack,
    webhook=WEBHOOK,
    leans_on_operator=settings.leans_on_operator,
    oauth=OAuth(oauth.operators_authorize_url, oauth.operators_exchange),
)
