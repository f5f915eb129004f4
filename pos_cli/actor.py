"""Who is at the command line, for the audit trail."""

import getpass
import socket

from pos_core.repositories.audit import Actor


def command_line_actor() -> Actor:
    """The user of this process, and the host it runs on."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in containers
        name = "unknown"
    return Actor(f"cli:{name}", socket.gethostname())
