"""What CJ's answers say about the account: which id is not the token's, whether it is the token, and when it is nobody's mistake."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from include.sandbox.process import SandboxProcess
from tests.restatements.doctor.ground import Ground, states, wrong
from tests.sandbox.shop import OTHER_ACCOUNT


@pytest.fixture
def other(ground: Ground) -> Ground:
    """CJ has another account too."""
    ground.cj.control.seed(accounts=[OTHER_ACCOUNT])
    return ground


@pytest.fixture
def faulty(ground: Ground) -> Iterator[SandboxProcess]:
    yield ground.cj
    ground.cj.control.clear_faults()


def test_the_token_of_another_account_is_told_from_two_wrong_ids(other: Ground) -> None:
    other.account(password=str(OTHER_ACCOUNT["token"]))
    found = wrong(other.examined())
    assert set(found) == {"advertiser (cj)", "enterprise (cj)"}
    for said in found.values():
        assert f"neither for enterprise {other.enterprise} nor for advertiser {other.advertiser}" in said
        assert "The token may be another account's: check the password too, then both ids" in said
        assert "Admin, Connections, cj" in said


def test_an_enterprise_alone_that_is_not_the_tokens_is_named_alone(other: Ground) -> None:
    other.account(enterprise_id="1500002")
    said = wrong(other.examined())["enterprise (cj)"]
    assert "this token may not act for enterprise 1500002 ('Unauthorized')" in said
    assert "Check enterprise_id" in said
    assert "advertiser" not in said
    assert "both" not in said


def test_an_advertiser_alone_that_is_not_the_tokens_is_named_alone(other: Ground) -> None:
    other.account(advertiser_id="5500002")
    said = wrong(other.examined())["advertiser (cj)"]
    assert "this token may not act for advertiser 5500002 ('Unauthorized')" in said
    assert "Check advertiser_id" in said
    assert "enterprise" not in said
    assert "both" not in said


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_cj_that_is_down_is_nobodys_mistake(ground: Ground, faulty: SandboxProcess, status: int) -> None:
    faulty.control.add_faults([{"kind": "status", "status": status, "times": 100}])
    said = wrong(ground.examined())
    assert set(said) == {"token (cj)"}
    assert f"({status})" in said["token (cj)"]
    assert said["token (cj)"].endswith("→ Nothing to mend here; ask again later.")


def test_a_proxys_page_sends_nobody_to_the_account(ground: Ground, faulty: SandboxProcess) -> None:
    faulty.control.add_faults([{"kind": "html", "status": 403, "times": 100}])
    findings = ground.examined()
    said = wrong(findings)
    assert set(said) == {"token (cj)"}
    assert "answered 403 with a page that is not CJ's: a proxy in between?" in said["token (cj)"]
    assert said["token (cj)"].endswith("→ Ask whoever runs the proxy or the firewall to let this machine's requests through to it.")
    assert states(findings)["enterprise (cj)"] == "not_asked"
