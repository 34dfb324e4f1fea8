"""The gateway over sockets: durable acks, latency, fan-out and sessions, beside a bare echo server on the same stack."""
