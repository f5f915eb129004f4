"""Toast: restaurants, the names in their configuration, and orders.

Source: Toast orders API 2.9.0, restaurants API 1.0.0, configuration API 2.5.0, authentication API 1.0.0.
"""

from pipelines.connector import Connector
from pipelines.toast import client, documents, enums, settings, source
from pipelines.toast.webhook import WEBHOOK

CONNECTOR = Connector(
    pos_system="toast",
    title="Toast",
    streams=source.STREAMS,
    sales_stream=source.ORDERS.name,
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
)
