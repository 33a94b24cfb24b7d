"""docs/notices.md from what people are told of, and from the texts that notifiers have."""

from __future__ import annotations

from include.airflow.notifying import TEXTS
from include.restatements.notices.kinds import KINDS
from include.restatements.settings import variable_of

_HEAD = """<!-- Written by `make docs` from include/restatements/notices/kinds.py, include/airflow/notifying.py and lab/pages/notices.py. Edit those. -->
# Notices and metrics

What people are told of, and how.

`cj_watch` looks every hour. What is so is told once, when it begins, by every notifier and in the task's log; it is told again only after it was over and has come back. A question of
`approve` is told at once. `cj.notices` has what was told, by which way, when, and when it was over. A notifier that fails, or does not end within a minute, is tried again the next hour, and fails nothing else.

| kind | told when | what to do | Variables |
|---|---|---|---|
"""

_WAYS = """
## The ways

The Variable `cj_notifiers` is a JSON list. Each entry has the dotted name of one of Airflow's notifiers as `notifier`, and beside it what that notifier is made with. Its texts are
Airflow templates, which may use `notice.subject`, `notice.words`, `notice.page` (where to look) and `notice.kind`. E-mail, Slack and Apprise have texts already; any other needs its own. What
a server needs (address, login, token) stands in an Airflow connection, never here.

E-mail, through the connection `smtp_default` (type `smtp`):

```json
[{"notifier": "airflow.providers.smtp.notifications.smtp.SmtpNotifier", "from_email": "airflow@example.org", "to": ["orders@example.org"]}]
```

Slack, through an incoming webhook in a connection of type `slackwebhook`; the provider is yours to install (`apache-airflow-providers-slack`):

```json
[{"notifier": "airflow.providers.slack.notifications.slack_webhook.SlackWebhookNotifier", "slack_webhook_conn_id": "slack_orders"}]
```

These were tried against a mail server and a webhook on this machine. Notifiers with texts of their own:

"""

_METRICS = """
## Metrics

Each reconciliation hands its figures to Airflow's metrics, which go to StatsD or OpenTelemetry as Airflow itself is configured (`[metrics] statsd_on`, `otel_on`); StatsD needs
`apache-airflow[statsd]`. Both were tried against a receiver on this machine.

| gauge | what |
|---|---|
| `cj.orders.<status>` | orders of the last thirty nights by verdict |
| `cj.breaks` | `mismatched` and `missing` together |
| `cj.money_at_risk` | commission and fee at risk in this round; currencies are added as they stand |
| `cj.posting_lag_seconds.p50`, `.p90` | how long CJ took to post |
"""


def page() -> str:
    """The whole page as Markdown."""
    rows = "".join(
        f"| `{kind.value}` | {told.when} | {told.advice} | {', '.join(f'`{variable_of(name)}`' for name in told.settings)} |\n"
        for kind, told in KINDS.items()
    )
    return _HEAD + rows + _WAYS + "".join(f"- `{dotted}`\n" for dotted in TEXTS) + _METRICS
