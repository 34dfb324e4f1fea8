"""From what participants want and quote to commands of the exchange, or to the sealed orders of a one-shot mechanism."""
