"""How many callbacks a host is sent, and when it is left in peace."""

from __future__ import annotations

from aquatint.worker.hosts import MANY, SOON, TRIAL, Hosts


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def hosts(failures: int = 3, per_host: int = 4) -> tuple[Hosts, Time]:
    time = Time()
    return Hosts(per_host, failures, 10.0, time), time


def fail(made: Hosts, name: str, *deliveries: int) -> bool:
    rests = False
    for delivery in deliveries:
        made.sent(name)
        rests = made.ended(name, delivery, good=False)
    return rests


def test_a_share_for_each() -> None:
    """A full host is busy; a claim is never larger than the room of the fullest that is not."""
    made, _ = hosts()
    assert (made.room(), made.busy()) == (4, [])
    for _ in range(3):
        made.sent("a")
    assert (made.room(), made.busy()) == (1, [])
    made.sent("a")
    assert (made.room(), made.busy(), made.full("a")) == (4, ["a"], True)
    made.ended("a", 1, good=True)
    assert (made.room(), made.busy()) == (1, [])


def test_a_host_must_prove_itself() -> None:
    """Few at once until one is taken; then its whole share, until one fails."""
    made, _ = hosts(per_host=64)
    assert made.room() == 64
    for _ in range(TRIAL):
        assert made.admits("a") == 0
        made.sent("a")
    assert (made.busy(), made.admits("a"), made.full("a")) == (["a"], SOON, True)
    assert made.room() == 64, "of the others"
    made.ended("a", 1, good=True)
    assert (made.busy(), made.room()) == ([], 64 - TRIAL + 1)
    for delivery in range(2, TRIAL + 1):
        made.ended("a", delivery, good=True)
    assert (made._hosts["a"].sending, made.admits("a"), made.room()) == (0, 0, 64), "idle, and still known"
    fail(made, "a", 9)
    for _ in range(TRIAL):
        made.sent("a")
    assert made.full("a")


def test_a_dead_host_rests_and_is_tried_by_one() -> None:
    """After the rest one delivery goes out; when it fails the host rests again, when it succeeds all is forgotten."""
    made, time = hosts()
    assert not fail(made, "a", 1, 2)
    assert made.admits("a") == 0
    assert fail(made, "a", 3)
    assert (made.busy(), made.admits("a"), made.next_open()) == (["a"], 10.0, 10.0)
    time.now += 9.9
    assert made.busy() == ["a"]
    time.now += 0.2
    assert (made.busy(), made.admits("a"), made.next_open()) == ([], 0.0, None)
    made.sent("a")
    assert (made.busy(), made.admits("a")) == (["a"], 10.0), "one at a time"
    assert made.ended("a", 4, good=False)
    assert made.busy() == ["a"]
    time.now += 10.1
    made.sent("a")
    assert not made.ended("a", 5, good=True)
    assert made.busy() == []
    assert not fail(made, "a", 6, 7)


def test_one_delivery_that_fails_again_and_again_is_no_dead_host() -> None:
    made, _ = hosts()
    assert not fail(made, "a", *[7] * 20)
    assert made.busy() == []


def test_a_success_between_failures() -> None:
    """A host that takes some callbacks is not dead."""
    made, _ = hosts()
    for delivery in range(20):
        assert not fail(made, "a", delivery)
        if delivery % 2:
            made.sent("a")
            made.ended("a", 1000 + delivery, good=True)


def test_a_try_that_we_cut_says_nothing() -> None:
    """A probe that is cut by our own end leaves the host as it was."""
    made, time = hosts()
    fail(made, "a", 1, 2, 3)
    time.now += 11
    made.sent("a")
    made.cut("a")
    assert made.admits("a") == 0.0


def test_never_where_it_is_switched_off() -> None:
    made, _ = hosts(failures=0)
    assert not fail(made, "a", *range(100))
    assert made.busy() == []


def test_hosts_are_forgotten() -> None:
    """A flood of addresses that never answer does not fill the memory."""
    made, time = hosts()
    for number in range(MANY + 100):
        fail(made, f"h{number}", number)
    assert len(made._hosts) <= MANY + 1
    time.now += 100
    made.sent("b")
    made.ended("b", 1, good=True)
    assert made.busy() == []
