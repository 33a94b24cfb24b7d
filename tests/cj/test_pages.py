"""A page that is none of CJ's is never quoted as CJ's word: what stands between may have written it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from include.cj import errors as e
from include.cj.client import CJClient
from include.domain.states import Mode, Operation
from tests.cj.conftest import Scripted, Server

BODY = b'{"query": "mutation", "variables": {"orders": []}}'
PAGE = b"<html><title>Blocked</title>by the company's proxy</html>"


@pytest.mark.parametrize("body", [PAGE, b"Forbidden"])
def test_a_page_that_refuses_is_not_called_cjs_word(cj: Server, connect: Callable[..., CJClient], body: bytes) -> None:
    cj.answers(Scripted(status=403, body=body))
    with pytest.raises(e.CJPageForbids, match=r"answered 403 with a page that is not CJ's: a proxy in between\?") as raised:
        connect(cj).submit(Operation.CREATE, Mode.LIVE, BODY)
    assert (raised.value.transient, raised.value.maybe_done, raised.value.status) == (False, False, 403)
    assert isinstance(raised.value, e.CJAuthError)
    assert "Unauthorized" not in str(raised.value)


@pytest.mark.parametrize("body", [b'{"errors": [{"message": "no"}]}', b""])
def test_what_cj_may_have_written_is_cjs_word(cj: Server, connect: Callable[..., CJClient], body: bytes) -> None:
    cj.answers(Scripted(status=403, body=body))
    with pytest.raises(e.CJUnauthorized):
        connect(cj).submit(Operation.CREATE, Mode.LIVE, BODY)
