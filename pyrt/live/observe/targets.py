"""Who hears of alerts, as the settings name them; secrets stay in the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from pyrt.errors import ConfigError
from pyrt.live.observe.alerts import Sender
from pyrt.live.observe.redaction import Redactor
from pyrt.live.observe.senders import FORMS, Email, Webhook


class AlertTarget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way to a person.

    Attributes
    ----------
    form : str
        ``slack``, ``discord``, ``telegram``, ``json`` or ``email``.
    url_env : str
        Name of the variable that holds a webhook's URL: it is a secret.
    chat : str
        Telegram's chat id.
    host, sender, user, password_env : str
        Of the mail server; the last one names a variable.
    port : int
    recipients : tuple of str
    """

    form: str
    url_env: str = ""
    chat: str = ""
    host: str = ""
    port: int = 465
    sender: str = ""
    recipients: tuple[str, ...] = ()
    user: str = ""
    password_env: str = ""

    def __post_init__(self) -> None:
        forms = (*FORMS, "email")
        if self.form not in forms:
            raise ConfigError(
                f"an alert's form is {self.form!r}; expected one of {', '.join(forms)}"
            )
        needed = {"email": ("host", "sender", "recipients"), "telegram": ("url_env", "chat")}
        for name in needed.get(self.form, ("url_env",)):
            if not getattr(self, name):
                raise ConfigError(f"an alert of the form {self.form} needs its {name}", code=name)


def make_senders(
    targets: Sequence[AlertTarget],
    redactor: Redactor,
    environment: Mapping[str, str] | None = None,
) -> list[Sender]:
    """Return a sender for each target; what they keep secret is taken out of logs.

    Raises
    ------
    ConfigError
        If a variable is not set, or a target makes no sense.
    """
    values = os.environ if environment is None else environment
    made: list[Sender] = []
    for target in targets:
        if target.form == "email":
            password = _value(values, target.password_env) if target.password_env else ""
            redactor.add(password)
            made.append(
                Email(
                    target.host,
                    target.sender,
                    target.recipients,
                    port=target.port,
                    user=target.user,
                    password=password,
                )
            )
            continue
        url = _value(values, target.url_env)
        # The path alone is the secret, whoever writes it without the rest.
        redactor.add(url, urlsplit(url).path, urlsplit(url).query)
        made.append(Webhook(url, target.form, chat=target.chat))
    return made


def _value(values: Mapping[str, str], name: str) -> str:
    if not values.get(name):
        raise ConfigError(
            f"the variable {name or 'that url_env names'} is not set",
            code="alert_secret",
            remedy="Set it to the address that alerts are sent to",
        )
    return values[name]
