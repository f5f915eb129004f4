"""The sandbox of Lightspeed Restaurant K-Series: its token and financial routes over the seeded bakery.

Source: K-Series Financial API V2 and V1 (OpenAPI 1.0.0, read in 2026-11), and live answers of V1.
"""

from sandbox.lightspeed.chains import CHAINS
from sandbox.lightspeed.server import LightspeedServer
from sandbox.registry import PosSandbox

SANDBOX = PosSandbox(name="lightspeed", build=LightspeedServer, chains=CHAINS, demo_orders=(800, 400))
