"""How good the answers are: metrics, the baseline beside them, the report to look at."""
