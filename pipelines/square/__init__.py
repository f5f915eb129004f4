"""Square: orders, payments, refunds, locations and the catalogue.

Source: Square API, Square-Version 2026-07-15.
"""

from pipelines.connector import Connector, OAuth
from pipelines.square import client, documents, enums, lookup, oauth, settings, source
from pipelines.square.webhook import WEBHOOK

CONNECTOR = Connector(
    pos_system="square",
    title="Square",
    streams=source.STREAMS,
    sales_stream=source.ORDERS.name,
    base_url=settings.base_url,
    read_credentials=settings.read_credentials,
    open_http=client.open_http,
    confirm=client.confirm,
    read=source.read,
    locate=client.locate,
    identify=documents.identify,
    strip=documents.strip,
    incomplete=documents.incomplete,
    known_values=enums.KNOWN_VALUES,
    unpack=documents.unpack,
    webhook=WEBHOOK,
    lookup=lookup.lookup,
    leans_on_operator=settings.leans_on_operator,
    oauth=OAuth(oauth.authorize_url, oauth.exchange),
    give_up=oauth.give_up,
)
