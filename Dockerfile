# One image for every part: `caraway server`, `caraway worker`, the operator's commands, and the demo.
# A program's own worker builds on it: FROM caraway, COPY its code, RUN pip install what it needs.
FROM python:3.13-slim

WORKDIR /opt/caraway
COPY pyproject.toml README.md LICENSE ./
COPY clients/python clients/python
COPY server server
COPY worker worker
RUN pip install --no-cache-dir '.[server,worker]'

# The demo, and the documents whose words it counts.
COPY CHANGELOG.md ./
COPY docs docs
COPY proto proto
COPY examples examples
ENV PYTHONPATH=/opt/caraway/examples

# /data is where a gateway without --redis keeps its embedded store.
RUN useradd --system --uid 10001 caraway && install -d -o caraway /data
USER caraway
WORKDIR /data
VOLUME /data
EXPOSE 50051

# To listen beyond its container a gateway must be told TLS and tokens, or --insecure: see docs/deploy.md.
ENTRYPOINT ["caraway"]
CMD ["--help"]
