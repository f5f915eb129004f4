"""The sandbox's state: a function of seed, scale and the list of control commands."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from sandbox.clock import SECOND, WORLD_END, Clock, Instant, format_instant
from sandbox.edits import length_of
from sandbox.registry import PosSandbox, Server, find_sandboxes
from sandbox.world import Merchant, make_merchant

Scale = Literal["demo", "small", "large"]
TOKEN_STATES = ("valid", "expired", "revoked", "insufficient_scopes")
_SMALL_ORDERS = 60


class WorldError(ValueError):
    """A control command, or a state folder, that cannot be used."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a world is made from; ``merchants`` and ``orders`` concern the large scale.

    With ``only``, the one point-of-sale system that the world has; all of them otherwise.
    """

    seed: int = 7
    scale: Scale = "demo"
    merchants: int | None = None
    orders: int | None = None
    only: str | None = None


class World:
    """All merchants of all point-of-sale systems, and the clock they share."""

    def __init__(self, options: Options, clock: Clock) -> None:
        """Builds the world as it is at its end, before any command.

        Raises:
            WorldError: a scale or a point-of-sale system that does not exist.
        """
        if options.scale not in get_args(Scale):
            raise WorldError(f"no such scale: {options.scale}")
        found = find_sandboxes()
        if options.only is not None and options.only not in found:
            raise WorldError(f"no such point-of-sale system: {options.only}")
        self.options = options
        self.clock = clock
        self.servers: dict[str, Server] = {}
        self.merchants: dict[str, Merchant] = {}
        self.rounds: list[dict[str, Any]] = []
        self._sold = 0
        for name, record in found.items():
            if options.only not in (None, name):
                continue
            merchants = self._merchants(record)
            server = record.build(merchants, clock)
            self.servers[name] = server
            self.merchants.update({server.account_id(each): each for each in merchants})

    def _merchants(self, record: PosSandbox) -> list[Merchant]:
        options = self.options
        chains = list(record.chains[options.scale if options.scale != "large" else "one"])
        counts = list(record.demo_orders if options.scale == "demo" else [_SMALL_ORDERS] * len(chains))
        if options.merchants is not None or options.scale == "large":
            number = options.merchants or 1
            orders = options.orders or 20 * number
            if number > 1:
                many = record.chains["many"]
                chains = [many[place % len(many)] for place in range(number)]
            counts = [orders // number + (place < orders % number) for place in range(number)]
            chains = chains[:number]
        return [
            make_merchant(options.seed, record.name, place, chain, count, WORLD_END)
            for place, (chain, count) in enumerate(zip(chains, counts, strict=True))
        ]

    def merchant(self, account_id: object) -> Merchant:
        """The merchant of a vendor's account id.

        Raises:
            WorldError: there is none.
        """
        merchant = self.merchants.get(str(account_id))
        if merchant is None:
            raise WorldError(f"no such merchant: {account_id}")
        return merchant

    def apply(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """Carries out one control command.

        Args:
            command: ``op``, ``now`` (the instant it was given) and the operation's own fields.

        Raises:
            WorldError: an unknown operation or merchant, or a value out of range.
        """
        operation = command["op"]
        now: Instant = command["now"]
        if operation == "clock":
            self.clock.advance(round(float(command["advance_seconds"]) * SECOND))
            return self.show_clock()
        if operation == "edits":
            return self._edit(command.get("round"), now)
        if operation == "sell":
            return self._sell(self.merchant(command["merchant_id"]), int(command["count"]), now)
        if operation == "change":
            return self._change(self.merchant(command["merchant_id"]), now)
        if operation == "token":
            return self._set_token(command)
        if operation == "settings":
            return self._set_settings({str(key): int(value) for key, value in command["settings"].items()})
        if operation == "inject":
            merchant = self.merchant(command["merchant_id"])
            server = self.servers[merchant.pos_system]
            return {"id": server.inject(merchant, command["stream"], command["text"])}
        raise WorldError(f"no such operation: {operation}")

    def show_clock(self) -> dict[str, Any]:
        """The clock as the control route shows it."""
        now = self.clock.now()
        mode = "ticking" if self.clock.is_ticking else "fixed"
        return {"now": format_instant(now), "mode": mode, "http_date": self.clock.http_date()}

    def accounts(self) -> list[dict[str, Any]]:
        """How to register every account."""
        return [self._server(each).account(each) for each in self.merchants.values()]

    def _server(self, merchant: Merchant) -> Server:
        return self.servers[merchant.pos_system]

    def _set_token(self, command: Mapping[str, Any]) -> dict[str, Any]:
        merchant, state = self.merchant(command["merchant_id"]), command["state"]
        if state not in TOKEN_STATES:
            raise WorldError(f"state must be one of {', '.join(TOKEN_STATES)}")
        self._server(merchant).set_token(merchant, state)
        return {"merchant_id": command["merchant_id"], "state": state}

    def _set_settings(self, settings: Mapping[str, int]) -> dict[str, Any]:
        """Gives every server the settings that it has."""
        known = {name: each.set_settings({}) for name, each in self.servers.items()}
        unknown = set(settings).difference(*known.values())
        if unknown:
            raise WorldError(f"no such setting: {', '.join(sorted(unknown))}")
        return {
            name: each.set_settings({key: value for key, value in settings.items() if key in known[name]})
            for name, each in self.servers.items()
        }

    def _edit(self, number: int | None, now: Instant) -> dict[str, Any]:
        wanted = len(self.rounds) + 1 if number is None else int(number)
        if 1 <= wanted <= len(self.rounds):
            return self.rounds[wanted - 1]
        if wanted != len(self.rounds) + 1:
            raise WorldError(f"the next round is {len(self.rounds) + 1}, not {wanted}")
        length = length_of(self.options.seed, wanted)
        self.clock.advance(length)
        answer = {
            "round": wanted,
            "now": format_instant(now + length),
            "merchants": [
                {
                    "account_id": account_id,
                    **self._server(merchant).edit(merchant, wanted, now, now + length),
                }
                for account_id, merchant in self.merchants.items()
            ],
        }
        self.rounds.append(answer)
        return answer

    def _sell(self, merchant: Merchant, count: int, now: Instant) -> dict[str, Any]:
        if not 1 <= count <= 100_000:
            raise WorldError("count must be within 1 and 100000")
        server = self._server(merchant)
        return {"merchant_id": server.account_id(merchant), "created": server.sell(merchant, count, now)}

    def _change(self, merchant: Merchant, now: Instant) -> dict[str, Any]:
        """Later than all that was answered before, so that the document has left its place."""
        self.clock.advance(SECOND)
        server = self._server(merchant)
        changed = server.change(merchant, now + SECOND)
        return {"merchant_id": server.account_id(merchant), "changed": changed}


class Journal:
    """The list of commands, kept in a folder so that a restart has the same state."""

    def __init__(self, folder: Path | None, options: Options) -> None:
        """Opens a folder's list, or keeps none.

        Raises:
            WorldError: the folder belongs to a world made from other options, or is not readable.
        """
        self._path = None if folder is None else folder / "commands.jsonl"
        self.anchor_seconds = time.time()
        self.commands: list[dict[str, Any]] = []
        if folder is None or self._path is None:
            return
        folder.mkdir(parents=True, exist_ok=True)
        if not self._path.exists():
            self._write({"op": "start", "options": asdict(options), "anchor": self.anchor_seconds})
            return
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines()
            first, *self.commands = [json.loads(line) for line in lines if line]
            known, self.anchor_seconds = first["options"], float(first["anchor"])
        except (ValueError, KeyError, TypeError) as error:
            raise WorldError(f"{self._path} is damaged; choose another folder") from error
        # A folder from before an option existed was made with that option's default.
        if asdict(Options()) | known != asdict(options):
            raise WorldError(f"{self._path} belongs to another world: {known}")

    def add(self, command: Mapping[str, Any]) -> None:
        """Notes a command that was carried out."""
        if self._path is not None:
            self._write(command)

    def _write(self, record: Mapping[str, Any]) -> None:
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")


def open_world(
    options: Options, *, folder: Path | None = None, is_ticking: bool = False
) -> tuple[World, Journal]:
    """Builds a world and replays its commands.

    Args:
        options: what it is made from.
        folder: where its commands are kept; nowhere when not given.
        is_ticking: whether its clock runs on at real pace.

    Raises:
        WorldError: the folder belongs to another world.
    """
    journal = Journal(folder, options)
    clock = Clock(is_ticking=is_ticking, anchor_seconds=journal.anchor_seconds)
    world = World(options, clock)
    for command in journal.commands:
        world.apply(command)
    return world, journal
