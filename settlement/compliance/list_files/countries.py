"""Countries as lists write them, by ISO 3166-1 alpha-2 code. What is not known stays unsaid."""

from __future__ import annotations

import re
from functools import lru_cache

from iso3166 import countries

_ALSO = {
    "RU": "russia|russian|ussr", "IR": "iran|iranian", "SY": "syria|syrian", "VE": "venezuela",
    "GB": "uk|united kingdom|great britain|england|british", "US": "usa|united states|american",
    "KP": "north korea|dprk|korea, north|democratic people's republic of korea",
    "KR": "south korea|korea, south|republic of korea", "AE": "uae|united arab emirates|emirati",
    "VN": "vietnam", "LA": "laos", "BO": "bolivia", "TZ": "tanzania", "MD": "moldova",
    "CD": "congo, democratic republic of the|dr congo|drc|democratic republic of the congo",
    "CG": "congo, republic of the|republic of the congo", "CI": "ivory coast|cote d'ivoire",
    "MM": "burma|myanmar", "CZ": "czech republic", "MK": "macedonia|north macedonia",
    "TR": "turkey|turkish", "TW": "taiwan", "PS": "palestinian|palestine|west bank|gaza",
    "CV": "cape verde", "SZ": "swaziland", "BN": "brunei", "VA": "holy see", "BA": "bosnia",
    "CN": "china|prc|people's republic of china|chinese", "HK": "hong kong", "MO": "macau|macao",
    "CU": "cuba|cuban", "IQ": "iraq|iraqi", "AF": "afghanistan|afghan", "PK": "pakistan|pakistani",
    "LB": "lebanon|lebanese", "BY": "belarus|belarusian", "UA": "ukraine|ukrainian",
    "FR": "france|french", "DE": "germany|german", "BS": "bahamas, the|the bahamas", "GM": "gambia",
    "XK": "kosovo",
}  # fmt: skip


@lru_cache(maxsize=4096)
def country_code(words: str | None) -> str | None:
    """Return the code of a country by name or code; None where it is not known."""
    text = " ".join(re.sub(r"\(.*?\)", " ", words or "").split()).casefold()
    return _names().get(text)


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    known: dict[str, str] = {}
    for each in countries:
        names = (each.alpha2, each.alpha3, each.name, each.apolitical_name)
        known.update(dict.fromkeys((name.casefold() for name in names), each.alpha2))
    for code, words in _ALSO.items():
        known.update(dict.fromkeys(words.split("|"), code))
    return known
