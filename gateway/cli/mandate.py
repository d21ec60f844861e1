"""`settle mandate`: what a debtor lets the rail take; granted by signatures made on this machine.

The debtor's key never leaves it. What is signed is checked against what was typed, not believed.
"""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import show
from gateway.cli.client import Api, open_api
from gateway.cli.options import URL, AsJson, KeyFile, KeyName, Url, noun
from gateway.passwords import unlocked

if TYPE_CHECKING:
    from settlement.chain.signing import KeyPair

app = noun("Show, grant, lower and revoke what a debtor lets the rail take.")

_COLUMNS = (
    "debtor_wallet",
    "token_symbol",
    "cap_per_payment",
    "cap_per_day",
    "left_today",
    "allowance",
    "expires_at",
)

Token = Annotated[str, typer.Option("--token", help="The token's symbol, such as TEUR.")]
PerPayment = Annotated[str, typer.Option("--per-payment", help="The most of one payment.")]
PerDay = Annotated[str, typer.Option("--per-day", help="The most of one day (UTC).")]
Until = Annotated[
    str, typer.Option("--until", help="Last moment, ISO 8601: 2027-11-04 or 2027-11-04T12:00Z.")
]
Keystore = Annotated[Path, typer.Option("--keystore", help="The debtor's key file (keystore v3).")]
PasswordFd = Annotated[
    int | None,
    typer.Option("--password-fd", help="A file descriptor with its password; else you are asked."),
]
Rpc = Annotated[
    str,
    typer.Option("--rpc", envvar="SETTLE_RPC_URL", help="A node, asked for nonce and fee only."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Sign without asking.")]


@app.command("show", epilog="Example: settle mandate show --as treasury")
def show_(
    wallet: Annotated[str | None, typer.Option(help="Of one debtor's address.")] = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Show mandates, with what is left of the day."""
    found = open_api(url, key_file, key_name).get("/v1/mandates", wallet=wallet)
    show.table(found["data"], _COLUMNS, as_json=as_json)


@app.command(
    epilog="Example: settle mandate grant --as kaveri-importer --token TEUR --per-payment 50000"
    " --per-day 200000 --until 2027-11-04 --keystore kaveri.json",
)
def grant(
    token: Token,
    per_payment: PerPayment,
    per_day: PerDay,
    until: Until,
    keystore: Keystore,
    rpc: Rpc,
    allowance: Annotated[
        str | None, typer.Option(help="The most in all; else what the caps can take.")
    ] = None,
    password_fd: PasswordFd = None,
    yes: Yes = False,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Sign an allowance and a mandate with the debtor's key, and hand them to the chain."""
    api = open_api(url, key_file, key_name)
    keys = unlocked(keystore, password_fd)
    terms = _terms(api, token, per_payment, per_day, until)
    to_sign = _granted(api, keys, terms, allowance)
    _sign_and_send(api, keys, to_sign, rpc=rpc, yes=yes, as_json=as_json)


@app.command(
    epilog="Example: settle mandate lower --as kaveri-importer --token TEUR --per-payment 1000"
    " --per-day 5000 --until 2027-11-04 --keystore kaveri.json",
)
def lower(
    token: Token,
    per_payment: PerPayment,
    per_day: PerDay,
    until: Until,
    keystore: Keystore,
    rpc: Rpc,
    password_fd: PasswordFd = None,
    yes: Yes = False,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Lower a mandate's caps; refused if one of them would rise. The allowance stays."""
    from settlement.errors import Invalid
    from settlement.money import parse_minor

    api = open_api(url, key_file, key_name)
    keys = unlocked(keystore, password_fd)
    terms = _terms(api, token, per_payment, per_day, until)
    now = _present(api, keys.address, token)
    for name in ("cap_per_payment", "cap_per_day"):
        if terms[name] > parse_minor(now[name], terms["decimals"]):
            raise Invalid(
                f"{name} would rise from {now[name]}", repair="use `settle mandate grant`"
            )
    to_sign = _granted(api, keys, terms, None)[1:]
    _sign_and_send(api, keys, to_sign, rpc=rpc, yes=yes, as_json=as_json)


@app.command(
    epilog="Example: settle mandate revoke --as kaveri-importer --token TEUR"
    " --keystore kaveri.json",
)
def revoke(
    token: Token,
    keystore: Keystore,
    rpc: Rpc,
    password_fd: PasswordFd = None,
    yes: Yes = False,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """End a mandate: once mined, the rail takes nothing more of this token."""
    from settlement.chain import mandate_abi
    from settlement.chain.port import Address

    api = open_api(url, key_file, key_name)
    keys = unlocked(keystore, password_fd)
    address = Address(_token(api, token)["address"].lower())
    answer = api.get("/v1/mandates/revocation", wallet=keys.address, token_symbol=token)
    to_sign = answer["to_sign"]
    _require([mandate_abi.revoke_mandate_calldata(address)], to_sign)
    _sign_and_send(api, keys, to_sign, rpc=rpc, yes=yes, as_json=as_json)


def _terms(api: Api, symbol: str, per_payment: str, per_day: str, until: str) -> dict[str, Any]:
    """Return what was typed, as the chain takes it."""
    from settlement.errors import Invalid
    from settlement.money import parse_minor

    token = _token(api, symbol)
    try:
        moment = datetime.fromisoformat(until)
    except ValueError:
        raise Invalid(f"{until!r} is no moment", field="--until", repair="2027-11-04") from None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return {
        "symbol": symbol,
        "token": token["address"].lower(),
        "decimals": token["decimals"],
        "cap_per_payment": parse_minor(per_payment, token["decimals"], field="--per-payment"),
        "cap_per_day": parse_minor(per_day, token["decimals"], field="--per-day"),
        "moment": moment,
    }


def _token(api: Api, symbol: str) -> dict[str, Any]:
    from settlement.errors import NotFound

    for token in api.get("/v1/tokens")["data"]:
        if token["symbol"] == symbol:
            return dict(token)
    raise NotFound("token", symbol)


def _present(api: Api, wallet: str, symbol: str) -> dict[str, Any]:
    from settlement.errors import NotFound

    for mandate in api.get("/v1/mandates", wallet=wallet)["data"]:
        if mandate["token_symbol"] == symbol:
            return dict(mandate)
    raise NotFound("mandate", f"of {wallet} for {symbol}")


def _granted(
    api: Api, keys: KeyPair, terms: dict[str, Any], allowance: str | None
) -> list[dict[str, Any]]:
    """Ask what to sign, and check that it is what was typed."""
    from settlement.chain import mandate_abi
    from settlement.chain.port import Address
    from settlement.money import format_minor

    answer = api.get(
        "/v1/mandates/grant",
        wallet=keys.address,
        token_symbol=terms["symbol"],
        cap_per_payment=format_minor(terms["cap_per_payment"], terms["decimals"]),
        cap_per_day=format_minor(terms["cap_per_day"], terms["decimals"]),
        expires_at=terms["moment"].isoformat(),
        allowance=allowance,
    )
    to_sign: list[dict[str, Any]] = answer["to_sign"]
    rail = Address(to_sign[-1]["fields"]["to"].lower())
    approve = mandate_abi.approve_calldata(spender=rail, amount_minor=0)
    mandate = mandate_abi.set_mandate_calldata(
        token=Address(terms["token"]),
        cap_per_payment=terms["cap_per_payment"],
        cap_per_day=terms["cap_per_day"],
        expiry=int(terms["moment"].timestamp()),
    )
    # The amount of the allowance is shown before it is signed; its spender is the rail alone.
    _require([approve[:36], mandate], to_sign)
    return to_sign


def _require(expected: list[bytes], to_sign: list[dict[str, Any]]) -> None:
    from settlement.errors import ChainContradicts

    given = [bytes.fromhex(each["fields"]["data"][2:]) for each in to_sign]
    is_same = len(given) == len(expected) and all(
        each.startswith(start) for each, start in zip(given, expected, strict=True)
    )
    if not is_same:
        raise ChainContradicts("the gateway asks for another signature than was typed: not signed")


def _sign_and_send(
    api: Api, keys: KeyPair, to_sign: list[dict[str, Any]], *, rpc: str, yes: bool, as_json: bool
) -> None:
    from settlement.chain.evm import EvmChain
    from settlement.chain.port import Address
    from settlement.chain.signing import sign_eip1559

    for each in to_sign:
        typer.echo(f"{keys.address} signs: {each['purpose']}", err=True)
    if not yes:
        typer.confirm("Sign?", abort=True, err=True)
    with closing(EvmChain(rpc)) as chain:
        nonce, tip = chain.nonce(keys.address), 10**9
        max_fee = 2 * chain.head().base_fee_wei + tip
    signed = []
    for place, each in enumerate(to_sign):
        wanted = each["fields"]
        raw, _ = sign_eip1559(
            keys.key,
            chain_id=int(wanted["chainId"], 16),
            nonce=nonce + place,
            to=Address(wanted["to"].lower()),
            data=bytes.fromhex(wanted["data"][2:]),
            gas_limit=int(wanted["gas"], 16),
            max_fee_wei=max_fee,
            max_priority_fee_wei=tip,
        )
        signed.append("0x" + raw.hex())
    answer = api.post("/v1/mandates", {"signed": signed})
    if as_json:
        typer.echo(json.dumps(answer))
    else:
        show.table(answer["data"], ("tx_hash", "outcome", "message"), as_json=False)
    if any(each["outcome"] != "accepted" for each in answer["data"]):
        raise typer.Exit(1)
