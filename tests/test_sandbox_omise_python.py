"""The gateway's own published Python client works against the sandbox, unchanged (docs/gateway.md,
10.1).
"""

import omise
import pytest

from batchpay.sandbox import SandboxServer

RECIPIENT = "recp_test_seed0000000000001"


@pytest.fixture
def sandbox(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with SandboxServer() as started:
        monkeypatch.setattr(omise, "api_main", started.url)
        monkeypatch.setattr(omise, "api_vault", started.url)
        monkeypatch.setattr(omise, "api_secret", "skey_test_4xs8breq3htbkj03d2x")
        monkeypatch.setattr(omise, "api_public", "pkey_test_4xs8breq32civvobx15")
        monkeypatch.setattr(omise, "api_version", "2019-05-29")
        yield started


def token(number: str = "4242424242424242"):
    return omise.Token.create(
        name="Somchai Prasert",
        number=number,
        expiration_month=10,
        expiration_year=2030,
        security_code="123",
    )


def test_token_to_customer_to_chained_charge_to_list_to_search_to_transfer(sandbox):
    """The whole way that a shop goes."""
    first = token()
    first.reload()
    assert (first.used, first.card.last_digits) == (False, "4242")

    customer = omise.Customer.create(
        email="somchai@example.com", description="Somchai", card=first.id
    )
    assert customer.cards[0].last_digits == "4242"
    charge = omise.Charge.create(
        amount=100000,
        currency="thb",
        customer=customer.id,
        destination=RECIPIENT,
        description="Order A-1",
        metadata={"order_id": "A-1"},
        platform_fee={"fixed": 500},
    )
    assert (charge.status, charge.paid, charge.destination) == (
        "successful",
        True,
        RECIPIENT,
    )
    charge.reload()
    assert charge.metadata.order_id == "A-1"

    listed = list(omise.Charge.list())
    assert [one.id for one in listed] == [charge.id]
    found = omise.Search.execute("charge", query="A-1", filters={"amount": "1000"})
    assert [one.id for one in found] == [charge.id]

    chain = omise.Chain.retrieve(charge.chain)
    assert (chain.charge, chain.revoked) == (charge.id, False)
    assert omise.Transfer.retrieve(chain.transfer).amount == 99500
    omise.Charge.create(amount=200000, currency="thb", card=token().id)
    transfer = omise.Transfer.create(amount=50000, recipient=RECIPIENT)
    assert (transfer.amount, transfer.sent) == (50000, False)
    assert [one.recipient for one in omise.Transfer.list()] == [RECIPIENT] * 2


def test_its_lists_page_through_more_than_one_page(sandbox):
    """It sends offset and limit in the JSON body of the GET; read from the query alone, page 1
    would never end.
    """
    for number in range(105):
        omise.Charge.create(
            amount=2000,
            currency="thb",
            customer="cust_test_sandbox1",
            metadata={"order_id": str(number)},
        )
    seen = [one.metadata.order_id for one in omise.Charge.list()]
    assert seen == [str(number) for number in range(105)]


def test_a_decline_is_a_charge_and_a_refusal_is_an_error(sandbox):
    declined = omise.Charge.create(
        amount=100000, currency="thb", card=token("4111111111140011").id
    )
    assert (declined.status, declined.failure_code) == ("failed", "insufficient_fund")
    spent = token().id
    omise.Charge.create(amount=100000, currency="thb", card=spent)
    with pytest.raises(omise.errors.UsedTokenError):
        omise.Charge.create(amount=100000, currency="thb", card=spent)
    with pytest.raises(omise.errors.NotFoundError):
        omise.Charge.retrieve("chrg_test_0")
    omise.api_secret = "skey_nonsense"
    with pytest.raises(omise.errors.AuthenticationFailureError):
        omise.Account.retrieve()


def test_account_balance_capability_recipients_and_pending_charges(sandbox):
    assert omise.Account.retrieve().currency == "THB"
    assert omise.Capability.retrieve().limits.charge_amount.min == 2000
    assert omise.Balance.retrieve().total == 0
    recipient = omise.Recipient.create(
        name="Somchai",
        type="individual",
        email="s@example.com",
        bank_account={"brand": "bbl", "number": "1234567890", "name": "SOMCHAI"},
    )
    assert (recipient.verified, recipient.active) == (False, False)
    source = omise.Source.create(type="promptpay", amount=100000, currency="thb")
    pending = omise.Charge.create(
        amount=100000, currency="thb", source=source.id, destination=RECIPIENT
    )
    assert (pending.status, pending.chain) == ("pending", None)
    pending.expire()
    assert pending.status == "expired"
    held = omise.Charge.create(
        amount=100000, currency="thb", customer="cust_test_sandbox1", capture=False
    )
    held.reverse()
    assert held.status == "reversed"
    assert omise.Customer.retrieve("cust_test_sandbox1").destroy().destroyed
