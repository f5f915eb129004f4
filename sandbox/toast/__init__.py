"""Toast's sandbox: its logins, orders, payments, restaurants and configuration over the seeded bakery.

Source: Toast orders API 2.9.0 and the vendor's other documents named in each module.
"""

from sandbox.registry import PosSandbox
from sandbox.toast.chains import CHAINS
from sandbox.toast.server import ToastServer

SANDBOX = PosSandbox(name="toast", build=ToastServer, chains=CHAINS, demo_orders=(900, 500))
