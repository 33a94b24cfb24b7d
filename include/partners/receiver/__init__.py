"""A process of its own that a partner's platform fires its postbacks at, in TUNE's shape. It knows neither Airflow nor the warehouse nor CJ's token.

    app      the one address it answers, and every refusal
    journal  what is stored before the answer: lines that the partner's reconciliation loads

python -m include.partners.receiver --help
"""
