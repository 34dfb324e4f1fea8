"""What a client signs to log on. Both ends build the same bytes; nothing secret is stored on the server."""


def logon_message(nonce: str, epoch: int, timestamp_ns: int, key_id: str, host: str) -> bytes:
    """Bytes of the Ed25519 signature: the connection's challenge, the epoch, the client's wall time, the key and the host the client meant to reach.

    The nonce ties the signature to one connection, the host to one exchange: a relay under another name gains nothing by passing it on.
    """
    return f"{nonce}|{epoch}|{timestamp_ns}|{key_id}|{host}".encode()


def request_message(method: str, target: str, timestamp_ns: int, key_id: str, host: str) -> bytes:
    """Bytes of the Ed25519 signature of one REST request. `target` is the path with its query, as sent.

    No logon message has these bytes: a nonce is 32 hex digits.
    """
    return f"rest|{method}|{target}|{timestamp_ns}|{key_id}|{host}".encode()
