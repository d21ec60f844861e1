"""Ways to plant a bug in the product from outside: a function's text or a statement's is changed.

What is to be changed has to be there, word for word: a name or a phrase that is gone fails loudly,
so that no bug is believed to be planted that is not.
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import FunctionType
from typing import Any

from sqlalchemy import TextClause, text

from tests.simulation.failpoints import resolved

Patch = Callable[[], AbstractContextManager[object]]
Change = tuple[str, str]
"""Words that are there, and what stands in their place."""


class NothingToPlant(Exception):
    """The product has no such words any more: the bug has to be written anew."""


def edited(target: str, *changes: Change) -> Patch:
    """Change the text of a function, wherever it is held: `package.module:qualified.name`."""

    @contextmanager
    def planted() -> Iterator[None]:
        _, name, found = resolved(target)
        function: FunctionType = inspect.unwrap(getattr(found, "__func__", found))
        source = textwrap.dedent(inspect.getsource(function))
        source = source[source.index("def ") :]
        words = "from __future__ import annotations\n" + _changed(source, changes, target)
        namespace = dict(function.__globals__)
        exec(compile(words, f"<planted in {target}>", "exec"), namespace)
        original, planted_code = function.__code__, namespace[name].__code__
        function.__code__ = planted_code
        try:
            yield
        finally:
            function.__code__ = original

    return planted


def worded(target: str, *changes: Change) -> Patch:
    """Change a module's SQL, or another text, in every module of ours that holds it."""

    @contextmanager
    def planted() -> Iterator[None]:
        _, _, original = resolved(target)
        if isinstance(original, TextClause):
            words = _changed(original.text, changes, target)
            kept = [each for name, each in original._bindparams.items() if f":{name}" in words]
            other: Any = text(words).bindparams(*kept)
        else:
            other = _changed(original, changes, target)
        with _exchanged(original, other):
            yield

    return planted


def valued(target: str, value: Any) -> Patch:
    """Put another value in the place of a module's, in every module of ours that holds it."""

    @contextmanager
    def planted() -> Iterator[None]:
        _, _, original = resolved(target)
        with _exchanged(original, value):
            yield

    return planted


def all_of(*patches: Patch) -> Patch:
    """Plant several at once: one protocol's bug may have several places."""

    @contextmanager
    def planted() -> Iterator[None]:
        with ExitStack() as stack:
            for patch in patches:
                stack.enter_context(patch())
            yield

    return planted


@contextmanager
def _exchanged(original: Any, other: Any) -> Iterator[None]:
    places = [
        (module, name)
        for module_name, module in list(sys.modules.items())
        if module is not None and module_name.partition(".")[0] in ("settlement", "gateway")
        for name, value in list(vars(module).items())
        if value is original
    ]
    for module, name in places:
        setattr(module, name, other)
    try:
        yield
    finally:
        for module, name in places:
            setattr(module, name, original)


def _changed(words: str, changes: Sequence[Change], target: str) -> str:
    for old, new in changes:
        if old not in words:
            raise NothingToPlant(f"{target} does not say {old!r}")
        words = words.replace(old, new)
    return words
