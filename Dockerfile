# Astronomer's runtime 3.3-8 is Airflow 3.3.2; it offers Python 3.12, 3.13 and 3.14, and this package is tested on 3.11 and 3.12.
# The image called -base copies and installs nothing by itself: what the others do unseen is written out here.
FROM astrocrpublic.azurecr.io/runtime:3.3-8-python-3.12-base

USER root
COPY packages.txt .
RUN /usr/local/bin/install-system-packages

# Airflow itself is the image's, and the image takes no other from requirements.txt. Every other version is the one tested here.
COPY requirements.txt .
RUN sed -i -E '/^apache-airflow(-core|-task-sdk)?==/d' requirements.txt && /usr/local/bin/install-python-dependencies

USER astro
COPY --chown=astro:0 . .

# As include/airflow/environment.py says, and why.
ENV AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL=1 \
    AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME=0.2 \
    AIRFLOW__LOGGING__NAMESPACE_LEVELS=great_expectations=WARNING \
    AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False \
    GX_ANALYTICS_ENABLED=False
