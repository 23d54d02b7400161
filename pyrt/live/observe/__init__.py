"""Eyes on a running node: logs, traces, metrics, health, alerts. Nothing here trades."""
