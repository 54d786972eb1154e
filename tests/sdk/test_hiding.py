"""Hidden arguments: what is shown instead of them, wherever a call is sent from."""

from typing import Any

import pytest

from caraway import Caraway
from caraway.exceptions import EncodeError, ImproperlyConfigured
from caraway.hiding import MAX_LENGTH
from caraway.request import Context, pop, push
from caraway.unique import Unique
from support.played import PlayedGateway

SECRET = "hunter2"


def shown(played: PlayedGateway, task_id: str) -> tuple[str, str]:
    spec = played.tasks[task_id].spec
    return spec.args_repr, spec.kwargs_repr


@pytest.fixture
def login(app: Caraway) -> Any:
    @app.task(hidden=["password"])
    def login(user: str, password: str, *, once: bool = False) -> None: ...

    return login


def test_without_hidden_parameters_nothing_is_made(played: PlayedGateway, app: Caraway) -> None:
    assert shown(played, app.send_task("t", [SECRET]).id) == ("", "")


async def test_hidden_parameters_are_masked_wherever_the_call_comes_from(
    played: PlayedGateway, app: Caraway, login: Any
) -> None:
    by_place = ("('bob', ***)", "{}")
    assert shown(played, login.delay("bob", SECRET).id) == by_place
    assert shown(played, (await login.adelay("bob", SECRET)).id) == by_place
    assert shown(played, login.apply_async(("bob", SECRET)).id) == by_place
    assert shown(played, login.s("bob", SECRET).delay().id) == by_place
    assert shown(played, app.send_task(login.name, ["bob", SECRET]).id) == by_place
    assert shown(played, app.submit_many([login.s("bob", SECRET)])[0].id) == by_place
    by_name = login.delay("bob", password=SECRET, once=True)
    assert shown(played, by_name.id) == ("('bob',)", "{'password': ***, 'once': True}")
    assert by_name.kwargs["password"] == SECRET


def test_a_bound_tasks_own_parameter_does_not_count(played: PlayedGateway, app: Caraway) -> None:
    @app.task(bind=True, hidden=["password"])
    def bound(self: Any, user: str, password: str) -> None: ...

    assert shown(played, bound.delay("bob", SECRET).id) == ("('bob', ***)", "{}")


def test_gathering_parameters_hide_what_they_gather(played: PlayedGateway, app: Caraway) -> None:
    @app.task(hidden=["rest", "more"])
    def hiding(first: int, *rest: str, **more: str) -> None: ...

    @app.task(hidden=["key"])
    def open_(first: int, *rest: str, **more: str) -> None: ...

    assert shown(played, hiding.delay(1, SECRET, k=SECRET).id) == ("(1, ***)", "{'k': ***}")
    assert shown(played, open_.delay(1, "two", key=SECRET, k="three").id) == (
        "(1, 'two')",
        "{'key': ***, 'k': 'three'}",
    )


def test_what_no_parameter_takes_is_not_shown_either(played: PlayedGateway, app: Caraway, login: Any) -> None:
    """A hidden argument in the wrong place, or under a misspelt name."""
    sent = app.send_task(login.name, ["bob", "x", SECRET], {"passwrod": SECRET})
    assert shown(played, sent.id) == ("('bob', ***, ***)", "{'passwrod': ***}")


def test_texts_of_a_call_and_of_a_task_go_before(played: PlayedGateway, app: Caraway, login: Any) -> None:
    assert shown(played, login.apply_async(("bob", SECRET), argsrepr="bob").id) == ("bob", "{}")

    @app.task(argsrepr="<a customer>", kwargsrepr="<their data>")
    def bill(customer: str, **data: str) -> None: ...

    assert shown(played, bill.delay(SECRET).id) == ("<a customer>", "<their data>")
    assert shown(played, bill.apply_async((SECRET,), argsrepr="one").id) == ("one", "<their data>")


def test_long_texts_are_cut(played: PlayedGateway, app: Caraway, login: Any) -> None:
    text = shown(played, app.send_task("t", argsrepr="x" * 5000).id)[0]
    assert text == "x" * (MAX_LENGTH - 3) + "..."
    long = login.apply_async(("u" * 5000, SECRET))
    assert len(shown(played, long.id)[0]) < 200


def test_a_hidden_name_that_is_no_parameter_is_refused(app: Caraway) -> None:
    def login(user: str, password: str) -> None: ...

    with pytest.raises(ImproperlyConfigured, match="has no parameter 'passwrod' to be hidden"):
        app.task(hidden=["passwrod"])(login)
    with pytest.raises(ImproperlyConfigured, match="list of its parameters' names"):
        app.task(hidden="password")(login)


def test_a_signature_shows_no_hidden_argument(login: Any) -> None:
    text = repr(login.s("bob", SECRET, once=True))
    assert text == f"{login.name}(*('bob', ***), **{{'once': True}})"


def test_a_request_shows_the_texts_and_no_argument() -> None:
    context = Context(id="1", args=(SECRET,), kwargs={"password": SECRET}, argsrepr="(***,)")
    assert SECRET not in repr(context)
    assert "argsrepr='(***,)'" in repr(context)


@pytest.mark.parametrize("value", [object, {1: SECRET}, {SECRET: {2: 3}}, [{(SECRET,): 1}]])
def test_errors_of_a_call_show_no_argument(app: Caraway, login: Any, value: Any) -> None:
    with pytest.raises(EncodeError) as raised:
        login.delay("bob", value)
    assert SECRET not in repr(raised.value)
    for call in (lambda: login.delay("bob", SECRET, SECRET), lambda: login.apply_async(SECRET)):
        with pytest.raises(TypeError) as refused:
            call()
        assert SECRET not in repr(refused.value)


def test_errors_of_a_unique_key_show_no_argument(app: Caraway, login: Any) -> None:
    for rule in (Unique("{password}" * 99), Unique(lambda user, password: (user, password))):  # type: ignore[arg-type,return-value]
        with pytest.raises((TypeError, ValueError)) as refused:
            login.apply_async(("bob", SECRET), unique=rule)
        assert SECRET not in repr(refused.value)


def test_used_up_retries_show_no_argument(app: Caraway) -> None:
    @app.task(bind=True, max_retries=0, hidden=["password"])
    def flaky(self: Any, password: str) -> None:
        self.retry()

    token = push(Context(id="1", task=flaky.name, args=(SECRET,), kwargs={}))
    try:
        with pytest.raises(Exception, match="retries are used up") as raised:
            flaky(SECRET)
    finally:
        pop(token)
    assert SECRET not in repr(raised.value)
