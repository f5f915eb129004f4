"""Square's sandbox: its sales, catalogue and profile routes over the seeded bakery.

Source: Square API 2025-08-20 (OpenAPI) and what its sandbox answered in 2026-07.
"""

from sandbox.registry import PosSandbox
from sandbox.square.server import SquareServer

SANDBOX = PosSandbox(name="square", build=SquareServer)
